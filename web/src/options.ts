// SPDX-License-Identifier: MIT
// Standard input, arguments and limits: what a run gets besides its code.
import type { Limits } from './api.js';
import { splitArguments } from './arguments.js';
import { element } from './page.js';

/* Those that a visitor may set; an empty field leaves it to the server. */
const LIMITS: { name: string; label: string; unit: string; scale: number }[] = [
    { name: 'timeout_ms', label: 'Time', unit: 's', scale: 1000 },
    { name: 'cpu_ms', label: 'Cpu time', unit: 's', scale: 1000 },
    { name: 'memory_mb', label: 'Memory', unit: 'MiB', scale: 1 },
    { name: 'processes', label: 'Processes', unit: '', scale: 1 },
    { name: 'max_output_bytes', label: 'Output', unit: 'KiB', scale: 1024 },
    { name: 'workspace_mb', label: 'Disk', unit: 'MiB', scale: 1 },
];

export interface OptionValues {
    args: string;
    stdin: string;
    limits: Record<string, string>;
}

export class Options {
    private readonly box = element('options', HTMLDetailsElement);
    private readonly args = element('args', HTMLInputElement);
    private readonly stdin = element('stdin', HTMLTextAreaElement);
    private readonly eof = element('stdin-eof', HTMLInputElement);
    private readonly summary = element('options-set', HTMLElement);
    private readonly inputs = new Map<string, HTMLInputElement>();

    constructor(private readonly onChange: () => void) {
        element('limits', HTMLElement).append(...LIMITS.map((limit) => this.limitField(limit)));
        this.box.addEventListener('input', () => {
            this.summarise();
            this.onChange();
        });
    }

    get values(): OptionValues {
        const limits: Record<string, string> = {};
        for (const [name, input] of this.inputs) if (input.value.trim()) limits[name] = input.value.trim();
        return { args: this.args.value, stdin: this.stdin.value, limits };
    }

    set values({ args, stdin, limits }: OptionValues) {
        this.args.value = args;
        this.stdin.value = stdin;
        for (const [name, input] of this.inputs) input.value = limits[name] ?? '';
        this.clearErrors();
        this.summarise();
    }

    /* After the text of the box the input ends. */
    get endsInput(): boolean {
        return this.stdin.value !== '' && this.eof.checked;
    }

    /* Throws, and shows the field, when something here cannot be sent. */
    check(): void {
        this.limits();
        this.arguments();
    }

    arguments(): string[] {
        try {
            return splitArguments(this.args.value);
        } catch (error) {
            this.reject('args');
            throw error;
        }
    }

    limits(): Limits {
        const limits: Limits = {};
        for (const { name, label, scale } of LIMITS) {
            const text = this.inputs.get(name)!.value.trim();
            if (!text) continue;
            const value = Number(text.replace(',', '.')) * scale;
            if (!Number.isFinite(value) || value <= 0) {
                this.reject(`limits.${name}`);
                throw new Error(`${label} must be a number above 0.`);
            }
            limits[name] = Math.round(value);
        }
        return limits;
    }

    /* Shows the field that the server, or the page itself, does not take. */
    reject(field: string): void {
        const input = this.find(field);
        if (!input) return;
        this.box.open = true;
        input.setAttribute('aria-invalid', 'true');
        input.focus();
    }

    clearErrors(): void {
        for (const input of [this.args, this.stdin, ...this.inputs.values()]) input.removeAttribute('aria-invalid');
    }

    private find(field: string): HTMLElement | undefined {
        if (field === 'args' || field.startsWith('args[')) return this.args;
        return field === 'stdin' ? this.stdin : this.inputs.get(field.replace(/^limits\./, ''));
    }

    private limitField(limit: (typeof LIMITS)[number]): HTMLElement {
        const label = document.createElement('label');
        const input = document.createElement('input');
        input.inputMode = 'decimal';
        input.placeholder = 'default';
        input.autocomplete = 'off';
        input.id = `limit-${limit.name}`;
        label.append(limit.unit ? `${limit.label} (${limit.unit})` : limit.label, input);
        this.inputs.set(limit.name, input);
        return label;
    }

    private summarise(): void {
        const { args, stdin, limits } = this.values;
        const set = [stdin && 'input', args.trim() && 'arguments', Object.keys(limits).length && 'limits'];
        const words = set.filter(Boolean).join(', ');
        this.summary.textContent = words ? `– set: ${words}` : '';
    }
}
