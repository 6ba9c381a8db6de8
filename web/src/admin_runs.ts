// SPDX-License-Identifier: MIT
// Many runs, newest first: those that go on and those before them, filtered, page
// by page. What is filtered by stands in the address, so Back leads back to it.
import { fetchRuns, type Page, type RunRow } from './admin_api.js';
import { ApiError, fetchLanguages } from './api.js';
import { button, make, row, table } from './dom.js';
import { notifyTrouble, troubleIsOver } from './page.js';
import { duration, verdictMood, verdictTitle, VERDICTS } from './verdict.js';

const LOOK_AGAIN_MS = 4000;
const PAGE = '50';
const COLUMNS = ['Run', 'State', 'Language', 'Made', 'Time', 'Cpu', 'Queued'];

const option = (value: string, text: string, chosen: string): HTMLOptionElement =>
    make('option', { value, selected: value === chosen }, text);

/* The field's own time is local and without a zone. */
const toLocal = (iso: string | null): string => {
    const at = iso ? new Date(iso) : null;
    if (!at || Number.isNaN(at.getTime())) return '';
    return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
const fromLocal = (text: string): string => (text ? new Date(text).toISOString() : '');

export function stateOf({ verdict, status }: Pick<RunRow, 'verdict' | 'status'>): HTMLElement {
    const mood = verdict ? verdictMood(verdict) : 'live';
    return make('span', { class: 'state', 'data-mood': mood }, verdict ? verdictTitle(verdict) : status);
}

/* Of most runs it is normal, which says nothing. */
export function unusualPriority({ priority }: RunRow): string {
    return priority && priority !== 'normal' ? priority : '';
}

function keyOf({ key }: RunRow): string {
    if (!key) return '–';
    return Number.isSafeInteger(key) ? `key ${key}` : 'key of the configuration';
}

export class RunsView {
    readonly element: HTMLElement;
    private readonly form = make('form', { class: 'filters', 'aria-label': 'Filter' });
    private readonly list = make('div');
    private readonly pages = make('nav', { class: 'pages', 'aria-label': 'Pages' });
    private shown = '';
    private timer = 0;
    private closed = false;

    constructor(
        private readonly filter: URLSearchParams,
        private readonly isAdmin: boolean,
    ) {
        this.element = make('section', {}, make('h2', {}, 'Runs'), this.form, this.list, this.pages);
        this.fillForm();
        this.form.addEventListener('submit', (event) => {
            event.preventDefault();
            this.apply();
        });
        void this.look();
    }

    close(): void {
        this.closed = true;
        clearTimeout(this.timer);
    }

    /* --- the filter --- */

    private fillForm(): void {
        const get = (name: string): string => this.filter.get(name) ?? '';
        const language = make('select', { name: 'language' }, option('', 'any', ''));
        const time = (name: string, label: string): HTMLElement =>
            make('label', {}, label, make('input', { type: 'datetime-local', name, class: 'field', value: toLocal(get(name)) }));
        this.form.replaceChildren(
            make('label', {}, 'State', make('select', { name: 'verdict' }, option('', 'any', get('verdict')),
                option('none', 'Not ended', get('verdict')),
                ...VERDICTS.map((verdict) => option(verdict, verdictTitle(verdict), get('verdict'))))),
            make('label', {}, 'Language', language),
            time('since', 'Made since'),
            time('until', 'Made before'),
            make('label', {}, 'Metadata', make('input', {
                name: 'metadata', value: get('metadata'), placeholder: 'course:c1,task:7', autocapitalize: 'off', autocomplete: 'off', spellcheck: 'false',
            })),
            make('button', { type: 'submit', class: 'go' }, 'Filter'),
            button('All', () => { location.hash = '#/admin'; }),
        );
        void fetchLanguages().then((list) =>
            language.append(...list.map(({ name, title }) => option(name, title, get('language')))), () => undefined);
    }

    private apply(): void {
        const wanted = new URLSearchParams();
        for (const [name, value] of new FormData(this.form)) {
            const text = String(value).trim();
            const isTime = name === 'since' || name === 'until';
            if (text) wanted.set(name, isTime ? fromLocal(text) : text);
        }
        const before = location.hash;
        location.hash = wanted.size > 0 ? `#/admin?${wanted.toString()}` : '#/admin';
        if (location.hash === before) void this.look();
    }

    /* --- the list --- */

    private async look(): Promise<void> {
        clearTimeout(this.timer);
        const asked = new URLSearchParams(this.filter);
        asked.set('limit', PAGE);
        if (this.isAdmin) asked.set('all', 'true');
        try {
            const page = await fetchRuns(asked);
            troubleIsOver();
            if (!this.closed) this.draw(page);
        } catch (error) {
            if (this.closed) return;
            notifyTrouble(error);
            /* What is wrong with the filter stays wrong. */
            if (error instanceof ApiError && error.status >= 400 && error.status < 500) return;
        }
        if (!this.closed && !this.filter.has('before')) this.timer = window.setTimeout(() => void this.again(), LOOK_AGAIN_MS);
    }

    private async again(): Promise<void> {
        if (document.visibilityState === 'visible') await this.look();
        else this.timer = window.setTimeout(() => void this.again(), LOOK_AGAIN_MS);
    }

    /* Untouched when nothing is new: who reads it, or is on a link of it, stays there. */
    private draw(page: Page): void {
        const now = JSON.stringify(page);
        if (now === this.shown) return;
        this.shown = now;
        const focused = this.list.contains(document.activeElement) ? document.activeElement?.getAttribute('href') : null;
        const heads = [...COLUMNS, ...(this.isAdmin ? ['Key'] : []), 'Metadata'];
        const empty = make('p', { class: 'hint' }, this.filter.size > 0 ? 'No run is like that.' : 'There are no runs yet.');
        this.list.replaceChildren(page.runs.length > 0 ? table('Runs', heads, page.runs.map((run) => this.rowOf(run))) : empty);
        if (focused) this.list.querySelector<HTMLElement>(`a[href="${CSS.escape(focused)}"]`)?.focus();
        this.drawPages(page.next);
    }

    private rowOf(run: RunRow): HTMLTableRowElement {
        const { usage } = run;
        const pairs = Object.entries(run.metadata ?? {}).map(([name, value]) => `${name}: ${value}`);
        const ms = (value: number | undefined): string => (typeof value === 'number' ? duration(value) : '–');
        return row(
            make('a', { href: `#/admin/runs/${encodeURIComponent(run.id)}` }, run.id),
            make('span', {}, stateOf(run), unusualPriority(run) && make('span', { class: 'hint' }, ` ${unusualPriority(run)} priority`)),
            run.language,
            make('time', { datetime: run.created_at }, new Date(run.created_at).toLocaleString()),
            ms(usage?.wall_ms),
            ms(usage?.cpu_ms),
            ms(usage?.queued_ms),
            ...(this.isAdmin ? [keyOf(run)] : []),
            pairs.join(', '),
        );
    }

    private drawPages(next: string | null): void {
        const link = (text: string, before: string | null): HTMLElement => {
            const wanted = new URLSearchParams(this.filter);
            wanted.delete('before');
            if (before) wanted.set('before', before);
            return make('a', { href: wanted.size > 0 ? `#/admin?${wanted.toString()}` : '#/admin' }, text);
        };
        this.pages.replaceChildren();
        if (this.filter.has('before')) this.pages.append(link('Newest', null));
        if (next) this.pages.append(link('Older', next));
        this.pages.hidden = this.pages.childElementCount === 0;
    }
}
