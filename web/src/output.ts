// SPDX-License-Identifier: MIT
// What a run printed: kept with its times for the download, and shown as plain
// text. A program's bytes become text nodes and nothing else; control
// characters are shown as their pictures, so that none of them acts.

export type OutputKind = 'stdout' | 'stderr' | 'notice' | 'sent' | 'gap';

/* The newest of what a run has said, whatever it says. */
export class Newest<T> {
    readonly entries: T[] = [];
    forgot = false;
    private size = 0;

    constructor(private readonly charactersOf: (entry: T) => number) {}

    /* How many of the oldest went: many at once, for it moves all that stay. */
    add(entry: T): number {
        this.entries.push(entry);
        this.size += this.charactersOf(entry) + ENTRY_COST;
        if (this.size <= KEPT_MAX) return 0;
        let drop = 0;
        while (this.size > KEPT_MAX / 2 && drop < this.entries.length - 1)
            this.size -= this.charactersOf(this.entries[drop++]!) + ENTRY_COST;
        this.entries.splice(0, drop);
        this.forgot = true;
        return drop;
    }
}

interface Entry {
    t: number;
    kind: OutputKind;
    text: string;
}

/* Characters. Over these, the oldest go. */
const KEPT_MAX = 16 * 1024 * 1024;
/* What an entry costs besides its text. */
const ENTRY_COST = 64;
const SHOWN_MAX = 1024 * 1024;
/* A hidden tab draws no frames. */
const DRAW_LATEST_MS = 250;
/* Of one block. What is added makes the browser lay out its whole block anew, so
 * there are many; a line's end divides them, or else this many characters. */
const BLOCK_AIM = 4 * 1024;
const BLOCK_MAX = 64 * 1024;
const UNSEEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;

function visible(text: string): string {
    return text
        .replace(/\r\n/g, '\n')
        .replace(UNSEEN, (char) => (char === '\x7f' ? '\u2421' : String.fromCharCode(0x2400 + char.charCodeAt(0))));
}

const lengthOf = ({ text }: Entry): number => text.length;

export class OutputRecord {
    private kept = new Newest(lengthOf);

    get isEmpty(): boolean {
        return this.kept.entries.length === 0;
    }

    add(t: number, kind: OutputKind, text: string): void {
        this.kept.add({ t, kind, text });
    }

    clear(): void {
        this.kept = new Newest(lengthOf);
    }

    /* Both streams of the program, nothing of ours. Whatever this is pasted into
     * finds no control character in it. */
    plain(): string {
        return visible(
            this.kept.entries
                .filter(({ kind }) => kind === 'stdout' || kind === 'stderr')
                .map(({ text }) => text)
                .join(''),
        );
    }

    /* One line each: seconds since the run was asked for, stream, text. */
    timed(): string {
        const lines = this.kept.forgot ? ['(earlier output was not kept)'] : [];
        for (const { t, kind, text } of this.kept.entries) {
            const stamp = `${(t / 1000).toFixed(3).padStart(9)} ${kind.padEnd(6)} `;
            const rows = visible(text).replace(/\n$/, '').split('\n');
            for (const row of rows) lines.push(stamp + row);
        }
        return `${lines.join('\n')}\n`;
    }
}

export class PlainView {
    private pending: { kind: OutputKind; text: string }[] = [];
    private shown = 0;
    private frame = 0;
    private timer = 0;
    private block: HTMLElement | null = null;
    private blockSize = 0;
    private atLineStart = true;
    private last: { kind: OutputKind; node: Text } | null = null;

    constructor(private readonly box: HTMLElement) {}

    /* Drawn with the next frame, however many pieces come before it. */
    add(kind: OutputKind, text: string): void {
        this.pending.push({ kind, text });
        if (this.frame) return;
        this.frame = requestAnimationFrame(() => this.draw());
        this.timer = window.setTimeout(() => this.draw(), DRAW_LATEST_MS);
    }

    /* Everything is on the page before the verdict is. */
    flush(): void {
        if (this.frame) this.draw();
    }

    clear(): void {
        this.pending = [];
        this.block = this.last = null;
        this.shown = 0;
        this.box.replaceChildren();
    }

    private draw(): void {
        cancelAnimationFrame(this.frame);
        clearTimeout(this.timer);
        this.frame = 0;
        const follows = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 24;
        let budget = SHOWN_MAX;
        let from = this.pending.length;
        while (from > 0 && budget > 0) budget -= this.pending[--from]!.text.length;
        for (const { kind, text } of this.pending.splice(0).slice(from)) this.append(kind, visible(text));
        this.trim();
        if (follows) this.box.scrollTop = this.box.scrollHeight;
    }

    private append(kind: OutputKind, text: string): void {
        for (let at = 0; at < text.length; ) {
            if (!this.block || this.blockSize >= BLOCK_MAX || (this.blockSize >= BLOCK_AIM && this.atLineStart)) this.begin();
            const room = Math.max(BLOCK_AIM - this.blockSize, 1);
            const newline = text.indexOf('\n', at + room - 1);
            const end = Math.min(newline < 0 ? text.length : newline + 1, at + BLOCK_MAX);
            this.put(kind, text.slice(at, end));
            at = end;
        }
    }

    private begin(): void {
        this.block = document.createElement('div');
        this.box.append(this.block);
        this.blockSize = 0;
        this.last = null;
    }

    private put(kind: OutputKind, piece: string): void {
        this.shown += piece.length;
        this.blockSize += piece.length;
        this.atLineStart = piece.endsWith('\n');
        if (this.last?.kind === kind) {
            this.last.node.appendData(piece);
            return;
        }
        const node = document.createTextNode(piece);
        const span = document.createElement('span');
        span.className = kind;
        span.append(node);
        this.block!.append(span);
        this.last = { kind, node };
    }

    private trim(): void {
        while (this.shown > SHOWN_MAX && this.box.childElementCount > 1) {
            const oldest = this.box.firstElementChild!;
            this.shown -= oldest.textContent?.length ?? 0;
            oldest.remove();
        }
    }
}
