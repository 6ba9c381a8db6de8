// SPDX-License-Identifier: MIT
// How a run ended, in words.
import type { EndEvent, Place } from './api.js';

const titles: Record<string, string> = {
    succeeded: 'Finished',
    failed: 'Ended with an error',
    killed_by_signal: 'Ended by a signal',
    compile_failed: 'Did not compile',
    timeout: 'Ran out of time',
    idle_timeout: 'Was silent for too long',
    cpu_limit: 'Used up its cpu time',
    memory_limit: 'Ran out of memory',
    output_limit: 'Printed too much',
    queue_timeout: 'Waited too long for its turn',
    cancelled: 'Stopped',
    internal_error: 'The server failed',
    lost: 'Connection lost',
    aside: 'Put aside',
};

/* Those that a server gives; the others are the page's own. */
export const VERDICTS = Object.keys(titles).filter((verdict) => verdict !== 'lost' && verdict !== 'aside');

const signals: Record<number, string> = {
    1: 'SIGHUP', 2: 'SIGINT', 3: 'SIGQUIT', 4: 'SIGILL', 5: 'SIGTRAP', 6: 'SIGABRT', 7: 'SIGBUS', 8: 'SIGFPE',
    9: 'SIGKILL', 11: 'SIGSEGV', 13: 'SIGPIPE', 14: 'SIGALRM', 15: 'SIGTERM', 24: 'SIGXCPU', 25: 'SIGXFSZ', 31: 'SIGSYS',
};

export function verdictTitle(verdict: string): string {
    return Object.hasOwn(titles, verdict) ? titles[verdict]! : verdict;
}

export type Mood = 'good' | 'bad' | 'plain';

export function verdictMood(verdict: string): Mood {
    if (verdict === 'succeeded') return 'good';
    return verdict === 'cancelled' || verdict === 'aside' ? 'plain' : 'bad';
}

export function duration(ms: number): string {
    if (ms < 1000) return `${Math.round(ms)} ms`;
    if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
    return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

export function megabytes(mb: number): string {
    return `${mb < 10 ? mb.toFixed(1) : Math.round(mb)} MiB`;
}

/* Where it stands in the queue, in words; empty when that is not known. A wait is a guess,
 * so it is said in steps that do not change with every look. */
export function placeInWords({ position, expected_wait_ms }: Place): string {
    if (typeof position !== 'number' || position < 1) return '';
    const place = position === 1 ? 'next in the queue' : `number ${position} in the queue`;
    if (typeof expected_wait_ms !== 'number' || expected_wait_ms <= 0) return place;
    const seconds = expected_wait_ms / 1000;
    const step = seconds <= 5 ? 1 : 5;
    const wait = seconds <= 60 ? `${Math.ceil(seconds / step) * step} s` : `${Math.ceil(seconds / 60)} min`;
    return `${place}, for about ${wait}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(count: number): string {
    const power = Math.min(Math.floor(Math.log2(Math.max(count, 1)) / 10), UNITS.length - 1);
    const value = count / 1024 ** power;
    return `${power > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

/* What the end shows besides its title and its reason: name and value. */
export function verdictFacts(end: Pick<EndEvent, 'exit_code' | 'signal' | 'usage'>): [string, string][] {
    const facts: [string, string][] = [];
    const { wall_ms, cpu_ms, compile_ms, memory_peak_bytes } = end.usage ?? {};
    if (typeof end.exit_code === 'number') facts.push(['Exit code', String(end.exit_code)]);
    if (typeof end.signal === 'number' && end.signal > 0)
        facts.push(['Signal', signals[end.signal] ? `${signals[end.signal]} (${end.signal})` : String(end.signal)]);
    if (typeof wall_ms === 'number') facts.push(['Time', duration(wall_ms)]);
    if (typeof cpu_ms === 'number') facts.push(['Cpu', duration(cpu_ms)]);
    if (typeof compile_ms === 'number' && compile_ms > 0) facts.push(['Compiling', duration(compile_ms)]);
    if (typeof memory_peak_bytes === 'number') facts.push(['Memory', megabytes(memory_peak_bytes / 1024 / 1024)]);
    return facts;
}
