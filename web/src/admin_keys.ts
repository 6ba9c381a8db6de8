// SPDX-License-Identifier: MIT
// Keys: what each may do and does, a new one, and the end of one. A key's text is
// shown once, when it is made; the server keeps none of it.
import { createKey, fetchKeys, revokeKey, type Key, type NewKey } from './admin_api.js';
import { ApiError } from './api.js';
import { button, make, row, table } from './dom.js';
import { copyText, notify, notifyTrouble, reasonOf, troubleIsOver } from './page.js';
import { duration } from './verdict.js';

const LOOK_AGAIN_MS = 5000;
const DAY_MS = 86_400_000;
const SCOPES = ['run', 'files', 'admin'];

/* Those of the form that are numbers; the server's own counts in milliseconds. */
const NUMBERS: { name: 'rate' | 'burst' | 'concurrency' | 'daily_ms' | 'lasts_ms'; label: string; hint: string; scale: number }[] = [
    { name: 'rate', label: 'Runs a second', hint: '5', scale: 1 },
    { name: 'burst', label: 'Burst', hint: '10', scale: 1 },
    { name: 'concurrency', label: 'Runs at once', hint: 'any', scale: 1 },
    { name: 'daily_ms', label: 'Seconds a day', hint: 'any', scale: 1000 },
    { name: 'lasts_ms', label: 'Lasts (days)', hint: 'for ever', scale: DAY_MS },
];

const time = (iso: string | null): string => (iso ? new Date(iso).toLocaleString() : '–');
const orAny = (value: number, text: string): string => (value > 0 ? text : 'any');

function stateOf({ revoked_at, expires_at }: Key): HTMLElement {
    const said = (mood: string, words: string): HTMLElement => make('span', { class: 'state', 'data-mood': mood }, words);
    if (revoked_at) return said('plain', `revoked ${time(revoked_at)}`);
    if (!expires_at) return said('good', 'good');
    const expired = Date.parse(expires_at) < Date.now();
    return said(expired ? 'plain' : 'good', `${expired ? 'expired' : 'good until'} ${time(expires_at)}`);
}

export class KeysView {
    readonly element: HTMLElement;
    private readonly list = make('div');
    private readonly made = make('div', { class: 'made', role: 'status' });
    private readonly form = make('form', { class: 'filters', 'aria-label': 'A new key' });
    private readonly error = make('p', { class: 'error', role: 'alert' });
    private shown = '';
    private isFirst = false;
    private timer = 0;
    private closed = false;

    /* `logIn` with the first key: from then on the server asks this browser for one, too. */
    constructor(private readonly logIn: (key: string) => Promise<void>) {
        this.element = make('section', {}, make('h2', {}, 'Keys'), this.list,
            make('h3', {}, 'A new key'), this.form, this.error, this.made);
        this.fillForm();
        this.form.addEventListener('submit', (event) => {
            event.preventDefault();
            void this.create();
        });
        void this.look();
    }

    close(): void {
        this.closed = true;
        clearTimeout(this.timer);
        this.made.replaceChildren();
    }

    /* --- those that there are --- */

    private async look(): Promise<void> {
        clearTimeout(this.timer);
        try {
            const keys = await fetchKeys();
            troubleIsOver();
            if (!this.closed) this.draw(keys);
        } catch (error) {
            if (!this.closed) notifyTrouble(error);
        }
        if (!this.closed) this.timer = window.setTimeout(() => void this.look(), LOOK_AGAIN_MS);
    }

    private draw(keys: Key[]): void {
        const now = JSON.stringify(keys);
        if (now === this.shown || this.list.contains(document.activeElement)) return;
        this.shown = now;
        const heads = ['Key', 'Label', 'May', 'State', 'Runs now', 'Today', 'Runs a second', 'At once', 'A day', 'Made', ''];
        const none = make('p', { class: 'hint' }, 'There are no keys: whoever reaches this server may use it. ',
            'From the first key on everybody needs one. This browser is then logged in with it.');
        this.isFirst = keys.length === 0;
        const admin = this.form.querySelector<HTMLInputElement>('[value=admin]')!;
        if (this.isFirst) admin.checked = true;
        admin.disabled = this.isFirst;
        this.list.replaceChildren(keys.length > 0 ? table('Keys', heads, keys.map((key) => this.rowOf(key))) : none);
    }

