// SPDX-License-Identifier: MIT
// Who carries the runs out, where there is a broker: one row a worker.
import type { Worker } from './admin_api.js';
import { make, row, table } from './dom.js';
import { bytes, duration } from './verdict.js';

const HEADS = ['Worker', 'Machine', 'State', 'Slots in use', 'Memory promised', 'Load', 'Version', 'Last seen'];
const MIB = 1024 * 1024;

function memoryOf({ memory_mb, promised_mb }: Worker): string {
    const promised = bytes(promised_mb * MIB);
    return memory_mb > 0 ? `${promised} of ${bytes(memory_mb * MIB)}` : promised;
}

function stateOf({ draining }: Worker): HTMLElement {
    return make('span', { class: 'state', 'data-mood': draining ? 'plain' : 'good' }, draining ? 'draining' : 'good');
}

export function workersTable(workers: Worker[]): HTMLElement {
    if (workers.length === 0)
        return make('p', { class: 'error' }, 'There is no worker: runs wait until one comes.');
    return table('Workers', HEADS, workers.map((worker) => row(
        worker.name,
        worker.host,
        stateOf(worker),
        `${worker.running} of ${worker.slots}`,
        memoryOf(worker),
        worker.load.toFixed(2),
        worker.version,
        `${duration(worker.last_seen_ms)} ago`,
    )));
}
