// SPDX-License-Identifier: MIT
// xterm.js: what a program that has a terminal draws, and the keys it gets.
//
// A terminal answers questions that a program prints (who are you, where is the
// cursor, what is your title). Those answers would come out of the page as if
// somebody had typed them, in this run or, when they arrive late, in the next
// one. So nothing that xterm.js has to say reaches a run unless it says itself,
// right before, that a person caused it; and of that, reports of the mouse are
// dropped. When xterm.js no longer says so, no key would pass: the tests notice.
import { FitAddon } from '@xterm/addon-fit';
import { Terminal as Xterm, type ITheme } from '@xterm/xterm';
import { allowStylesOfXterm } from './strict_styles.js';

allowStylesOfXterm();

const SCROLLBACK_LINES = 10_000;
/* Characters that xterm.js has not drawn yet; far more, and it gives up. */
const UNDRAWN_MAX = 8 * 1024 * 1024;
/* Of what is skipped meanwhile, the end: about what the scrollback holds. */
const TAIL_MAX = 512 * 1024;
/* Ends a control sequence that was cut in two, and what one before it has set. */
const ANEW = '\x18\x1b[m';
/* What xterm.js does one by one, as often as a program asks: lines, tabs and the last character
 * again. No screen has more of them, and the page would hang. */
