// SPDX-License-Identifier: MIT
// The languages of this server and their state.
import { fetchLanguages, type Language } from './api.js';
import { make, row, table } from './dom.js';
import { notify, reasonOf } from './page.js';

/* The server finds versions out when somebody looks. */
const LOOK_AGAIN_MS = 2000;
const LOOKS_MAX = 10;

function stateOf({ installed, install }: Language): HTMLElement {
    if (installed) return make('span', { class: 'state', 'data-mood': 'good' }, 'installed');
    return make('span', {}, make('span', { class: 'state', 'data-mood': 'bad' }, 'not installed'), ' ',
        install ? make('code', {}, install) : null);
}

export class LanguagesView {
    readonly element: HTMLElement;
    private readonly list = make('div');
    private looks = 0;
    private timer = 0;
    private closed = false;

    constructor() {
        this.element = make('section', {}, make('h2', {}, 'Languages'), this.list);
        void this.look();
    }

    close(): void {
        this.closed = true;
        clearTimeout(this.timer);
    }

    private async look(): Promise<void> {
        let languages: Language[];
        try {
            languages = await fetchLanguages();
        } catch (error) {
            if (!this.closed) notify(reasonOf(error), 'bad');
            return;
        }
        if (this.closed) return;
        this.list.replaceChildren(table('Languages', ['Language', 'Name', 'Other names', 'Version', 'State'],
            languages.map((language) => row(language.title, make('code', {}, language.name), language.aliases.join(', '),
                language.version ?? '–', stateOf(language)))));
        this.looks += 1;
        if (this.looks < LOOKS_MAX && languages.some(({ installed, version }) => installed && !version))
            this.timer = window.setTimeout(() => void this.look(), LOOK_AGAIN_MS);
    }
}
