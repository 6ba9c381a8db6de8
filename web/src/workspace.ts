// SPDX-License-Identifier: MIT
// What the visitor works on. Each language has a program of its own, which is
// there again when one comes back to it, and on the next visit. They are kept for
// all tabs together, so a tab writes those that were changed in it, and no others.
import type { Language } from './api.js';
import { Editor } from './editor.js';
import { Files } from './files.js';
import { pastRuns, remember } from './history.js';
import { Languages, sampleOf } from './languages.js';
import { Options } from './options.js';
import { element } from './page.js';
import { isSameSetup, readSetup, type Setup } from './setup.js';
import { load, save } from './store.js';

const SAVE_AFTER_MS = 400;
/* Whatever extra files end in, they are most often data. */
const DATA_ENDINGS = /\.(?:txt|csv|json|md|xml|ya?ml|ini|dat|in|out|log)$/i;

/* As they are now, whoever wrote them. */
function storedDrafts(): Map<string, Setup> {
    const kept = load('drafts');
    const setups = Array.isArray(kept) ? kept.map(readSetup).filter((setup) => setup !== null) : [];
    return new Map(setups.map((setup) => [setup.language, setup]));
}

export class Workspace {
    readonly languages: Languages;
    readonly options: Options;
    private readonly editor: Editor;
    private readonly files: Files;
    private readonly terminal = element('mode-terminal', HTMLInputElement);
    private readonly plain = element('mode-plain', HTMLInputElement);
    /* Changed here and not yet stored; null: no longer a draft. */
    private readonly unsaved = new Map<string, Setup | null>();
    private language: Language | null = null;
    /* Of the text that is shown untouched: no draft needs to be kept of it. */
    private untouched = true;
    private changed = false;
    private timer = 0;

    constructor(
        private readonly onLanguage: (language: Language) => void,
        onEdited: () => void,
    ) {
        const changed = (): void => {
            this.onChange();
            onEdited();
        };
        this.languages = new Languages((language) => void this.switchTo(language));
        this.editor = new Editor(element('editor', HTMLDivElement), changed);
        this.files = new Files(this.editor, (path, isProgram) => this.setGrammar(path, isProgram), changed);
        this.options = new Options(changed);
        for (const mode of [this.terminal, this.plain])
            mode.addEventListener('change', () => void save('terminal', this.inTerminal));
        element('sample', HTMLButtonElement).addEventListener('click', () => void this.showSample());
        window.addEventListener('pagehide', () => this.saveDrafts());
    }

    get inTerminal(): boolean {
        return this.terminal.checked;
    }

    get current(): Language | null {
        return this.language;
    }

    get setup(): Setup {
        return {
            language: this.language?.name ?? '',
            files: this.files.all,
            ...this.options.values,
            terminal: this.inTerminal,
        };
    }

    /* Of the file that is looked at. */
    get shownText(): string {
        return this.editor.text;
    }

    focusEditor(): void {
        this.editor.focus();
    }

    /* After the languages have come. */
    async open(shared: Setup | null): Promise<void> {
        this.setMode(load('terminal') === true);
        if (shared && this.restore(shared)) return;
        const last = load('language');
        const language = (typeof last === 'string' && this.languages.find(last)) || this.languages.first;
        if (language) await this.switchTo(language);
    }

    /* False when this server does not know its language. */
    restore(setup: Setup): boolean {
        const language = this.languages.find(setup.language);
        if (!language) return false;
        this.keepDraft();
        this.putAside(this.draftOf(language), setup);
        this.setMode(setup.terminal);
        this.show(language, setup);
        this.untouched = false;
        this.onChange();
        return true;
    }

    private async switchTo(language: Language): Promise<void> {
        this.keepDraft();
        const draft = this.draftOf(language);
        if (draft) {
            this.show(language, draft);
            this.untouched = false;
        } else {
            await this.showSampleOf(language);
        }
        save('language', language.name);
    }

    private async showSample(): Promise<void> {
        const language = this.language;
        if (!language) return;
        if (!this.untouched && !confirm(`Replace the program by the ${language.title} sample?`)) return;
        await this.showSampleOf(language);
        this.unsaved.set(language.name, null);
        this.saveDrafts();
    }

    private async showSampleOf(language: Language): Promise<void> {
        const content = await sampleOf(language);
        const stdin = language.sample_stdin ?? '';
        const files = [{ path: language.source, content }];
        this.show(language, { language: language.name, files, args: '', stdin, limits: {}, terminal: this.inTerminal });
        this.untouched = true;
        this.changed = false;
    }

    private show(language: Language, setup: Setup): void {
        const [program, ...others] = setup.files;
        this.language = language;
        this.languages.show(language);
        this.files.all = [{ path: language.source, content: program!.content }, ...others];
        this.options.values = setup;
        this.onLanguage(language);
    }

    /* What is about to be replaced is found again among the past runs. */
    private putAside(draft: Setup | undefined, by: Setup): void {
        if (!draft?.files.some(({ content }) => content.trim()) || isSameSetup(draft, by)) return;
        if (pastRuns().some(({ setup }) => isSameSetup(setup, draft))) return;
        remember({ when: Date.now(), setup: draft, verdict: 'aside', wallMs: null });
    }

    private setMode(inTerminal: boolean): void {
        this.terminal.checked = inTerminal;
        this.plain.checked = !inTerminal;
    }

    private setGrammar(path: string, isProgram: boolean): void {
        const isCode = isProgram || !DATA_ENDINGS.test(path);
        void this.editor.setGrammar(isCode ? (this.language?.grammar ?? 'text') : 'text');
    }

    private onChange(): void {
        this.untouched = false;
        this.changed = true;
        clearTimeout(this.timer);
        this.timer = window.setTimeout(() => this.saveDrafts(), SAVE_AFTER_MS);
    }

    private keepDraft(): void {
        if (this.language && this.changed) this.unsaved.set(this.language.name, this.setup);
        this.changed = false;
    }

    private draftOf({ name }: Language): Setup | undefined {
        const unsaved = this.unsaved.get(name);
        return unsaved === undefined ? storedDrafts().get(name) : (unsaved ?? undefined);
    }

    private saveDrafts(): void {
        clearTimeout(this.timer);
        this.keepDraft();
        if (this.unsaved.size === 0) return;
        const drafts = storedDrafts();
        for (const [language, setup] of this.unsaved) {
            if (setup) drafts.set(language, setup);
            else drafts.delete(language);
        }
        if (save('drafts', [...drafts.values()])) this.unsaved.clear();
    }
}
