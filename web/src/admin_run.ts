// SPDX-License-Identifier: MIT
// One run: what it was, how its output came, what it used, why it ended, what it
// left behind; and the way to end or forget it.
import { fetchRun, followEvents, forgetRun, type Artifact, type RunRecord } from './admin_api.js';
import { stateOf, unusualPriority } from './admin_runs.js';
import { address, ApiError, cancelRun } from './api.js';
import { button, facts, make, row, table } from './dom.js';
import { notify, notifyTrouble, reasonOf, troubleIsOver } from './page.js';
import { Replay } from './replay.js';
import { bytes, duration, placeInWords, verdictFacts } from './verdict.js';

const LOOK_AGAIN_MS = 2000;

const time = (iso: string | null | undefined): HTMLElement | null =>
    iso ? make('time', { datetime: iso }, new Date(iso).toLocaleString()) : null;

function section(title: string, ...children: (Node | null)[]): HTMLElement {
    return make('section', {}, make('h3', {}, title), ...children);
}

function text(title: string, content: string): HTMLElement {
    return make('div', { class: 'file' }, make('h4', {}, title),
        make('pre', { tabindex: 0, 'aria-label': title, class: 'code-text' }, content));
}

/* Only what a browser fetches: an address may have come through other hands. */
function link(artifact: Artifact): HTMLElement {
    const url = address(artifact.url);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return make('span', {}, artifact.name);
    return make('a', { href: url.href, download: artifact.name.replace(/^.*\//, ''), rel: 'noreferrer' }, artifact.name);
}

export class RunView {
    readonly element: HTMLElement;
    private readonly head = make('div', { class: 'run-head' });
    private readonly body = make('div', { class: 'run-body' });
    private readonly replay = new Replay();
    private readonly output = make('div');
    private stopFollowing: (() => void) | null = null;
    private timer = 0;
    private closed = false;

    constructor(private readonly id: string) {
        this.element = make('section', {}, this.head, this.body);
        void this.look();
    }

    close(): void {
        this.closed = true;
        clearTimeout(this.timer);
        this.stopFollowing?.();
        this.replay.close();
    }

    private async look(): Promise<void> {
        let record: RunRecord;
        try {
            record = await fetchRun(this.id);
        } catch (error) {
            if (!this.closed) this.onFailed(error);
            return;
        }
        troubleIsOver();
        if (this.closed) return;
        const isFirst = this.body.childElementCount === 0;
        this.drawHead(record);
        if (record.verdict || isFirst) this.drawBody(record);
        if (record.verdict) this.follow();
        else if (isFirst) this.output.replaceChildren(button('Follow', () => this.follow()));
        if (!record.verdict) this.timer = window.setTimeout(() => void this.look(), LOOK_AGAIN_MS);
    }

    /* What is shown already stays, while the server cannot be reached. */
    private onFailed(error: unknown): void {
        const isGone = error instanceof ApiError && error.status >= 400 && error.status < 500;
        if (isGone || this.body.childElementCount === 0) this.showMissing(error);
        else notifyTrouble(error);
        if (!isGone) this.timer = window.setTimeout(() => void this.look(), LOOK_AGAIN_MS);
    }

    private showMissing(error: unknown): void {
        const gone = error instanceof ApiError && error.status === 404;
        this.head.replaceChildren(make('h2', {}, gone ? 'There is no such run' : 'The run cannot be shown'),
            make('p', {}, gone ? 'It was forgotten, or it is another key’s.' : reasonOf(error)));
        this.body.replaceChildren();
    }

    /* --- the head: what became of it --- */

    private drawHead(record: RunRecord): void {
        const action = record.verdict
            ? button('Forget', () => void this.forget(), { class: 'halt' })
            : button('Cancel', () => void this.cancel(), { class: 'halt' });
        const hadFocus = this.head.querySelector('.halt') === document.activeElement;
        this.head.replaceChildren(
            make('h2', {}, 'Run ', make('code', {}, record.id)),
            make('p', { class: 'run-end', role: 'status' }, stateOf(record), ' ', record.reason ?? placeInWords(record)),
            facts([
                ['Language', record.language],
                ['Made', time(record.created_at)],
                ...verdictFacts(record),
                ['Queued', typeof record.usage?.queued_ms === 'number' ? duration(record.usage.queued_ms) : null],
                ['Priority', unusualPriority(record) || null],
                ['Attempt', typeof record.attempt === 'number' && record.attempt > 1 ? String(record.attempt) : null],
                ['Worker', record.worker ?? null],
                ['Isolation', record.isolation ?? null],
            ]),
            make('div', { class: 'tools' }, action, make('a', { href: '#/admin' }, 'All runs')),
        );
        if (hadFocus) action.focus();
    }

    private async forget(): Promise<void> {
        if (!confirm('Forget this run, its output and its files for good?')) return;
        if (await this.ask(forgetRun, 'The run is forgotten.')) location.hash = '#/admin';
    }

    private async cancel(): Promise<void> {
        if (await this.ask(cancelRun, 'The run is being stopped.')) void this.look();
    }

    private async ask(request: (id: string) => Promise<void>, done: string): Promise<boolean> {
        try {
            await request(this.id);
        } catch (error) {
            notify(reasonOf(error), 'bad');
            return false;
        }
        notify(done);
        clearTimeout(this.timer);
        return true;
    }

    /* --- the body --- */

    private drawBody(record: RunRecord): void {
        const { limits, limits_hit, metadata } = record;
        const numbers = (all: Record<string, number> | undefined): [string, string][] =>
            Object.entries(all ?? {}).map(([name, value]) => [name, String(value)]);
        const hits = numbers(limits_hit).filter(([, value]) => value !== '0');
        const pairs = Object.entries(metadata ?? {});
        this.body.replaceChildren(
            section('Output', this.output),
            this.code(record),
            ...this.artifacts(record),
            section('Limits', facts(numbers(limits))),
            ...(hits.length > 0 ? [section('Limits that were hit', facts(hits))] : []),
            ...(pairs.length > 0 ? [section('Metadata', facts(pairs))] : []),
        );
    }

    private code({ request, code_sha256 }: RunRecord): HTMLElement {
        const parts: HTMLElement[] = [];
        if (typeof request?.code === 'string') parts.push(text('Program', request.code));
        for (const file of Array.isArray(request?.files) ? request.files : [])
            if (typeof file.content === 'string') parts.push(text(file.path, file.content));
        if (typeof request?.stdin === 'string' && request.stdin) parts.push(text('Standard input', request.stdin));
        const values: [string, string | null][] = [
            ['Arguments', request?.args?.length ? JSON.stringify(request.args) : null],
            ['Environment', request?.env ? JSON.stringify(request.env) : null],
            ['SHA-256', code_sha256 ?? null],
        ];
        if (parts.length === 0) parts.push(make('p', { class: 'hint' }, 'The request was not kept, or is kept when the run has ended.'));
        return section('Code', ...parts, facts(values));
    }

    private artifacts({ artifacts, artifacts_refused, artifacts_unlisted }: RunRecord): HTMLElement[] {
        const sections: HTMLElement[] = [];
        if (artifacts?.length)
            sections.push(section('Artifacts', table('Artifacts', ['Name', 'Size', 'Type', 'SHA-256'], artifacts.map((artifact) =>
                row(link(artifact), bytes(artifact.size), artifact.content_type, make('code', {}, artifact.sha256.slice(0, 12)))))));
        if (artifacts_refused?.length || artifacts_unlisted)
            sections.push(section('Artifacts that were refused',
                table('Artifacts that were refused', ['Name', 'Reason'], (artifacts_refused ?? []).map(({ name, reason }) => row(name, reason))),
                artifacts_unlisted ? make('p', {}, `And ${artifacts_unlisted} more.`) : null));
        return sections;
    }

    /* --- events --- */

    /* Of a run that goes on only when asked: who reads along is a client of it, and the
     * program may have to wait for a slow one. */
    private follow(): void {
        if (this.stopFollowing) return;
        this.output.replaceChildren(this.replay.element);
        this.stopFollowing = followEvents(this.id, (event) => this.replay.add(event),
            () => notify('The events of this run cannot be read.', 'bad'));
    }
}
