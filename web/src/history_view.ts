// SPDX-License-Identifier: MIT
// The list of past runs, and the way back to one of them.
import { forgetAll, pastRuns, type PastRun } from './history.js';
import { element } from './page.js';
import type { Setup } from './setup.js';
import { duration, verdictMood, verdictTitle } from './verdict.js';

export class HistoryView {
    private readonly dialog = element('history-dialog', HTMLDialogElement);
    private readonly list = element('history-list', HTMLOListElement);
    private readonly forget = element('history-forget', HTMLButtonElement);

    constructor(
        private readonly titleOf: (language: string) => string,
        private readonly onPick: (setup: Setup) => void,
    ) {
        element('history', HTMLButtonElement).addEventListener('click', () => this.open());
        element('history-close', HTMLButtonElement).addEventListener('click', () => this.dialog.close());
        this.forget.addEventListener('click', () => {
            forgetAll();
            this.draw();
        });
    }

    private open(): void {
        this.draw();
        this.dialog.showModal();
    }

    private draw(): void {
        const runs = pastRuns();
        this.list.replaceChildren(...runs.map((run) => this.item(run)));
        this.list.hidden = this.forget.hidden = runs.length === 0;
        element('history-empty', HTMLElement).hidden = runs.length > 0;
    }

    private item(run: PastRun): HTMLLIElement {
        const item = document.createElement('li');
        const button = document.createElement('button');
        const parts: [string, string][] = [
            ['history-title', `${this.titleOf(run.setup.language)} – ${verdictTitle(run.verdict)}`],
            ['history-when', `${new Date(run.when).toLocaleString()}${run.wallMs === null ? '' : `, ${duration(run.wallMs)}`}`],
            ['history-code', run.setup.files[0]!.content.trimStart().slice(0, 120)],
        ];
        for (const [name, text] of parts) {
            const span = document.createElement('span');
            span.className = name;
            span.textContent = text;
            button.append(span);
        }
        button.type = 'button';
        button.dataset['mood'] = verdictMood(run.verdict);
        button.addEventListener('click', () => {
            this.dialog.close();
            this.onPick(run.setup);
        });
        item.append(button);
        return item;
    }
}
