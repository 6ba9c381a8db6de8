// SPDX-License-Identifier: MIT
// localStorage, which may be full, forbidden, or hold what another version left.

const PREFIX = 'runnel.';

export function load(name: string): unknown {
    try {
        return JSON.parse(localStorage.getItem(PREFIX + name) ?? 'null') as unknown;
    } catch {
        return null;
    }
}

/* False when there is no room. */
export function save(name: string, value: unknown): boolean {
    try {
        localStorage.setItem(PREFIX + name, JSON.stringify(value));
        return true;
    } catch {
        return false;
    }
}
