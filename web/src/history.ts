// SPDX-License-Identifier: MIT
// The runs of this browser: what was run and how it ended. It never leaves it.
import { readSetup, type Setup } from './setup.js';
import { load, save } from './store.js';

export interface PastRun {
    when: number;
    setup: Setup;
    verdict: string;
    wallMs: number | null;
}

const NAME = 'history';
const RUNS_MAX = 50;
/* Browsers give a site about 5 MiB in all. */
const CHARS_MAX = 1_500_000;

function readPastRun(value: unknown): PastRun | null {
    if (typeof value !== 'object' || value === null) return null;
    const { when, setup, verdict, wallMs } = value as Record<string, unknown>;
    const read = readSetup(setup);
    if (typeof when !== 'number' || typeof verdict !== 'string' || !read) return null;
    return { when, setup: read, verdict, wallMs: typeof wallMs === 'number' ? wallMs : null };
}

/* Newest first. */
export function pastRuns(): PastRun[] {
    const kept = load(NAME);
    if (!Array.isArray(kept)) return [];
    return kept.map(readPastRun).filter((run) => run !== null);
}

export function remember(run: PastRun): void {
    const runs = [run, ...pastRuns()].slice(0, RUNS_MAX);
    while (runs.length > 1 && JSON.stringify(runs).length > CHARS_MAX) runs.pop();
    while (runs.length > 0 && !save(NAME, runs)) runs.pop();
}

export function forgetAll(): void {
    save(NAME, []);
}
