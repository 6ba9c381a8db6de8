// SPDX-License-Identifier: MIT
// The operator's side of the page, below #/admin. Loaded when somebody goes there.
//
//     #/admin?verdict=…      runs          #/admin/runs/ID   one of them
//     #/admin/service        figures       #/admin/keys      keys      #/admin/languages
import { KeysView } from './admin_keys.js';
import { LanguagesView } from './admin_languages.js';
import { RunView } from './admin_run.js';
import { RunsView } from './admin_runs.js';
import { ServiceView } from './admin_service.js';
import { make } from './dom.js';
import { element } from './page.js';

interface View {
    readonly element: HTMLElement;
    close(): void;
}

export interface Visitor {
    readonly isAdmin: boolean;
    logIn(key: string): Promise<void>;
}

/* The others are for keys with the scope admin. */
const TABS = [
    { path: '', title: 'Runs', admin: false },
    { path: 'service', title: 'Service', admin: true },
    { path: 'keys', title: 'Keys', admin: true },
    { path: 'languages', title: 'Languages', admin: false },
];

export class Admin {
    private readonly tabs = make('nav', { class: 'admin-tabs', 'aria-label': 'Parts' });
    private readonly place = make('div');
    private view: View | null = null;

    constructor(private readonly visitor: Visitor) {
        element('admin-view', HTMLElement).replaceChildren(this.tabs, this.place);
    }

    /* `hash` begins with #/admin. */
    show(hash: string): void {
        const [path, query] = hash.replace(/^#\/admin\/?/, '').split('?');
        const [part, id] = (path ?? '').split('/');
        this.close();
        this.drawTabs(part === 'runs' ? '' : (part ?? ''));
        this.view = this.viewOf(part ?? '', id, new URLSearchParams(query ?? ''));
        this.place.replaceChildren(this.view.element);
        element('admin-view', HTMLElement).scrollTop = 0;
    }

    close(): void {
        this.view?.close();
        this.view = null;
        this.place.replaceChildren();
    }

    private viewOf(part: string, id: string | undefined, filter: URLSearchParams): View {
        if (part === 'runs' && id) return new RunView(decodeURIComponent(id));
        if (part === 'languages') return new LanguagesView();
        if (part === 'service' && this.visitor.isAdmin) return new ServiceView();
        if (part === 'keys' && this.visitor.isAdmin) return new KeysView((key) => this.visitor.logIn(key));
        return new RunsView(filter, this.visitor.isAdmin);
    }

    private drawTabs(current: string): void {
        const shown = TABS.filter(({ admin }) => !admin || this.visitor.isAdmin);
        this.tabs.replaceChildren(...shown.map(({ path, title }) => make('a', {
            href: path ? `#/admin/${path}` : '#/admin',
            'aria-current': path === current ? 'page' : null,
        }, title)));
    }
}
