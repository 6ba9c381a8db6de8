// SPDX-License-Identifier: MIT
// localStorage, which may be full, forbidden, or hold what another version left.

const PREFIX = 'runnel.';

let sealed = false;

export function load(name: string): unknown {
    try {
        return JSON.parse(localStorage.getItem(PREFIX + name) ?? 'null') as unknown;
    } catch {
        return null;
    }
}

/* False when there is no room. */
export function save(name: string, value: unknown): boolean {
    if (sealed) return false;
    try {
        localStorage.setItem(PREFIX + name, JSON.stringify(value));
        return true;
    } catch {
        return false;
    }
}

export function forget(name: string): void {
    try {
        localStorage.removeItem(PREFIX + name);
    } catch {
        /* then nothing was kept */
    }
}

/* Nothing more is kept until the page is loaded anew. */
export function seal(): void {
    sealed = true;
}

/* Another tab has changed it, or (null) forgotten it. */
export function whenChanged(name: string, listener: (before: string | null, now: string | null) => void): void {
    window.addEventListener('storage', ({ key, oldValue, newValue }) => {
        if (key === PREFIX + name) listener(oldValue, newValue);
    });
}