    private rowOf(key: Key): HTMLTableRowElement {
        const canRevoke = key.number !== null && !key.revoked_at;
        return row(
            key.from_environment || key.number === null ? 'of the configuration' : String(key.number),
            key.label,
            key.scopes.join(', '),
            stateOf(key),
            String(key.running),
            `${key.today_runs} runs, ${duration(key.today_run_ms)}`,
            orAny(key.rate, `${key.rate}, burst ${key.burst}`),
            orAny(key.concurrency, String(key.concurrency)),
            orAny(key.daily_ms, duration(key.daily_ms)),
            time(key.created_at),
            canRevoke && button('Revoke', () => void this.revoke(key), { 'aria-label': `Revoke ${key.label} (${key.number})` }),
        );
    }

    private async revoke({ number, label }: Key): Promise<void> {
        if (number === null || !confirm(`Revoke the key ${number}, ${label}? Who has it is refused from then on.`)) return;
        try {
            await revokeKey(number);
            notify(`The key ${number} is revoked.`);
        } catch (error) {
            notify(reasonOf(error), 'bad');
        }
        if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
        await this.look();
    }

    /* --- a new one --- */

    private fillForm(): void {
        const scopes = SCOPES.map((scope) => make('label', { class: 'check' },
            make('input', { type: 'checkbox', name: 'scopes', value: scope, checked: scope !== 'admin' }), ` ${scope}`));
        this.form.replaceChildren(
            make('label', {}, 'Label', make('input', { name: 'label', maxlength: 63, required: true, autocomplete: 'off', placeholder: 'ci' })),
            make('fieldset', { class: 'scopes' }, make('legend', {}, 'May'), ...scopes),
            ...NUMBERS.map(({ name, label, hint }) => make('label', {}, label,
                make('input', { name, inputmode: 'decimal', placeholder: hint, autocomplete: 'off' }))),
            make('button', { type: 'submit', class: 'go' }, 'Make'),
        );
    }

    private read(): NewKey {
        const data = new FormData(this.form);
        const key: NewKey = { label: String(data.get('label')).trim(), scopes: data.getAll('scopes').map(String) };
        if (this.isFirst) key.scopes.push('admin'); /* or nobody could make another one here */
        for (const { name, label, scale } of NUMBERS) {
            const words = String(data.get(name)).trim().replace(',', '.');
            const value = Number(words) * scale;
            if (words && !(value >= 0 && Number.isFinite(value))) throw new ApiError(0, '', `${label} must be a number.`, name);
            if (words) key[name] = name === 'rate' ? value : Math.round(value);
        }
        return key;
    }

    private async create(): Promise<void> {
        this.error.textContent = '';
        for (const input of this.form.elements) input.removeAttribute('aria-invalid');
        try {
            const key = this.read();
            clearTimeout(this.timer); /* who looks before the login is asked for a key */
            const { token } = await createKey(key);
            this.form.reset();
            this.show(token);
            if (this.isFirst) await this.logIn(token);
            await this.look();
        } catch (error) {
            this.timer = window.setTimeout(() => void this.look(), LOOK_AGAIN_MS);
            this.error.textContent = reasonOf(error);
            const field = error instanceof ApiError && error.field ? this.form.elements.namedItem(error.field) : null;
            if (field instanceof HTMLElement) {
                field.setAttribute('aria-invalid', 'true');
                field.focus();
            }
        }
    }

    private show(token: string): void {
        const copy = button('Copy', () => void copyText(token).then((copied) =>
            notify(copied ? 'Key copied.' : 'The browser did not let the page copy.', copied ? 'info' : 'bad')));
        this.made.replaceChildren(
            make('p', {}, 'The new key, shown this once:'),
            make('p', { class: 'tools' }, make('code', { id: 'new-key' }, token), copy,
                button('Done', () => this.made.replaceChildren())),
        );
        copy.focus();
    }
}
