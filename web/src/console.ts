// SPDX-License-Identifier: MIT
// The right side: what the program prints and the visitor types, as a terminal
// or as plain text over pipes.
import { OutputRecord, PlainView, type OutputKind } from './output.js';
import { copyText, downloadText, element, notify } from './page.js';
import type { Terminal } from './terminal.js';

export interface ConsoleHandlers {
    typed(data: string): void;
    endOfInput(): void;
    interrupt(): void;
    resized(columns: number, rows: number): void;
}

export class Console {
    private readonly record = new OutputRecord();
    private readonly box = element('plain', HTMLElement);
    private readonly plain = new PlainView(this.box);
    private readonly host = element('terminal', HTMLElement);
    private readonly reply = element('reply', HTMLFormElement);
    private readonly line = element('reply-line', HTMLTextAreaElement);
    private readonly controls = element('reply-controls', HTMLFieldSetElement);
    private terminal: Terminal | null = null;
    private startedAt = 0;

    constructor(
        private readonly isDark: () => boolean,
        private readonly handlers: ConsoleHandlers,
    ) {
        this.reply.addEventListener('submit', (event) => {
            event.preventDefault();
            this.sendLine();
        });
        this.line.addEventListener('keydown', (event) => this.onLineKey(event));
        element('eof', HTMLButtonElement).addEventListener('click', () => this.handlers.endOfInput());
        element('output-copy', HTMLButtonElement).addEventListener('click', () => void this.copy());
        element('output-clear', HTMLButtonElement).addEventListener('click', () => this.clear());
        element('output-download', HTMLButtonElement).addEventListener('click', () => this.download());
    }

    /* For the next run; the size of its terminal, when it has one. */
    async prepare(inTerminal: boolean): Promise<{ columns: number; rows: number } | null> {
        const loaded = inTerminal ? await import('./terminal.js') : null;
        this.terminal?.dispose();
        this.terminal = null;
        this.host.hidden = !inTerminal;
        this.box.hidden = inTerminal;
        this.reply.dataset['mode'] = inTerminal ? 'terminal' : 'plain';
        if (!loaded) return null;
        this.terminal = new loaded.Terminal(this.host, this.isDark(), {
            typed: (data) => this.handlers.typed(data),
            resized: (columns, rows) => this.handlers.resized(columns, rows),
        });
        return { columns: this.terminal.columns, rows: this.terminal.rows };
    }

    begin(): void {
        this.clear();
        this.box.dataset['ran'] = '';
        this.startedAt = performance.now();
        this.terminal?.begin();
        this.controls.disabled = false;
        this.focus();
    }

    end(): void {
        this.plain.flush();
        this.terminal?.end();
        this.closeInput();
    }

    /* Output goes on; the program is told that no more input comes. */
    closeInput(): void {
        const hadFocus = this.controls.contains(document.activeElement);
        this.controls.disabled = true;
        this.line.value = '';
        if (hadFocus) this.focus();
    }

    /* At phone width it lies below the editor. */
    reveal(): void {
        element('output', HTMLElement).scrollIntoView({ block: 'nearest' });
    }

    focus(): void {
        if (this.terminal) this.terminal.focus();
        else if (this.controls.disabled) this.box.focus();
        else this.line.focus();
    }

    print(kind: OutputKind, t: number, text: string): void {
        this.record.add(t, kind, text);
        if (!this.terminal) this.plain.add(kind, text);
        else if (kind === 'stdout') this.terminal.write(text);
        else this.terminal.writeLines(text);
    }

    /* Over pipes nobody else shows what was typed; a terminal does so itself. */
    echo(text: string): void {
        if (!this.terminal) this.print('sent', performance.now() - this.startedAt, text);
    }

    setDark(dark: boolean): void {
        this.terminal?.setDark(dark);
    }

    private sendLine(): void {
        if (this.controls.disabled) return;
        const text = `${this.line.value}\n`;
        this.line.value = '';
        this.echo(text);
        this.handlers.typed(text);
    }

    private onLineKey(event: KeyboardEvent): void {
        if (event.isComposing) return;
        const letter = event.ctrlKey && !event.shiftKey && !event.altKey ? event.key.toLowerCase() : '';
        const selected = this.line.selectionStart !== this.line.selectionEnd;
        if (event.key === 'Enter' && !event.shiftKey && !event.ctrlKey && !event.metaKey) this.sendLine();
        else if (letter === 'd' && this.line.value === '') this.handlers.endOfInput();
        else if (letter === 'c' && !selected) this.handlers.interrupt();
        else return;
        event.preventDefault();
    }

    private clear(): void {
        delete this.box.dataset['ran'];
        this.record.clear();
        this.plain.clear();
        this.terminal?.clear();
    }

    private async copy(): Promise<void> {
        const copied = await copyText(this.terminal?.text() ?? this.record.plain());
        notify(copied ? 'Output copied.' : 'The browser did not let the page copy.', copied ? 'info' : 'bad');
    }

    private download(): void {
        if (this.record.isEmpty) notify('There is no output yet.');
        else downloadText(`output-${new Date().toISOString().replace(/[:.]/g, '-')}.txt`, this.record.timed());
    }
}
