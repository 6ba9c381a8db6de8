// SPDX-License-Identifier: MIT
// What the visitor works on. Each language has a program of its own, which is
// there again when one comes back to it, and on the next visit.
import type { Language } from './api.js';
import { Editor } from './editor.js';
import { Files } from './files.js';
import { pastRuns, remember } from './history.js';
import { Languages, sampleOf } from './languages.js';
import { Options } from './options.js';
import { element } from './page.js';
import { readSetup, type Setup } from './setup.js';
import { load, save } from './store.js';

const SAVE_AFTER_MS = 400;
/* Whatever extra files end in, they are most often data. */
const DATA_ENDINGS = /\.(?:txt|csv|json|md|xml|ya?ml|ini|dat|in|out|log)$/i;

export class Workspace {
    readonly languages: Languages;
    readonly options: Options;
    private readonly editor: Editor;
    private readonly files: Files;
    private readonly terminal = element('mode-terminal', HTMLInputElement);
    private readonly plain = element('mode-plain', HTMLInputElement);
    private readonly drafts = new Map<string, Setup>();
    private language: Language | null = null;
    /* Of the text that is shown untouched: no draft needs to be kept of it. */
    private untouched = true;
    private timer = 0;

    constructor(private readonly onLanguage: (language: Language) => void) {
        const changed = (): void => this.onChange();
        this.languages = new Languages((language) => void this.switchTo(language));
        this.editor = new Editor(element('editor', HTMLDivElement), changed);
        this.files = new Files(this.editor, (path, isProgram) => this.setGrammar(path, isProgram), changed);
        this.options = new Options(changed);
        this.readDrafts();
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
        this.putAside(this.drafts.get(language.name), setup);
        this.setMode(setup.terminal);
        this.show(language, setup);
        this.untouched = false;
        this.onChange();
        return true;
    }

    private async switchTo(language: Language): Promise<void> {
        this.keepDraft();
        const draft = this.drafts.get(language.name);
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
        this.drafts.delete(language.name);
        await this.showSampleOf(language);
        this.saveDrafts();
    }

    private async showSampleOf(language: Language): Promise<void> {
        const content = await sampleOf(language);
        const stdin = language.sample_stdin ?? '';
        const files = [{ path: language.source, content }];
        this.show(language, { language: language.name, files, args: '', stdin, limits: {}, terminal: this.inTerminal });
        this.untouched = true;
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
        const [code, next] = [draft?.files[0]!.content, by.files[0]!.content];
        if (!draft || !code?.trim() || code === next) return;
        if (pastRuns().some(({ setup }) => setup.files[0]!.content === code)) return;
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
        clearTimeout(this.timer);
        this.timer = window.setTimeout(() => this.saveDrafts(), SAVE_AFTER_MS);
    }

    private keepDraft(): void {
        if (this.language && !this.untouched) this.drafts.set(this.language.name, this.setup);
    }

    private saveDrafts(): void {
        clearTimeout(this.timer);
        this.keepDraft();
        save('drafts', [...this.drafts.values()]);
    }

    private readDrafts(): void {
        const kept = load('drafts');
        if (!Array.isArray(kept)) return;
        for (const setup of kept.map(readSetup)) if (setup) this.drafts.set(setup.language, setup);
    }
}
