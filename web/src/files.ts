// SPDX-License-Identifier: MIT
// The files of a program in tabs. The first is the program itself; its name is
// the language's to choose. The others go beside it.
import type { SourceFile } from './api.js';
import type { Editor } from './editor.js';
import { element } from './page.js';
import { FILES_MAX } from './setup.js';

const PATH = /^(?![/.])(?!.*(?:^|\/)\.\.?(?:\/|$))[\w .@+\-/]{1,100}(?<![/ ])$/u;

export class Files {
    private list: SourceFile[] = [{ path: '', content: '' }];
    private shown = 0;
    private readonly tabs = element('tabs', HTMLDivElement);
    private readonly panel = element('editor', HTMLDivElement);
    private readonly renameButton = element('file-rename', HTMLButtonElement);
    private readonly removeButton = element('file-remove', HTMLButtonElement);
    private readonly dialog = element('name-dialog', HTMLDialogElement);
    private readonly nameInput = element('name-input', HTMLInputElement);
    private readonly nameError = element('name-error', HTMLElement);
    private renames = -1;

    constructor(
        private readonly editor: Editor,
        private readonly onShown: (path: string, isProgram: boolean) => void,
        private readonly onChange: () => void,
    ) {
        element('file-add', HTMLButtonElement).addEventListener('click', () => this.ask(-1));
        this.renameButton.addEventListener('click', () => this.ask(this.shown));
        this.removeButton.addEventListener('click', () => this.remove());
        element('name-form', HTMLFormElement).addEventListener('submit', (event) => {
            event.preventDefault();
            this.answer();
        });
        element('name-cancel', HTMLButtonElement).addEventListener('click', () => this.dialog.close());
        this.tabs.addEventListener('keydown', (event) => this.onKey(event));
    }

    get all(): SourceFile[] {
        this.keepShown();
        return this.list.map((file) => ({ ...file }));
    }

    set all(files: SourceFile[]) {
        this.list = files.map((file) => ({ ...file }));
        this.shown = 0;
        this.show(0);
    }

    private keepShown(): void {
        this.list[this.shown]!.content = this.editor.text;
    }

    private show(index: number): void {
        this.shown = index;
        const file = this.list[index]!;
        this.editor.open(file.content, file.path);
        this.drawTabs();
        this.onShown(file.path, index === 0);
    }

    private select(index: number): void {
        this.keepShown();
        this.show(index);
    }

    private drawTabs(): void {
        const tabs = this.list.map((file, index) => {
            const tab = document.createElement('button');
            tab.type = 'button';
            tab.role = 'tab';
            tab.id = `tab-${index}`;
            tab.textContent = file.path;
            tab.tabIndex = index === this.shown ? 0 : -1;
            tab.setAttribute('aria-selected', String(index === this.shown));
            tab.setAttribute('aria-controls', 'editor');
            tab.addEventListener('click', () => {
                this.select(index);
                this.editor.focus();
            });
            return tab;
        });
        this.tabs.replaceChildren(...tabs);
        this.panel.setAttribute('aria-labelledby', `tab-${this.shown}`);
        this.renameButton.hidden = this.removeButton.hidden = this.shown === 0;
    }

    private onKey(event: KeyboardEvent): void {
        const last = this.list.length - 1;
        const next = { ArrowRight: this.shown + 1, ArrowLeft: this.shown - 1, Home: 0, End: last }[event.key];
        if (event.key === 'Delete' && this.shown > 0) this.remove();
        else if (event.key === 'F2' && this.shown > 0) this.ask(this.shown);
        else if (next === undefined) return;
        else {
            this.select((next + this.list.length) % this.list.length);
            this.tabs.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
        }
        event.preventDefault();
    }

    private ask(renames: number): void {
        this.renames = renames;
        this.nameInput.value = renames < 0 ? '' : this.list[renames]!.path;
        this.nameError.textContent = '';
        this.dialog.showModal();
        this.nameInput.select();
    }

    private answer(): void {
        const path = this.nameInput.value.trim();
        const taken = this.list.some((file, index) => file.path === path && index !== this.renames);
        if (taken) this.nameError.textContent = 'There is a file of that name.';
        else if (!PATH.test(path)) this.nameError.textContent = 'Letters, digits, blanks and . _ - + @ / only, up to 100.';
        else if (this.renames < 0 && this.list.length >= FILES_MAX) this.nameError.textContent = 'These are enough files.';
        else {
            this.dialog.close();
            this.keepShown();
            if (this.renames < 0) this.list.push({ path, content: '' });
            else this.list[this.renames]!.path = path;
            this.show(this.renames < 0 ? this.list.length - 1 : this.renames);
            this.onChange();
            this.editor.focus();
        }
    }

    private remove(): void {
        const file = this.list[this.shown]!;
        this.keepShown();
        if (file.content && !confirm(`Remove ${file.path}?`)) return;
        this.list.splice(this.shown, 1);
        this.show(this.shown - 1);
        this.onChange();
        this.tabs.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
    }
}
