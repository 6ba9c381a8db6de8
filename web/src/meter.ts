// SPDX-License-Identifier: MIT
// The live picture of cpu and memory: two lines that grow to the left.
import type { UsageEvent } from './api.js';
import { megabytes } from './verdict.js';

const POINTS_MAX = 120;
const WIDTH = 120;
const HEIGHT = 28;
const MIB = 1024 * 1024;

class Line {
    private points: number[] = [];

    constructor(
        private readonly box: HTMLElement,
        private readonly name: string,
        private readonly floor: number,
    ) {}

    clear(): void {
        this.points = [];
        this.draw('–');
    }

    add(value: number, text: string): void {
        this.points.push(value);
        if (this.points.length > POINTS_MAX) this.points.shift();
        this.draw(text);
    }

    private draw(text: string): void {
        const top = Math.max(this.floor, ...this.points);
        const at = (value: number, index: number): string => {
            const x = WIDTH - this.points.length + index + 1;
            return `${x},${(HEIGHT - 1 - (value / top) * (HEIGHT - 2)).toFixed(1)}`;
        };
        const line = this.points.map(at).join(' ');
        const area = this.points.length ? `${WIDTH - this.points.length + 1},${HEIGHT} ${line} ${WIDTH},${HEIGHT}` : '';
        this.box.querySelector('polyline')!.setAttribute('points', line);
        this.box.querySelector('polygon')!.setAttribute('points', area);
        this.box.querySelector('svg')!.setAttribute('aria-label', `${this.name}: ${text}`);
        this.box.querySelector('output')!.textContent = text;
    }
}

export class Meter {
    private readonly cpu: Line;
    private readonly memory: Line;
    private before: UsageEvent | null = null;

    constructor(cpu: HTMLElement, memory: HTMLElement) {
        this.cpu = new Line(cpu, 'Cpu', 100);
        this.memory = new Line(memory, 'Memory', MIB);
    }

    clear(): void {
        this.before = null;
        this.cpu.clear();
        this.memory.clear();
    }

    add(event: UsageEvent): void {
        const passed = this.before ? event.t - this.before.t : 0;
        if (this.before && passed > 0) {
            const percent = Math.max(0, ((event.cpu_ms - this.before.cpu_ms) / passed) * 100);
            this.cpu.add(percent, `${Math.round(percent)} %`);
        }
        this.memory.add(event.memory_bytes, megabytes(event.memory_bytes / MIB));
        this.before = event;
    }
}
