// SPDX-License-Identifier: MIT
// Dark or light: the system's choice, or the visitor's.
import { element } from './page.js';
import { load, save } from './store.js';

type Choice = 'system' | 'light' | 'dark';

const system = matchMedia('(prefers-color-scheme: dark)');
const words: Record<Choice, string> = { system: 'Colours: as the system', light: 'Colours: light', dark: 'Colours: dark' };
const next: Record<Choice, Choice> = { system: 'light', light: 'dark', dark: 'system' };

function isChoice(value: unknown): value is Choice {
    return typeof value === 'string' && Object.hasOwn(words, value);
}

export class Theme {
    private choice: Choice;
    private readonly button = element('theme', HTMLButtonElement);

    constructor(private readonly onChange: (dark: boolean) => void) {
        const kept = load('theme');
        this.choice = isChoice(kept) ? kept : 'system';
        this.button.addEventListener('click', () => {
            this.choice = next[this.choice];
            save('theme', this.choice);
            this.apply();
        });
        system.addEventListener('change', () => this.apply());
        this.apply();
    }

    get dark(): boolean {
        return this.choice === 'dark' || (this.choice === 'system' && system.matches);
    }

    private apply(): void {
        document.documentElement.dataset['theme'] = this.choice;
        this.button.setAttribute('aria-label', words[this.choice]);
        this.button.title = words[this.choice];
        this.onChange(this.dark);
    }
}
