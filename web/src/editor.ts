// SPDX-License-Identifier: MIT
// CodeMirror. It lives in a shadow root, because there it styles itself through
// adoptedStyleSheets, which the page's policy allows; in the document it would
// need inline <style> elements, which the policy forbids.
import { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import {
    HighlightStyle,
    bracketMatching,
    foldGutter,
    foldKeymap,
    indentOnInput,
    indentUnit,
    syntaxHighlighting,
} from '@codemirror/language';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState } from '@codemirror/state';
import {
    EditorView,
    drawSelection,
    highlightActiveLine,
    highlightActiveLineGutter,
    highlightSpecialChars,
    keymap,
    lineNumbers,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { grammar } from './grammars.js';

/* Colours are the page's variables, which reach into the shadow root: dark and
 * light need no second theme. */
const theme = EditorView.theme({
    '&': { height: '100%', color: 'var(--text)', backgroundColor: 'var(--field)', fontSize: 'var(--code-size)' },
    '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
    '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5' },
    '.cm-content': { caretColor: 'var(--text)' },
    '.cm-cursor': { borderLeftColor: 'var(--text)' },
    '.cm-gutters': { backgroundColor: 'var(--field)', color: 'var(--faint)', border: 'none' },
    '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--line-shade)' },
    '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
        backgroundColor: 'var(--selection)',
    },
    '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': {
        backgroundColor: 'var(--selection)',
        outline: '1px solid var(--faint)',
    },
    '.cm-panels': { backgroundColor: 'var(--panel)', color: 'var(--text)' },
    '.cm-panels input, .cm-panels button': { font: 'inherit', color: 'inherit', background: 'var(--field)' },
});

const colours = HighlightStyle.define([
    { tag: [tags.comment, tags.meta], color: 'var(--code-comment)', fontStyle: 'italic' },
    { tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.self], color: 'var(--code-keyword)' },
    { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.character], color: 'var(--code-string)' },
    { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--code-number)' },
    { tag: [tags.typeName, tags.className, tags.namespace, tags.special(tags.variableName)], color: 'var(--code-type)' },
    { tag: [tags.function(tags.variableName), tags.definition(tags.variableName), tags.labelName], color: 'var(--code-name)' },
    { tag: tags.invalid, color: 'var(--bad)' },
]);

export class Editor {
    private readonly view: EditorView;
    private readonly language = new Compartment();
    private readonly unit = new Compartment();
    private wanted = '';

    constructor(
        host: HTMLElement,
        private readonly onChange: () => void,
    ) {
        const root = host.attachShadow({ mode: 'open', delegatesFocus: true });
        this.view = new EditorView({ root, parent: root, state: this.fresh('') });
    }

    get text(): string {
        return this.view.state.doc.toString();
    }

    focus(): void {
        this.view.focus();
    }

    /* Another file's undo history does not reach into this one's. */
    open(text: string, fileName: string): void {
        this.view.setState(this.fresh(text, fileName));
        const wanted = this.wanted;
        this.wanted = '';
        void this.setGrammar(wanted);
    }

    async setGrammar(name: string): Promise<void> {
        if (this.wanted === name) return;
        this.wanted = name;
        const extension = await grammar(name).catch(() => []);
        if (this.wanted !== name) return;
        const indent = ['python', 'java', 'csharp', 'rust', 'php', 'octave', 'c', 'cpp'].includes(name) ? '    ' : '  ';
        this.view.dispatch({
            effects: [
                this.language.reconfigure(extension),
                this.unit.reconfigure(indentUnit.of(name === 'go' ? '\t' : indent)),
            ],
        });
    }

    private fresh(text: string, fileName = ''): EditorState {
        return EditorState.create({
            doc: text,
            extensions: [
                lineNumbers(),
                /* Code that comes with a link may hide its order from who reads it. */
                highlightSpecialChars(),
                foldGutter(),
                highlightActiveLine(),
                highlightActiveLineGutter(),
                history(),
                drawSelection(),
                indentOnInput(),
                bracketMatching(),
                closeBrackets(),
                search({ top: true }),
                highlightSelectionMatches(),
                EditorState.tabSize.of(4),
                syntaxHighlighting(colours),
                theme,
                this.language.of([]),
                this.unit.of([]),
                EditorView.contentAttributes.of({
                    'aria-label': fileName ? `Code of ${fileName}` : 'Code',
                    'aria-description': 'Press Escape and then Tab to leave the editor.',
                    autocapitalize: 'off',
                    autocorrect: 'off',
                    spellcheck: 'false',
                }),
                keymap.of([
                    ...closeBracketsKeymap,
                    ...defaultKeymap,
                    ...searchKeymap,
                    ...historyKeymap,
                    ...foldKeymap,
                    indentWithTab,
                ]),
                EditorView.updateListener.of((update) => {
                    if (update.docChanged) this.onChange();
                }),
            ],
        });
    }
}
