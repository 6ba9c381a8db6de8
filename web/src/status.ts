// SPDX-License-Identifier: MIT
// What the run is doing now, and how it ended.
import type { EndEvent, RunState } from './api.js';
import { element } from './page.js';
import { verdictFacts, verdictMood, verdictTitle, type Mood } from './verdict.js';

const states: Record<RunState, string> = {
    queued: 'Waiting for its turn…',
    preparing: 'Preparing…',
    compiling: 'Compiling…',
    running: 'Running',
    waiting: 'Waiting for your input',
    finished: 'Finishing…',
};

export class Status {
    private readonly box = element('end', HTMLElement);
    private readonly title = element('end-title', HTMLElement);
    private readonly reason = element('end-reason', HTMLElement);
    private readonly facts = element('end-facts', HTMLElement);
    private state: RunState | null = null;

    say(text: string, mood: Mood = 'plain'): void {
        this.box.dataset['mood'] = mood;
        this.title.textContent = text;
        this.reason.textContent = '';
        this.facts.replaceChildren();
    }

    showState(state: RunState): void {
        this.state = state;
        this.say(Object.hasOwn(states, state) ? states[state] : state);
    }

    /* Only of a run that still waits: the answer may come late. */
    showPlace(place: string): void {
        if (this.state === 'queued' && this.reason.textContent !== place) this.reason.textContent = place;
    }

    showConnection(state: 'open' | 'reconnecting'): void {
        if (state === 'reconnecting') this.say('Trying to reach the server again…', 'bad');
        else if (this.state) this.showState(this.state);
    }

    showEnd(end: EndEvent): void {
        this.state = null;
        this.say(verdictTitle(end.verdict), verdictMood(end.verdict));
        this.reason.textContent = end.reason ?? '';
        for (const [name, value] of verdictFacts(end)) {
            const group = document.createElement('div');
            const term = document.createElement('dt');
            const text = document.createElement('dd');
            term.textContent = name;
            text.textContent = value;
            group.append(term, text);
            this.facts.append(group);
        }
    }

    showLost(): void {
        this.state = null;
        this.say(verdictTitle('lost'), 'bad');
        this.reason.textContent = 'The server no longer has this run, or cannot be reached.';
    }
}
