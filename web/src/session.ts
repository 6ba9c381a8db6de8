// SPDX-License-Identifier: MIT
// Who the visitor is to this server: nobody in particular where no keys are
// configured, else whoever's key he has logged in with. The key itself is not
// kept; the browser has a cookie that no script can read.
import { ApiError, fetchMe, login, logout, type Me, whenUnauthorized } from './api.js';
import { element, reasonOf } from './page.js';

const OPEN: Me = { key: null, scopes: ['run', 'files', 'admin'], keys_configured: false };

const isKnown = ({ key, scopes, keys_configured }: Me): boolean => !keys_configured || key !== null || scopes.length > 0;

export class Session {
    private readonly form = element('login-form', HTMLFormElement);
    private readonly input = element('login-key', HTMLInputElement);
    private readonly error = element('login-error', HTMLElement);
    private readonly leave = element('logout', HTMLButtonElement);
    private me = OPEN;
    private asking: Promise<void> | null = null;
    private answered: () => void = () => undefined;

    /* `show` puts the login before the visitor, or takes it away. */
    constructor(private readonly show: (login: boolean) => void) {
        this.form.addEventListener('submit', (event) => {
            event.preventDefault();
            void this.answer();
        });
        this.leave.addEventListener('click', () => void this.end());
        whenUnauthorized(() => void this.ask());
    }

    get isAdmin(): boolean {
        return this.me.scopes.includes('admin');
    }

    /* The visitor has got a key by other ways than the form. */
    async logIn(key: string): Promise<void> {
        await login(key);
        await this.look();
    }

    /* Settled when the visitor may go on. */
    async begin(): Promise<void> {
        /* Where nobody can be asked, the requests that follow say why. */
        await this.look().catch(() => undefined);
        if (isKnown(this.me)) this.show(false);
        else await this.ask();
    }

    private async look(): Promise<void> {
        this.me = await fetchMe().catch((error: unknown) => {
            if (error instanceof ApiError && error.status === 404) return OPEN;
            throw error;
        });
        this.leave.hidden = !this.me.keys_configured || !isKnown(this.me);
        this.leave.title = this.me.key === null ? '' : `Logged in with the key ${this.me.key}`;
    }

    private ask(): Promise<void> {
        this.asking ??= new Promise((answered) => {
            this.answered = answered;
            this.leave.hidden = true;
            this.show(true);
            this.input.focus();
        });
        return this.asking;
    }

    private async answer(): Promise<void> {
        this.error.textContent = '';
        this.input.removeAttribute('aria-invalid');
        try {
            await this.logIn(this.input.value.trim());
            if (!isKnown(this.me)) throw new Error('The browser keeps no cookie of this server: allow it to.');
        } catch (error) {
            const wrong = error instanceof ApiError && error.status === 401;
            this.error.textContent = wrong ? 'This is not a key of this server, or it is no longer good.' : reasonOf(error);
            this.input.setAttribute('aria-invalid', 'true');
            this.input.select();
            return;
        }
        this.input.value = '';
        this.asking = null;
        this.show(false);
        this.answered();
    }

    /* All that the page holds of others goes with it. */
    private async end(): Promise<void> {
        await logout().catch(() => undefined);
        location.reload();
    }
}
