// SPDX-License-Identifier: MIT
// All that a run is made of besides the machine: what links carry, what the
// history keeps, and what a visitor finds again. It comes back from places that
// anybody may have written to, so it is looked at piece by piece.
import type { SourceFile } from './api.js';

export interface Setup {
    language: string;
    /* The first is the program; its path is the language's. */
    files: SourceFile[];
    args: string;
    stdin: string;
    limits: Record<string, string>;
    terminal: boolean;
}

export const FILES_MAX = 50;

function readFiles(value: unknown): SourceFile[] | null {
    if (!Array.isArray(value) || value.length === 0 || value.length > FILES_MAX) return null;
    const files: SourceFile[] = [];
    for (const item of value as unknown[]) {
        const { path, content } = (item ?? {}) as Partial<SourceFile>;
        if (typeof path !== 'string' || typeof content !== 'string') return null;
        files.push({ path, content });
    }
    return files;
}

function readLimits(value: unknown): Record<string, string> {
    const limits: Record<string, string> = {};
    if (typeof value !== 'object' || value === null) return limits;
    for (const [name, limit] of Object.entries(value))
        if (/^[a-z_]{1,40}$/.test(name) && typeof limit === 'string') limits[name] = limit;
    return limits;
}

/* The program's path is not looked at: it is the language's, whatever a link says. */
export function isSameSetup(one: Setup, other: Setup): boolean {
    const [first, second] = [one, other].map((setup) => {
        const read = readSetup(setup)!;
        read.files[0]!.path = '';
        return JSON.stringify(read);
    });
    return first === second;
}

/* Null when it is none. */
export function readSetup(value: unknown): Setup | null {
    if (typeof value !== 'object' || value === null) return null;
    const { language, files, args, stdin, limits, terminal } = value as Record<string, unknown>;
    const read = readFiles(files);
    if (typeof language !== 'string' || !read) return null;
    return {
        language,
        files: read,
        args: typeof args === 'string' ? args : '',
        stdin: typeof stdin === 'string' ? stdin : '',
        limits: readLimits(limits),
        terminal: terminal === true,
    };
}
