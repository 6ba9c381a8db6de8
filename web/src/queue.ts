// SPDX-License-Identifier: MIT
// Looks now and then where a run stands that waits for its turn. Most runs do not
// wait, so the first look is late.
import { fetchPlace } from './api.js';
import { placeInWords } from './verdict.js';

const LOOK_AFTER_MS = 500;
const LOOK_AGAIN_MS = 2000;

export class QueueWatch {
    private timer = window.setTimeout(() => void this.look(), LOOK_AFTER_MS);
    private closed = false;

    constructor(
        private readonly id: string,
        private readonly onPlace: (text: string) => void,
    ) {}

    close(): void {
        this.closed = true;
        clearTimeout(this.timer);
    }

    private async look(): Promise<void> {
        let text = '';
        try {
            text = placeInWords(await fetchPlace(this.id));
        } catch {
            /* the stream tells what became of the run */
        }
        if (this.closed) return;
        if (text) this.onPlace(text);
        this.timer = window.setTimeout(() => void this.look(), LOOK_AGAIN_MS);
    }
}
