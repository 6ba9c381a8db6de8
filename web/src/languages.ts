// SPDX-License-Identifier: MIT
// The languages of this server, as its list says them, in a <select>.
import { fetchLanguages, type Language } from './api.js';
import { element } from './page.js';

const ASK_AGAIN_MS = 500;
const ASK_AGAIN_MAX_MS = 16000;

const label = ({ title, version }: Language): string => (version ? `${title} ${version}` : title);

function option(language: Language): HTMLOptionElement {
    const entry = document.createElement('option');
    entry.value = language.name;
    entry.textContent = label(language);
    return entry;
}

export class Languages {
    private readonly select = element('language', HTMLSelectElement);
    private list: Language[] = [];

    constructor(onPick: (language: Language) => void) {
        this.select.addEventListener('change', () => onPick(this.current!));
    }

    async load(): Promise<void> {
        this.list = await fetchLanguages();
        this.fill();
        this.askAgain(ASK_AGAIN_MS);
    }

    /* The server asks its toolchains for their versions when somebody looks. */
    private askAgain(ms: number): void {
        if (ms > ASK_AGAIN_MAX_MS || this.list.every(({ installed, version }) => version || !installed)) return;
        setTimeout(async () => {
            this.list = await fetchLanguages().catch(() => this.list);
            for (const language of this.list) {
                const shown = [...this.select.options].find(({ value }) => value === language.name);
                if (shown) shown.textContent = label(language);
            }
            this.askAgain(ms * 2);
        }, ms);
    }

    private fill(): void {
        const installed = this.list.filter(({ installed }) => installed);
        const missing = this.list.filter(({ installed }) => !installed);
        this.select.replaceChildren(...installed.map(option));
        if (missing.length > 0) {
            const group = document.createElement('optgroup');
            group.label = 'Not installed on this server';
            group.append(...missing.map(option));
            this.select.append(group);
        }
        this.select.disabled = this.list.length === 0;
    }

    get current(): Language | null {
        return this.find(this.select.value);
    }

    get first(): Language | null {
        return this.list.find(({ installed }) => installed) ?? this.list[0] ?? null;
    }

    find(name: string): Language | null {
        return this.list.find((language) => language.name === name || language.aliases.includes(name)) ?? null;
    }

    show(language: Language): void {
        this.select.value = language.name;
    }
}

/* The server's sample, else the one that came with the page. */
export async function sampleOf(language: Language): Promise<string> {
    if (typeof language.sample === 'string') return language.sample;
    const { default: samples } = await import('runnel:samples');
    return Object.hasOwn(samples, language.name) ? samples[language.name]! : '';
}
