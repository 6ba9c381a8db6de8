// SPDX-License-Identifier: MIT
// A run's output as it came, again: at its own pace, faster, or up to a moment
// that is picked. Control characters are shown and do nothing, as in plain view.
import { make } from './dom.js';
import type { RunEvent, StateEvent } from './api.js';
import { Newest, PlainView, type OutputKind } from './output.js';
import { duration } from './verdict.js';

const SPEEDS = [1, 2, 5, 10, 20];
const FRAME_MS = 50;

const states: Record<string, string> = {
    queued: 'waiting for its turn', preparing: 'being prepared', compiling: 'compiling', running: 'running',
    waiting: 'waiting for input', finished: 'finished',
};

interface Shown {
    kind: OutputKind;
    text: string;
}

function shownOf(event: RunEvent): Shown | null {
    switch (event.type) {
        case 'stdout':
        case 'stderr':
        case 'notice':
            return { kind: event.type, text: event.data };
        case 'gap':
            return { kind: 'gap', text: `\n[${event.lost_bytes || 'some'} bytes of output were lost here]\n` };
        default:
            return null;
    }
}

export class Replay {
    readonly element: HTMLElement;
    private readonly screen = make('pre', { class: 'output-text', tabindex: 0, 'aria-label': 'Output of the run' });
    private readonly view = new PlainView(this.screen);
    private readonly play = make('button', { type: 'button', class: 'replay-play', disabled: true }, 'Play');
    private readonly speed = make('select', { 'aria-label': 'Speed' },
        ...SPEEDS.map((speed) => make('option', { value: speed }, `${speed}×`)));
    private readonly scrubber = make('input', {
        type: 'range', min: 0, max: 0, step: 1, value: 0, 'aria-label': 'Moment of the run', disabled: true,
    });
    private readonly clock = make('output', { class: 'replay-clock' });
    private readonly kept = new Newest<RunEvent>((event) => shownOf(event)?.text.length ?? 0);
    private next = 0; /* of those that are kept, the first that is not shown */
    private at = 0; /* milliseconds of the run */
    private length = 0;
    private timer = 0;
    private ticked = 0;
    private isOver = false;
    private state = '';
    private attempt = '';

    constructor() {
        const controls = make('div', { class: 'tools replay-controls' }, this.play, this.speed, this.scrubber, this.clock);
        this.element = make('div', { class: 'replay' }, controls, this.screen);
        this.play.addEventListener('click', () => (this.timer ? this.pause() : this.start()));
        this.scrubber.addEventListener('input', () => {
            this.pause();
            this.show(Number(this.scrubber.value));
        });
        this.tell();
    }

    /* The newest moment is shown as it comes, until it is over. */
    add(event: RunEvent): void {
        const forgot = this.kept.add(event);
        this.next = Math.max(0, this.next - forgot);
        this.length = Math.max(this.length, event.t);
        this.scrubber.max = String(this.length);
        if (event.type === 'end') {
            this.isOver = true;
            this.play.disabled = this.scrubber.disabled = false;
            if (this.isEmpty) this.screen.dataset['ran'] = '';
        }
        if (!this.timer) this.show(this.length);
    }

    private get isEmpty(): boolean {
        return !this.kept.forgot && !this.kept.entries.some((event) => shownOf(event));
    }

    close(): void {
        this.pause();
    }

    private start(): void {
        if (this.at >= this.length) this.show(0);
        this.ticked = performance.now();
        this.timer = window.setInterval(() => this.tick(), FRAME_MS);
        this.play.textContent = 'Pause';
    }

    private pause(): void {
        clearInterval(this.timer);
        this.timer = 0;
        this.play.textContent = 'Play';
    }

    private tick(): void {
        const now = performance.now();
        const at = this.at + (now - this.ticked) * Number(this.speed.value);
        this.ticked = now;
        this.show(Math.min(at, this.length));
        if (this.at >= this.length) this.pause();
    }

    private show(at: number): void {
        if (at < this.at) {
            this.view.clear();
            this.next = 0;
            this.state = this.attempt = '';
            if (this.kept.forgot) this.view.add('gap', '[what came first was not kept]\n');
        }
        this.at = at;
        const { entries } = this.kept;
        for (; this.next < entries.length && entries[this.next]!.t <= at; this.next++) {
            const event = entries[this.next]!;
            const shown = shownOf(event);
            if (shown) this.view.add(shown.kind, shown.text);
            if (event.type === 'state') this.take(event);
        }
        this.tell();
    }

    private take({ state, attempt }: StateEvent): void {
        this.state = states[state] ?? state;
        if (attempt === undefined) return;
        this.attempt = `, attempt ${attempt}`;
        this.view.clear();
    }

    private tell(): void {
        const text = `${duration(this.at)} of ${duration(this.length)}${this.isOver ? '' : ', and it goes on'}`;
        this.scrubber.value = String(Math.round(this.at));
        this.scrubber.setAttribute('aria-valuetext', text);
        this.clock.textContent = this.state ? `${text} – ${this.state}${this.attempt}` : text;
    }
}