const REPEATED = ['I', 'L', 'M', 'S', 'T', 'Z', 'b'];
const REPEATED_MAX = 1000;
const MOUSE_REPORT = /^\x1b\[(?:M|<[\d;]+[Mm]$|[\d;]+M$)/;

const DARK: ITheme = {
    background: '#12181b', foreground: '#e3e9eb', cursor: '#e3e9eb', selectionBackground: '#2f5560',
    black: '#3b464b', red: '#ff8a80', green: '#8bd49c', yellow: '#e8c46a',
    blue: '#82b6ff', magenta: '#d7a3f0', cyan: '#6fd3d3', white: '#d5dde0',
    brightBlack: '#8b999f', brightRed: '#ffb0a8', brightGreen: '#aee6ba', brightYellow: '#f4d98f',
    brightBlue: '#a9cdff', brightMagenta: '#e6c2f8', brightCyan: '#9be6e6', brightWhite: '#ffffff',
};

const LIGHT: ITheme = {
    background: '#ffffff', foreground: '#1b2326', cursor: '#1b2326', selectionBackground: '#bfe0e0',
    black: '#1b2326', red: '#b3261e', green: '#1f6f3a', yellow: '#7a5900',
    blue: '#1a56b0', magenta: '#8226a6', cyan: '#0b6e6e', white: '#5d6b70',
    brightBlack: '#5d6b70', brightRed: '#8f1d17', brightGreen: '#17552c', brightYellow: '#5c4300',
    brightBlue: '#123f82', brightMagenta: '#611c7c', brightCyan: '#085252', brightWhite: '#3d494e',
};

interface SaysWhoCausedIt {
    _core: { coreService: { onUserInput(listener: () => void): unknown } };
}

export interface TerminalHandlers {
    typed(data: string): void;
    resized(columns: number, rows: number): void;
}

/* One for each run: nothing that an earlier one has set, or still has to print,
 * reaches a later one. */
export class Terminal {
    private readonly xterm: Xterm;
    private readonly fitting = new FitAddon();
    private listening = false;
    private byPerson = false;
    private undrawn = 0;
    private skipped = 0;
    private tail = '';
    private readonly watch = new ResizeObserver(() => this.fit());

    constructor(
        private readonly host: HTMLElement,
        dark: boolean,
        private readonly handlers: TerminalHandlers,
    ) {
        this.xterm = new Xterm({
            fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
            fontSize: 14,
            scrollback: SCROLLBACK_LINES,
            theme: dark ? DARK : LIGHT,
            minimumContrastRatio: 4.5,
            /* It would keep a whole line to be read out, however long a program makes
             * it, and the browser hangs; who listens has the plain view, a log. */
            screenReaderMode: false,
            disableStdin: true,
            altClickMovesCursor: false,
            /* A program names its links' addresses; the page follows none. */
            linkHandler: { activate: () => undefined },
        });
        this.xterm.loadAddon(this.fitting);
        this.xterm.open(host);
        this.passTyping();
        for (const final of REPEATED)
            this.xterm.parser.registerCsiHandler({ final }, ([count]) => Number(count) > REPEATED_MAX);
        this.xterm.attachCustomKeyEventHandler((event) => this.takesKey(event));
        /* Elsewhere the wheel would become cursor keys. */
        this.xterm.attachCustomWheelEventHandler(() => this.xterm.buffer.active.type === 'normal');
        this.xterm.onResize(({ cols, rows }) => this.handlers.resized(cols, rows));
        this.fit();
        this.watch.observe(host);
    }

    get columns(): number {
        return this.xterm.cols;
    }

    get rows(): number {
        return this.xterm.rows;
    }

    write(data: string): void {
        if (this.undrawn > UNDRAWN_MAX || this.skipped > 0) this.skip(data);
        else this.draw(data);
    }

    private draw(text: string): void {
        this.undrawn += text.length;
        this.xterm.write(text, () => {
            this.undrawn -= text.length;
            if (this.undrawn === 0) this.drawTail();
        });
    }

    private skip(data: string): void {
        this.skipped += data.length;
        this.tail += data;
        if (this.tail.length > 2 * TAIL_MAX) this.tail = this.tail.slice(-TAIL_MAX);
    }

    /* From the beginning of a line, if there is one. */
    private drawTail(): void {
        if (this.skipped === 0) return;
        const last = this.tail.slice(-TAIL_MAX);
        const shown = this.skipped > last.length ? last.slice(last.indexOf('\n') + 1) : last;
        const lost = this.skipped - shown.length;
        this.skipped = 0;
        this.tail = '';
        this.draw(lost > 0 ? `${ANEW}\r\n[${lost} characters are not shown]\r\n${shown}` : shown);
    }

    /* Text that no terminal has passed on: its lines end in a bare newline. */
    writeLines(data: string): void {
        this.write(data.replace(/\r?\n/g, '\r\n'));
    }

    /* All lines that are kept, as they are seen. */
    text(): string {
        const buffer = this.xterm.buffer.active;
        let text = '';
        for (let row = 0; row < buffer.length; row++) {
            const line = buffer.getLine(row);
            if (row > 0 && !line?.isWrapped) text += '\n';
            text += line?.translateToString(true) ?? '';
        }
        return `${text.trimEnd()}\n`;
    }

    begin(): void {
        this.setListening(true);
    }

    dispose(): void {
        this.setListening(false);
        this.watch.disconnect();
        this.skipped = 0;
        /* A button that is still held leaves xterm.js listening to the whole document. */
        this.xterm.reset();
        this.xterm.dispose();
    }

    end(): void {
        this.drawTail();
        this.setListening(false);
    }

    clear(): void {
        this.xterm.clear();
    }

    focus(): void {
        this.xterm.focus();
    }

    fit(): void {
        if (this.host.clientWidth > 0) this.fitting.fit();
    }

    setDark(dark: boolean): void {
        this.xterm.options.theme = dark ? DARK : LIGHT;
    }

    private setListening(listening: boolean): void {
        this.listening = listening;
        this.byPerson = false;
        this.xterm.options.disableStdin = !listening;
        this.xterm.options.cursorBlink = listening;
    }

    private passTyping(): void {
        const { coreService } = (this.xterm as unknown as SaysWhoCausedIt)._core;
        coreService.onUserInput(() => {
            this.byPerson = true;
        });
        this.xterm.onData((data) => {
            const pass = this.byPerson && this.listening && !MOUSE_REPORT.test(data);
            this.byPerson = false;
            if (pass) this.handlers.typed(data);
        });
    }

    /* False: the browser's. Without a run Tab goes on its way; Ctrl+C copies what
     * is selected, and else interrupts. */
    private takesKey(event: KeyboardEvent): boolean {
        if (!this.listening) return false;
        const letter = event.ctrlKey && !event.altKey ? event.key.toLowerCase() : '';
        return letter !== 'v' && !(letter === 'c' && this.xterm.hasSelection());
    }
}
