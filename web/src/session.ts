// SPDX-License-Identifier: MIT
// Who the visitor is to this server: nobody in particular where no keys are
// configured, else whoever's key he has logged in with. The key itself is not
// kept; the browser has a cookie that no script can read. What the page keeps of a
// visitor's work in the browser goes with the login, and when another key comes.
import { ApiError, fetchMe, login, logout, type Me, whenUnauthorized } from './api.js';
import { element, notify, reasonOf } from './page.js';
import { forget, load, save, seal, whenChanged } from './store.js';

const OPEN: Me = { key: null, scopes: ['run', 'files', 'admin'], keys_configured: false };

const isKnown = ({ key, scopes, keys_configured }: Me): boolean => !keys_configured || key !== null || scopes.length > 0;

/* The label of the key whose work is kept. */
const OWNER = 'owner';
const WORK = ['drafts', 'history'];

function forgetWork(): void {
    for (const name of WORK) forget(name);
}

/* True: somebody else's work was there. */
function takeOver(key: string): boolean {
    const before = load(OWNER);
    save(OWNER, key);
    if (typeof before !== 'string' || before === key) return false;
    forgetWork();
    return true;
}

/* With what the page shows and holds. */
function openAnew(): void {
    seal();
    location.reload();
}

export class Session {
    private readonly form = element('login-form', HTMLFormElement);
    private readonly input = element('login-key', HTMLInputElement);
    private readonly error = element('login-error', HTMLElement);
    private readonly leave = element('logout', HTMLButtonElement);
    private me = OPEN;
    private tookOver = false;
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
        whenChanged(OWNER, (before) => {
            if (before !== null) openAnew();
        });
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
        const { key, keys_configured } = this.me;
        this.tookOver = keys_configured && key !== null && takeOver(key);
        this.leave.hidden = !keys_configured || !isKnown(this.me);
        this.leave.title = key === null ? '' : `Logged in with the key ${key}. Your programs and past runs leave this browser with you.`;
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
        if (this.tookOver) {
            openAnew();
            return;
        }
        this.asking = null;
        this.show(false);
        this.answered();
    }

    private async end(): Promise<void> {
        try {
            await logout();
        } catch (error) {
            notify(reasonOf(error), 'bad');
            return;
        }
        forgetWork();
        forget(OWNER);
        openAnew();
    }
}
