// SPDX-License-Identifier: MIT
// What operators ask of the service: many runs, keys, figures (docs/API.md).
import { address, ApiError, call, type Place, type RunEvent, type RunRequest, type Usage } from './api.js';

export interface RunRow {
    id: string;
    status: string;
    verdict: string | null;
    language: string;
    created_at: string;
    finished_at?: string;
    usage?: Usage;
    metadata?: Record<string, string>;
    key?: number;
    priority?: string;
    attempt?: number;
    worker?: string;
}

export interface Artifact {
    id: string;
    name: string;
    size: number;
    sha256: string;
    url: string;
    expires_at: string | null;
    content_type: string;
}

export interface RunRecord extends RunRow, Place {
    reason: string;
    exit_code: number | null;
    signal: number | null;
    isolation?: string;
    limits?: Record<string, number>;
    limits_hit?: Record<string, number>;
    artifacts?: Artifact[];
    artifacts_refused?: { name: string; reason: string }[];
    artifacts_unlisted?: number;
    code_sha256?: string;
    request?: Partial<RunRequest> & { env?: Record<string, string>; entrypoint?: string };
}

export interface Page {
    runs: RunRow[];
    next: string | null;
}

export interface Key {
    number: number | null;
    label: string;
    from_environment: boolean;
    scopes: string[];
    rate: number;
    burst: number;
    concurrency: number;
    daily_ms: number;
    created_at: string | null;
    expires_at: string | null;
    revoked_at: string | null;
    running: number;
    today_runs: number;
    today_run_ms: number;
}

export interface NewKey {
    label: string;
    scopes: string[];
    rate?: number;
    burst?: number;
    concurrency?: number;
    daily_ms?: number;
    lasts_ms?: number;
}

export interface Quantiles {
    p50: number;
    p95: number;
    p99: number;
}

export interface Point {
    t: number;
    queued: number;
    running: number;
    ended: number;
    p50_wall_ms: number | null;
    p95_wall_ms: number | null;
}

/* One that carries runs out, where there is a broker. */
export interface Worker {
    name: string;
    host: string;
    version: string;
    slots: number;
    running: number;
    memory_mb: number; /* that may be promised to boxes; 0: not bounded */
    promised_mb: number;
    load: number;
    last_seen_ms: number;
    draining: boolean;
}

export interface Stats {
    version: string;
    isolation: string;
    uptime_s: number;
    slots: number;
    running: number;
    queued: number;
    queue_length: number;
    queued_by_priority?: Record<string, number>;
    workers?: Worker[];
    store: { bytes: number; free_bytes: number; runs: number; files: number };
    ended: { total: number; verdicts: Record<string, number>; languages: Record<string, number> };
    latency: { runs: number; queued_ms: Quantiles | null; wall_ms: Quantiles | null };
    history: { step_ms: number; points: Point[] };
}

const run = (id: string): string => `v1/runs/${encodeURIComponent(id)}`;

export async function fetchRuns(filter: URLSearchParams): Promise<Page> {
    const page = (await call(`v1/runs?${filter.toString()}`)) as Partial<Page>;
    if (!Array.isArray(page.runs)) throw new ApiError(200, '', 'The list of runs is broken.', null);
    return { runs: page.runs, next: typeof page.next === 'string' ? page.next : null };
}

export async function fetchRun(id: string): Promise<RunRecord> {
    return (await call(`${run(id)}?request=true`)) as RunRecord;
}

/* With its files. One that goes on would be cancelled. */
export async function forgetRun(id: string): Promise<void> {
    await call(run(id), { method: 'DELETE' });
}

export async function fetchStats(): Promise<Stats> {
    return (await call('v1/stats')) as Stats;
}

export async function fetchKeys(): Promise<Key[]> {
    const { keys } = (await call('v1/keys')) as { keys?: Key[] };
    return Array.isArray(keys) ? keys : [];
}

export async function createKey(key: NewKey): Promise<{ number: number | null; token: string }> {
    return (await call('v1/keys', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(key),
    })) as { number: number | null; token: string };
}

export async function revokeKey(number: number): Promise<void> {
    await call(`v1/keys/${number}`, { method: 'DELETE' });
}

const TYPES = ['state', 'stdout', 'stderr', 'notice', 'usage', 'gap', 'end'];

/* All events of a run from its first, and those to come; the browser comes back by
 * itself when the line is cut. Returns what ends it. */
export function followEvents(id: string, onEvent: (event: RunEvent) => void, onFailed: () => void): () => void {
    const source = new EventSource(address(`${run(id)}/events`));
    const onMessage = (message: MessageEvent<string>): void => {
        let event: RunEvent;
        try {
            event = JSON.parse(message.data) as RunEvent;
        } catch {
            return;
        }
        if (event.type === 'end') source.close();
        onEvent(event);
    };
    for (const type of TYPES) source.addEventListener(type, onMessage);
    source.addEventListener('error', () => {
        if (source.readyState === EventSource.CLOSED) onFailed();
    });
    return () => source.close();
}
