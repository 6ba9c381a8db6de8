// SPDX-License-Identifier: MIT
// One run at a time, from Run to its verdict:
//
//     idle ── start ──> starting ── created ──> live ── end / lost ──> idle
//
// What is for the run before it has a name, Stop too, is sent when it has one.
import { createRun, type Command, type RunEvent, type RunRequest } from './api.js';
import { QueueWatch } from './queue.js';
import { RunStream } from './stream.js';

type Phase = 'idle' | 'starting' | 'live';

export interface RunnerHandlers {
    changed(phase: Phase): void;
    event(event: RunEvent): void;
    /* In words, of a run that waits for its turn. */
    place(text: string): void;
    refused(text: string): void;
    connection(state: 'open' | 'reconnecting'): void;
    lost(): void;
}

export class Runner {
    private phase: Phase = 'idle';
    private stream: RunStream | null = null;
    private queue: QueueWatch | null = null;
    private early: Command[] = [];
    private inputOpen = false;

    constructor(private readonly handlers: RunnerHandlers) {}

    get busy(): boolean {
        return this.phase !== 'idle';
    }

    get starting(): boolean {
        return this.phase === 'starting';
    }

    /* Throws ApiError when the server does not take it. */
    async start(request: RunRequest, endInput: boolean): Promise<void> {
        this.abandon();
        this.move('starting');
        this.inputOpen = true;
        if (endInput) this.endInput();
        let id: string;
        try {
            id = await createRun(request);
        } catch (error) {
            this.finish();
            throw error;
        }
        this.stream = this.follow(id);
        for (const command of this.early.splice(0)) this.stream.send(command);
        this.move('live');
    }

    /* False: the run takes no input any more. */
    input(data: string): boolean {
        if (!this.inputOpen) return false;
        this.send({ type: 'input', data });
        return true;
    }

    endInput(): boolean {
        if (!this.inputOpen) return false;
        this.inputOpen = false;
        this.send({ type: 'eof' });
        return true;
    }

    interrupt(): void {
        this.send({ type: 'signal', signal: 'INT' });
    }

    resize(columns: number, rows: number): void {
        this.early = this.early.filter(({ type }) => type !== 'resize');
        this.send({ type: 'resize', columns, rows });
    }

    stop(): void {
        this.send({ type: 'cancel' });
    }

    /* A run that goes on is stopped, and nothing of it is heard again. */
    abandon(): void {
        this.stream?.send({ type: 'cancel' });
        this.finish();
    }

    private send(command: Command): void {
        if (this.stream) this.stream.send(command);
        else if (this.starting) this.early.push(command);
    }

    private finish(): void {
        this.watchQueue(null);
        this.early = [];
        this.stream?.close();
        this.stream = null;
        this.inputOpen = false;
        this.move('idle');
    }

    private move(phase: Phase): void {
        if (this.phase === phase) return;
        this.phase = phase;
        this.handlers.changed(phase);
    }

    private follow(id: string): RunStream {
        return new RunStream(id, {
            event: (event) => this.onEvent(id, event),
            refused: (text) => this.handlers.refused(text),
            connection: (state) => {
                if (state !== 'lost') this.handlers.connection(state);
                else {
                    this.finish();
                    this.handlers.lost();
                }
            },
        });
    }

    private watchQueue(id: string | null): void {
        this.queue?.close();
        this.queue = id ? new QueueWatch(id, (text) => this.handlers.place(text)) : null;
    }

    private onEvent(id: string, event: RunEvent): void {
        if (event.type === 'state') this.watchQueue(event.state === 'queued' ? id : null);
        if (event.type === 'end') this.finish();
        this.handlers.event(event);
    }
}
