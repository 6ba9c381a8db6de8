// SPDX-License-Identifier: MIT
// What the service is doing and did in the last hour: figures and pictures.
import { fetchStats, type Quantiles, type Stats } from './admin_api.js';
import { workersTable } from './admin_workers.js';
import { Chart } from './chart.js';
import { facts, make, row, table } from './dom.js';
import { notifyTrouble, troubleIsOver } from './page.js';
import { bytes, duration, verdictTitle } from './verdict.js';

const LOOK_AGAIN_MS = 5000;
const HOUR_MS = 3_600_000;

function span(seconds: number): string {
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
    return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

/* Said when anything but what is usual waits. */
function byPriority({ queued_by_priority }: Stats): string {
    const waiting = Object.entries(queued_by_priority ?? {}).filter(([, runs]) => runs > 0);
    if (waiting.every(([name]) => name === 'normal')) return '';
    return ` (${waiting.map(([name, runs]) => `${runs} ${name}`).join(', ')})`;
}

const count = (value: number): string => String(Math.round(value));

function shares(name: string, counts: Record<string, number>, titleOf: (name: string) => string): HTMLElement {
    const rows = Object.entries(counts).sort(([, one], [, other]) => other - one);
    const all = rows.reduce((sum, [, value]) => sum + value, 0);
    if (rows.length === 0) return make('p', { class: 'hint' }, 'No run has ended yet.');
    return table(name, [name, 'Runs', 'Share'], rows.map(([word, value]) =>
        row(titleOf(word), String(value), make('meter', {
            min: 0, max: all, value, 'aria-label': `${titleOf(word)}: ${Math.round((value / all) * 100)} %`,
        }))));
}

function latencies({ latency }: Stats): HTMLElement {
    const cells = (name: string, quantiles: Quantiles | null): HTMLTableRowElement =>
        row(name, ...(['p50', 'p95', 'p99'] as const).map((rank) => (quantiles ? duration(quantiles[rank]) : '–')));
    return table('Latency', ['', 'Half', '95 %', '99 %'],
        [cells('Waited in the queue', latency.queued_ms), cells('Ran', latency.wall_ms)]);
}

export class ServiceView {
    readonly element: HTMLElement;
    private readonly now = make('div', { class: 'tiles' });
    private readonly workers = make('div');
    private readonly load = new Chart('Runs at once', count, 4);
    private readonly time = new Chart('Run time of half, and of 95 %', duration, 100);
    private readonly rate = new Chart('Runs that ended, each 10 s', count, 4);
    private readonly tables = make('div', { class: 'columns' });
    private timer = 0;
    private closed = false;

    constructor() {
        this.element = make('section', {}, make('h2', {}, 'Service'), this.now, this.workers,
            make('div', { class: 'columns' }, this.load.element, this.rate.element, this.time.element), this.tables);
        void this.look();
    }

    close(): void {
        this.closed = true;
        clearTimeout(this.timer);
    }

    private async look(): Promise<void> {
        if (document.visibilityState === 'visible') {
            try {
                const stats = await fetchStats();
                troubleIsOver();
                if (!this.closed) this.draw(stats);
            } catch (error) {
                if (!this.closed) notifyTrouble(error);
            }
        }
        if (!this.closed) this.timer = window.setTimeout(() => void this.look(), LOOK_AGAIN_MS);
    }

    private draw(stats: Stats): void {
        const { store, history } = stats;
        this.now.replaceChildren(facts([
            ['Running', `${stats.running} of ${stats.slots}`],
            ['Queued', `${stats.queued} of ${stats.queue_length}${byPriority(stats)}`],
            ['Ended', `${stats.ended.total} in ${span(stats.uptime_s)}`],
            ['Stored', `${store.runs} runs, ${store.files} files, ${bytes(store.bytes)}`],
            ['Free on the disk', bytes(store.free_bytes)],
            ['Isolation', stats.isolation],
            ['Version', stats.version],
        ]));
        const stepMs = history.step_ms;
        const axis = { times: history.points.map(({ t }) => t), stepMs, steps: Math.max(history.points.length, HOUR_MS / stepMs) };
        const line = (name: string, pick: (point: (typeof history.points)[number]) => number | null) =>
            ({ name, values: history.points.map(pick) });
        this.load.set({ ...axis, lines: [line('Running', ({ running }) => running), line('Queued', ({ queued }) => queued)] });
        this.rate.set({ ...axis, lines: [line('Ended', ({ ended }) => ended)] });
        this.time.set({
            ...axis,
            lines: [line('Half', ({ p50_wall_ms }) => p50_wall_ms), line('95 %', ({ p95_wall_ms }) => p95_wall_ms)],
        });
        if (!stats.workers) this.workers.replaceChildren();
        else if (!this.workers.contains(document.activeElement))
            this.workers.replaceChildren(make('h3', {}, 'Workers'), workersTable(stats.workers));
        if (this.tables.contains(document.activeElement)) return;
        const part = (title: string, content: HTMLElement): HTMLElement => make('div', {}, make('h3', {}, title), content);
        this.tables.replaceChildren(
            part(`Latency of the last ${stats.latency.runs} runs`, latencies(stats)),
            part('How they ended', shares('Verdict', stats.ended.verdicts, verdictTitle)),
            part('In which language', shares('Language', stats.ended.languages, (name) => name)),
        );
    }
}
