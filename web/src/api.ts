// SPDX-License-Identifier: MIT
// The native protocol of live runs, as docs/API.md describes it: what goes over
// HTTP. Addresses are relative, so that the page works below a proxy's path.

export interface Language {
    name: string;
    title: string;
    aliases: string[];
    version: string | null;
    installed: boolean;
    grammar: string;
    source: string;
    sample?: string | null;
    sample_stdin?: string | null;
    install: string | null;
}

export interface SourceFile {
    path: string;
    content: string;
}

export type Limits = Record<string, number>;

export interface RunRequest {
    language: string;
    code: string;
    args?: string[];
    stdin?: string;
    files?: SourceFile[];
    tty: boolean;
    columns?: number;
    rows?: number;
    on_disconnect: 'kill' | 'continue';
    limits?: Limits;
}

export interface Usage {
    wall_ms?: number;
    cpu_ms?: number;
    queued_ms?: number;
    compile_ms?: number;
    memory_peak_bytes?: number;
}

/* Where a run stands that waits for its turn; empty when that is not known. */
export interface Place {
    position?: number;
    expected_wait_ms?: number;
}

export type RunState = 'queued' | 'preparing' | 'compiling' | 'running' | 'waiting' | 'finished';

interface Numbered {
    n: number;
    t: number;
}

export interface StateEvent extends Numbered {
    type: 'state';
    state: RunState;
    attempt?: number; /* from the second on; what earlier ones said is void */
}

export interface TextEvent extends Numbered {
    type: 'stdout' | 'stderr' | 'notice';
    data: string;
}

export interface GapEvent extends Numbered {
    type: 'gap';
    lost_bytes: number;
}

export interface UsageEvent extends Numbered {
    type: 'usage';
    cpu_ms: number;
    memory_bytes: number;
}

export interface EndEvent extends Numbered {
    type: 'end';
    verdict: string;
    reason: string;
    exit_code: number | null;
    signal: number | null;
    usage?: Usage;
}

export type RunEvent = StateEvent | TextEvent | GapEvent | UsageEvent | EndEvent;

export type Command =
    | { type: 'input'; data: string }
    | { type: 'eof' }
    | { type: 'signal'; signal: string }
    | { type: 'resize'; columns: number; rows: number }
    | { type: 'cancel' };

export class ApiError extends Error {
    constructor(
        readonly status: number,
        readonly code: string,
        message: string,
        readonly field: string | null,
    ) {
        super(message);
    }
}

export function address(path: string): URL {
    const url = new URL(path, document.baseURI);
    url.hash = '';
    return url;
}

function asText(value: unknown): string | null {
    return typeof value === 'string' ? value : null;
}

const LOGIN = 'v1/login';

let onUnauthorized: () => void = () => undefined;

/* A request was refused because it came without a key that is good. */
export function whenUnauthorized(listener: () => void): void {
    onUnauthorized = listener;
}

export async function call(path: string, init?: RequestInit): Promise<unknown> {
    let response: Response;
    try {
        response = await fetch(address(path), { credentials: 'same-origin', ...init });
    } catch {
        throw new ApiError(0, 'unreachable', 'The server cannot be reached.', null);
    }
    let body: Record<string, unknown> | null = null;
    if (response.status === 204) return {};
    if (response.status === 401 && path !== LOGIN) onUnauthorized();
    try {
        body = (await response.json()) as Record<string, unknown>;
    } catch {
        /* judged by the status below */
    }
    if (response.ok && body) return body;
    const wait = response.headers.get('Retry-After');
    const said = asText(body?.['error']) ?? `The server answered with status ${response.status}.`;
    const text = wait && /^\d+$/.test(wait) ? `${said} Try again in ${wait} s.` : said;
    throw new ApiError(response.status, asText(body?.['code']) ?? '', text, asText(body?.['field']));
}

/* --- who one is --- */

export interface Me {
    key: string | null;
    scopes: string[];
    keys_configured: boolean;
}

export async function fetchMe(): Promise<Me> {
    const { key, scopes, keys_configured } = (await call('v1/me')) as Partial<Me>;
    return {
        key: asText(key),
        scopes: Array.isArray(scopes) ? scopes : [],
        keys_configured: keys_configured === true,
    };
}

export async function login(key: string): Promise<void> {
    await call(LOGIN, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ key }),
    });
}

export async function logout(): Promise<void> {
    await call('v1/logout', { method: 'POST' });
}

/* --- languages and runs --- */

export async function fetchLanguages(): Promise<Language[]> {
    const body = (await call('v1/languages')) as { languages?: Language[] };
    if (!Array.isArray(body.languages)) throw new ApiError(200, '', 'The list of languages is broken.', null);
    return body.languages;
}

export async function createRun(request: RunRequest): Promise<string> {
    const body = (await call('v1/runs?wait=false', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(request),
    })) as { id?: unknown };
    if (typeof body.id !== 'string') throw new ApiError(201, '', 'The server named no run.', null);
    return body.id;
}

/* Never more than that: a run that has ended meanwhile is kept, with its files. */
export async function cancelRun(id: string): Promise<void> {
    await call(`v1/runs/${encodeURIComponent(id)}?only=cancel`, { method: 'DELETE' });
}

export async function fetchPlace(id: string): Promise<Place> {
    return (await call(`v1/runs/${encodeURIComponent(id)}`)) as Place;
}

/* Is the run still there? Null when the server could not be asked. */
export async function runExists(id: string): Promise<boolean | null> {
    try {
        await call(`v1/runs/${encodeURIComponent(id)}`);
        return true;
    } catch (error) {
        const status = error instanceof ApiError ? error.status : 0;
        return status === 404 || status === 401 || status === 403 ? false : null;
    }
}
