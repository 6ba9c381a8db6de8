// SPDX-License-Identifier: MIT
// One run's events, over a WebSocket that comes back when the network drops it:
// events are numbered, so it goes on from the first one not yet seen.
import { address, cancelRun, runExists, type Command, type RunEvent } from './api.js';

/* The server keeps a run whose client left for 30 s. */
const RECONNECT_FOR_MS = 28_000;
const RECONNECT_FIRST_MS = 250;
const RECONNECT_MOST_MS = 4_000;
/* A connection that stood so long was one, though nothing was said. */
const STOOD_MS = 10_000;
/* Well below any limit on a frame. */
const INPUT_CHUNK = 16_384;
const CANCEL = JSON.stringify({ type: 'cancel' } satisfies Command);

export interface StreamHandlers {
    event(event: RunEvent): void;
    /* About something that was sent. */
    refused(text: string): void;
    connection(state: 'open' | 'reconnecting' | 'lost'): void;
}

export class RunStream {
    private socket: WebSocket | null = null;
    private seen = 0;
    private ended = false;
    private closed = false;
    private downSince = 0;
    private openSince = 0;
    private delay = RECONNECT_FIRST_MS;
    private timer = 0;
    private readonly waiting: string[] = [];

    constructor(
        private readonly id: string,
        private readonly handlers: StreamHandlers,
    ) {
        this.connect();
    }

    send(command: Command): void {
        if (this.ended || this.closed) return;
        if (command.type === 'input' && command.data.length > INPUT_CHUNK) {
            this.sendInParts(command.data);
            return;
        }
        const frame = JSON.stringify(command);
        if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(frame);
        else this.waiting.push(frame);
    }

    /* Nothing of this run reaches the handlers afterwards. What waits to be sent still
     * goes out when the connection is being made, and a cancel in any case. */
    close(): void {
        this.closed = true;
        clearTimeout(this.timer);
        if (!this.socket) this.cancelWithoutSocket();
        else if (this.socket.readyState !== WebSocket.CONNECTING) this.socket.close(1000);
    }

    private cancelWithoutSocket(): void {
        if (this.waiting.splice(0).includes(CANCEL)) void cancelRun(this.id).catch(() => undefined);
    }

    private sendInParts(data: string): void {
        let at = 0;
        while (at < data.length) {
            let end = Math.min(at + INPUT_CHUNK, data.length);
            /* Not between the two halves of one character. */
            if (end < data.length && /[\uD800-\uDBFF]/.test(data.charAt(end - 1))) end -= 1;
            this.send({ type: 'input', data: data.slice(at, end) });
            at = end;
        }
    }

    private connect(): void {
        const url = address(`v1/runs/${encodeURIComponent(this.id)}/stream?from=${this.seen + 1}`);
        url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
        const socket = new WebSocket(url);
        this.socket = socket;
        socket.onopen = () => this.onOpen(socket);
        socket.onmessage = (message) => this.onMessage(socket, message.data);
        socket.onclose = () => this.onClose(socket);
    }

    private onOpen(socket: WebSocket): void {
        if (this.socket !== socket) return;
        this.openSince = Date.now();
        for (const frame of this.waiting.splice(0)) socket.send(frame);
        if (this.closed) {
            socket.close(1000);
            return;
        }
        this.handlers.connection('open');
    }

    private onMessage(socket: WebSocket, data: unknown): void {
        if (this.socket !== socket || this.closed || typeof data !== 'string') return;
        let message: { type?: unknown; n?: unknown; error?: unknown };
        try {
            message = JSON.parse(data) as typeof message;
        } catch {
            return;
        }
        if (message.type === 'error') {
            this.handlers.refused(String(message.error ?? 'The run refused what was sent.'));
            return;
        }
        if (typeof message.n !== 'number') return;
        this.isUp();
        /* Of a run that was lost with its service there may be no more than its end. */
        this.ended = message.type === 'end';
        if (message.n <= this.seen && !this.ended) return;
        this.seen = message.n;
        this.handlers.event(message as RunEvent);
    }

    /* That a socket opens does not say so yet: some are closed at once, each time. */
    private isUp(): void {
        this.downSince = 0;
        this.delay = RECONNECT_FIRST_MS;
    }

    private onClose(socket: WebSocket): void {
        if (this.socket !== socket || this.ended) return;
        this.socket = null;
        if (this.closed) {
            this.cancelWithoutSocket();
            return;
        }
        if (this.openSince > 0 && Date.now() - this.openSince > STOOD_MS) this.isUp();
        this.openSince = 0;
        if (this.downSince === 0) this.downSince = Date.now();
        if (Date.now() - this.downSince > RECONNECT_FOR_MS) {
            this.lose();
            return;
        }
        this.handlers.connection('reconnecting');
        this.timer = window.setTimeout(() => void this.retry(), this.delay);
        this.delay = Math.min(this.delay * 2, RECONNECT_MOST_MS);
    }

    private async retry(): Promise<void> {
        const exists = await runExists(this.id);
        if (this.closed) return;
        if (exists === false) this.lose();
        else this.connect();
    }

    private lose(): void {
        this.closed = true;
        this.handlers.connection('lost');
    }
}
