// SPDX-License-Identifier: MIT
/**
 * A client of Runnel's /v1: one file, for browsers and Node.js 18 or newer, nothing but fetch.
 *
 *     import { Runnel } from "./runnel.js";
 *
 *     const runnel = new Runnel({ url: "http://localhost:8080", key: "rk_…" });
 *     const run = await runnel.run({ language: "python", code: "print(input())", stdin: "hello" });
 *     console.log(run.verdict, run.stdout);
 *
 *     const live = await runnel.start({ language: "python", code: "print('hello', input())" });
 *     const session = await live.attach();               // a WebSocket
 *     session.input("Ada\n");
 *     for await (const event of session) console.log(event.type, event.data);
 *
 * In a page of the service's own, url and key may be left out: the login's cookie counts. In
 * Node.js older than 22, attach() needs a WebSocket to be given, as the package `ws` has one.
 * What the service refuses is a RunnelError.
 */

/**
 * @typedef {object} RunRequest
 * @property {string} language
 * @property {string} [code]
 * @property {{path: string, id?: string, content?: string | Uint8Array,
 *   encoding?: "utf-8" | "base64"}[]} [files]
 * @property {string} [entrypoint]
 * @property {string} [stdin]
 * @property {string[]} [args]
 * @property {string[]} [compile_args]
 * @property {Record<string, string>} [env]
 * @property {Record<string, number>} [limits]
 * @property {boolean} [tty]
 * @property {number} [columns]
 * @property {number} [rows]
 * @property {"kill" | "continue"} [on_disconnect]
 * @property {number} [disconnect_grace_ms]
 * @property {"high" | "normal" | "low"} [priority]
 * @property {Record<string, string>} [metadata]
 * @property {string} [webhook_url]
 */

/**
 * A file that a run left, or one that was uploaded; those have no more than the first four.
 * @typedef {object} Artifact
 * @property {string} id
 * @property {string} name
 * @property {number} size
 * @property {string} sha256
 * @property {string} [url]
 * @property {string} [expires_at]
 * @property {string} [content_type]
 */

/**
 * A run's record. Until its end, verdict is null, and what is not known yet is missing.
 * @typedef {object} Run
 * @property {string} id
 * @property {string} status
 * @property {number} [position] while it is queued: 1 is the next one
 * @property {number} [expected_wait_ms] while it is queued
 * @property {"high" | "normal" | "low"} [priority]
 * @property {number} [attempt] above 1: a worker was lost, and it was begun again
 * @property {string} [worker] which carries it out, where there are workers
 * @property {string | null} verdict
 * @property {string | null} [reason]
 * @property {number | null} [exit_code]
 * @property {number | null} [signal]
 * @property {string} [stdout]
 * @property {string} [stderr]
 * @property {Record<string, number>} [usage]
 * @property {Record<string, number>} limits
 * @property {Record<string, number>} [limits_hit]
 * @property {Artifact[]} [artifacts]
 * @property {{name: string, reason: string}[]} [artifacts_refused]
 * @property {string} language
 * @property {string} created_at
 * @property {Record<string, string>} metadata
 */

/**
 * n numbers them from 1; t is milliseconds since the run was made.
 * @typedef {object} RunEvent
 * @property {number} n
 * @property {number} t
 * @property {"state" | "stdout" | "stderr" | "notice" | "usage" | "gap" | "end" | "error"} type
 * @property {string} [data]
 * @property {string} [state]
 * @property {number} [attempt] of state: above 1 it begins again, and what was said before is void
 * @property {number} [lost_bytes]
 * @property {string | null} [verdict]
 * @property {string} [error]
 * @property {string} [code]
 */

/**
 * @typedef {object} Language
 * @property {string} name
 * @property {string} title
 * @property {string[]} aliases
 * @property {boolean} installed
 * @property {string | null} version
 * @property {string} source
 * @property {string | null} sample
 * @property {string | null} install
 */

const RESUMES_MAX = 5; // of a stream that ended without its `end`, one behind the other
const RETRY_AFTER_MAX_S = 30;
// What these refuse was not begun; of other errors nobody knows.
const NOT_BEGUN = ["rate_limited", "queue_full", "shutting_down"];

/** An answer that is no success. status is 0 when there was no answer of a service. */
export class RunnelError extends Error {
    /**
     * @param {number} status @param {string} code @param {string} message
     * @param {string} [field] @param {number} [retryAfter] seconds
     */
    constructor(status, code, message, field, retryAfter) {
        super(message);
        this.name = "RunnelError";
        this.status = status;
        this.code = code;
        this.field = field;
        this.retryAfter = retryAfter;
    }
}

/** A request that did not come from this service, or not now. */
export class WebhookError extends Error {}

/** @param {number} seconds */
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** @param {Uint8Array} bytes */
function base64(bytes) {
    let text = "";
    for (let at = 0; at < bytes.length; at += 0x8000)
        text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    return btoa(text);
}

/** @param {RunRequest} request */
function bodyOf(request) {
    const files = request.files?.map((file) =>
        file.content instanceof Uint8Array
            ? { ...file, content: base64(file.content), encoding: "base64" }
            : file);
    return JSON.stringify(files ? { ...request, files } : request);
}

/** @param {Response} response */
async function errorOf(response) {
    const told = await response.json().catch(() => ({}));
    const pause = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
    return new RunnelError(response.status, told?.code ?? `http_${response.status}`,
        told?.error ?? `the service answered ${response.status}`, told?.field,
        Number.isNaN(pause) ? undefined : pause);
}

/**
 * Seconds until it may be asked again; Infinity: never.
 * @param {unknown} error @param {boolean} again it may be done twice @param {number} backoff
 */
function pauseAfter(error, again, backoff) {
    if (!(error instanceof RunnelError)) return again ? backoff : Infinity;
    const pause = error.retryAfter ?? Infinity;
    const notBegun = error.status === 429 || NOT_BEGUN.includes(error.code);
    return pause <= RETRY_AFTER_MAX_S && (again || notBegun) ? pause : Infinity;
}

/** One service, as the holder of one key. */
export class Runnel {
    /**
     * retries: of what can be sent again without doing it twice.
     * @param {{url?: string, key?: string, retries?: number, fetch?: typeof fetch,
     *   WebSocket?: typeof WebSocket}} [options]
     */
    constructor(options = {}) {
        const here = globalThis.location?.origin ?? "http://localhost:8080";
        this.url = (options.url ?? here).replace(/\/+$/, "");
        this.retries = options.retries ?? 2;
        this.key = options.key;
        this.fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
        this.WebSocket = options.WebSocket ?? globalThis.WebSocket;
    }

    /**
     * Runs it and waits for its end.
     * @param {RunRequest} request
     * @param {{idempotencyKey?: string, signal?: AbortSignal | null}} [options]
     * @returns {Promise<Run>}
     */
    run(request, options = {}) {
        return this.#create("", request, options);
    }

    /**
     * Starts it, and leaves its input open.
     * @param {RunRequest} request
     * @param {{idempotencyKey?: string, signal?: AbortSignal | null}} [options]
     */
    async start(request, options = {}) {
        return new LiveRun(this, await this.#create("?wait=false", request, options));
    }

    /**
     * @param {string} query @param {RunRequest} request
     * @param {{idempotencyKey?: string, signal?: AbortSignal | null}} options
     * @returns {Promise<Run>}
     */
    #create(query, request, { idempotencyKey, signal = null }) {
        /** @type {Record<string, string>} */
        const headers = { "Content-Type": "application/json" };
        if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
        return this.#json(`/v1/runs${query}`,
            { method: "POST", headers, body: bodyOf(request), signal }, idempotencyKey !== undefined);
    }

    /** @param {string} run @returns {Promise<Run>} */
    get(run) {
        return this.#json(`/v1/runs/${encodeURIComponent(run)}`);
    }

    /**
     * All runs of the key, newest first, fetched by pages. verdict "none": those that have
     * not ended. since and until are times as in 2026-11-21T08:00:00Z.
     * @param {{language?: string, verdict?: string, metadata?: Record<string, string>,
     *   since?: string, until?: string, page?: number}} [filter]
     * @returns {AsyncGenerator<Run, void, void>}
     */
    async *list(filter = {}) {
        const { metadata, page = 50, ...rest } = filter;
        const query = new URLSearchParams({ limit: String(page) });
        for (const [name, value] of Object.entries(rest))
            if (value !== undefined) query.set(name, value);
        if (metadata)
            query.set("metadata", Object.entries(metadata).map((pair) => pair.join(":")).join(","));
        for (;;) {
            /** @type {{runs: Run[], next: string | null}} */
            const answer = await this.#json(`/v1/runs?${query}`);
            yield* answer.runs;
            if (!answer.next) return;
            query.set("before", answer.next);
        }
    }

    /**
     * Ends a run that goes on; one that has ended stays as it is. Its record; null from
     * a service that does not know this yet, which forgets one that has ended.
     * @param {string} run @returns {Promise<Run | null>}
     */
    cancel(run) {
        return this.#json(`/v1/runs/${encodeURIComponent(run)}?only=cancel`, { method: "DELETE" });
    }

    /**
     * Cancels a run that goes on, which is returned; forgets one that has ended, with its files:
     * so it is never sent again by itself.
     * @param {string} run @returns {Promise<Run | null>}
     */
    delete(run) {
        return this.#json(`/v1/runs/${encodeURIComponent(run)}`, { method: "DELETE" }, false);
    }

    /**
     * What happens in it, from behind the event of this number until its end; a connection
     * that is lost meanwhile is made again.
     * @param {string} run
     * @param {{after?: number, signal?: AbortSignal | null}} [options]
     * @returns {AsyncGenerator<RunEvent, void, void>}
     */
    async *events(run, { after = 0, signal = null } = {}) {
        for (let lost = 0; ; ) {
            let pause = 0;
            try {
                for await (const event of this.#eventsOnce(run, after, signal)) {
                    lost = 0;
                    after = event.n;
                    yield event;
                    if (event.type === "end") return;
                }
            } catch (error) {
                const passes = error instanceof RunnelError && [429, 503].includes(error.status);
                if (signal?.aborted || !(passes || error instanceof TypeError)) throw error;
                if (passes) pause = Math.min(error.retryAfter ?? 0, RETRY_AFTER_MAX_S);
            }
            if (++lost > RESUMES_MAX)
                throw new RunnelError(0, "connection_lost", "the stream ended before the run");
            await sleep(Math.max(pause, Math.min(0.2 * 2 ** lost, 5)));
        }
    }

    /**
     * @param {string} run @param {number} after @param {AbortSignal | null} signal
     * @returns {AsyncGenerator<RunEvent, void, void>}
     */
    async *#eventsOnce(run, after, signal) {
        /** @type {Record<string, string>} */
        const headers = { Accept: "text/event-stream" };
        if (after > 0) headers["Last-Event-ID"] = String(after);
        const response = await this.#answer(`/v1/runs/${encodeURIComponent(run)}/events`,
            { headers, signal });
        if (!response.body) return;
        const reader = response.body.getReader();
        const decoder = new TextDecoder();
        let text = "";
        try {
            for (;;) {
                const { done, value } = await reader.read();
                if (done) return;
                const lines = (text + decoder.decode(value, { stream: true })).split("\n");
                text = lines.pop() ?? "";
                for (const line of lines) // one of them an event
                    if (line.startsWith("data: ")) yield JSON.parse(line.slice(6));
            }
        } finally {
            await reader.cancel().catch(() => {});
        }
    }

    /**
     * A WebSocket to it, for input and more, from behind the event of this number.
     * @param {string} run
     * @param {{after?: number}} [options]
     */
    async attach(run, { after = 0 } = {}) {
        if (!this.WebSocket)
            throw new RunnelError(0, "no_websocket", "this Node.js has no WebSocket: give one");
        const url = new URL(`${this.url}/v1/runs/${encodeURIComponent(run)}/stream`);
        url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
        url.searchParams.set("from", String(after + 1));
        if (this.key) { // it takes no header, but a ticket that is good once
            const { ticket } = await this.#json("/v1/tickets", { method: "POST" }, true);
            url.searchParams.set("ticket", ticket);
        }
        return Session.open(new this.WebSocket(url.href));
    }

    /**
     * Gives a file to be used by its id in `files` of a run. What fs.openAsBlob() of
     * Node.js gives is sent without being held in memory.
     * @param {Blob | Uint8Array | ArrayBuffer | string} source
     * @param {string} [name]
     * @returns {Promise<Artifact>}
     */
    upload(source, name) {
        const blob = source instanceof Blob ? source : new Blob([/** @type {BlobPart} */ (source)]);
        const own = "name" in blob && typeof blob.name === "string" ? blob.name : "file";
        const form = new FormData();
        form.append("file", blob, name ?? own);
        return this.#json("/v1/files", { method: "POST", body: form });
    }

    /**
     * Of an artifact, or by id. The response's body is a stream; blob() and text() take all.
     * @param {Artifact | string} file
     * @param {{signal?: AbortSignal | null}} [options]
     */
    async download(file, { signal = null } = {}) {
        const id = typeof file === "string" ? file : file.id;
        const path = `/v1/files/${encodeURIComponent(id)}`;
        // By its link, which needs no scope; by its id when the link is too old. It is asked
        // for from our own service always: the key goes nowhere else.
        if (typeof file !== "string" && file.url) {
            const link = file.url.indexOf("?");
            try {
                return await this.#answer(path + file.url.slice(link), { signal });
            } catch (error) {
                if (!(error instanceof RunnelError) || error.status !== 403) throw error;
            }
        }
        return this.#answer(path, { signal });
    }

    /** @param {Artifact | string} file @returns {Promise<void>} */
    deleteFile(file) {
        const id = typeof file === "string" ? file : file.id;
        return this.#json(`/v1/files/${encodeURIComponent(id)}`, { method: "DELETE" });
    }

    /** @returns {Promise<Language[]>} */
    async languages() {
        return (await this.#json("/v1/languages")).languages;
    }

    /** What this key's webhooks are signed with; for verifyWebhook. @returns {Promise<string>} */
    async webhookSecret() {
        return (await this.#json("/v1/me")).webhook_secret;
    }

    /** @param {string} path @param {RequestInit} [init] */
    async #answer(path, init = {}) {
        const headers = new Headers(init.headers);
        if (this.key) headers.set("Authorization", `Bearer ${this.key}`);
        const response = await this.fetch(this.url + path, { ...init, headers });
        if (!response.ok) throw await errorOf(response);
        return response;
    }

    /**
     * again: it may be sent again, as everything but POST may.
     * @param {string} path @param {RequestInit} [init] @param {boolean} [again]
     * @returns {Promise<any>}
     */
    async #json(path, init = {}, again = init.method !== "POST") {
        let unanswered = false; // what was asked for may have been done
        for (let tries = 0; ; tries++) {
            try {
                const text = await (await this.#answer(path, init)).text();
                return text ? JSON.parse(text) : null;
            } catch (error) {
                const gone = error instanceof RunnelError && error.status === 404;
                if (gone && unanswered && init.method === "DELETE") return null;
                const pause = pauseAfter(error, again, 0.2 * 2 ** tries);
                if (init.signal?.aborted || tries >= this.retries || pause === Infinity)
                    throw error;
                unanswered ||= !(error instanceof RunnelError);
                await sleep(pause);
            }
        }
    }
}

/** A run that was started and not waited for. */
export class LiveRun {
    /** @param {Runnel} client @param {Run} run */
    constructor(client, run) {
        this.client = client;
        this.run = run;
        this.id = run.id;
    }

    /** @param {{after?: number, signal?: AbortSignal | null}} [options] */
    events(options) {
        return this.client.events(this.id, options);
    }

    /** @param {{after?: number}} [options] */
    attach(options) {
        return this.client.attach(this.id, options);
    }

    get() {
        return this.client.get(this.id);
    }

    cancel() {
        return this.client.cancel(this.id);
    }

    /** Until its end: its record. */
    async wait() {
        for await (const event of this.events()) if (event.type === "end") break;
        return this.get();
    }
}

/**
 * A run over a WebSocket: its events, and what is for it. An event of the type `error` tells
 * what of that could not be done.
 */
export class Session {
    /** @type {RunEvent[]} */ #events = [];
    /** @type {(() => void) | null} */ #wake = null;
    #closed = false;
    #ended = false;
    #socket;

    /** @param {WebSocket} socket @returns {Promise<Session>} */
    static open(socket) {
        return new Promise((resolve, reject) => {
            const session = new Session(socket);
            socket.onopen = () => resolve(session);
            socket.onerror = () => // browsers tell no more, so that pages learn nothing by it
                reject(new RunnelError(0, "no_websocket", "the WebSocket could not be opened"));
        });
    }

    /** @param {WebSocket} socket */
    constructor(socket) {
        this.#socket = socket;
        socket.onmessage = (message) => {
            this.#events.push(JSON.parse(message.data));
            this.#wake?.();
        };
        socket.onclose = () => {
            this.#closed = true;
            this.#wake?.();
        };
    }

    /** @param {object} message */
    #tell(message) {
        this.#socket.send(JSON.stringify(message));
    }

    /** @param {string} text */
    input(text) {
        this.#tell({ type: "input", data: text });
    }

    eof() {
        this.#tell({ type: "eof" });
    }

    /** @param {"INT" | "TERM" | "QUIT" | "HUP" | "USR1" | "USR2" | "TSTP" | "CONT" | "KILL"} name */
    signal(name) {
        this.#tell({ type: "signal", signal: name });
    }

    /** @param {number} columns @param {number} rows */
    resize(columns, rows) {
        this.#tell({ type: "resize", columns, rows });
    }

    cancel() {
        this.#tell({ type: "cancel" });
    }

    close() {
        this.#socket.close(1000);
    }

    /** Until the service closes, after the event `end`; one reader at a time.
     * @returns {AsyncGenerator<RunEvent, void, void>} */
    async *[Symbol.asyncIterator]() {
        for (;;) {
            const event = this.#events.shift();
            if (event) {
                this.#ended ||= event.type === "end";
                yield event;
            } else if (this.#closed) {
                if (this.#ended) return;
                throw new RunnelError(0, "connection_lost", "the WebSocket ended before the run");
            } else {
                await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
                this.#wake = null;
            }
        }
    }
}

/**
 * The run that a webhook tells of; a WebhookError when the request is not this service's, or
 * too old or new. The form is that of standardwebhooks.com. A webhook may come twice: its
 * Webhook-Id is the run's id.
 * @param {string} secret
 * @param {Headers | Record<string, string | string[] | undefined>} headers
 * @param {string | Uint8Array} body as it came
 * @param {{toleranceSeconds?: number}} [options]
 * @returns {Promise<Run>}
 */
export async function verifyWebhook(secret, headers, body, { toleranceSeconds = 300 } = {}) {
    const given = headers instanceof Headers ? headers : new Headers();
    if (!(headers instanceof Headers))
        for (const [name, value] of Object.entries(headers)) given.set(name, String(value ?? ""));
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const id = given.get("webhook-id");
    const sent = given.get("webhook-timestamp");
    if (!id || !sent || !/^\d+$/.test(sent)) throw new WebhookError("no signed webhook");
    const head = new TextEncoder().encode(`${id}.${sent}.`);
    const signed = new Uint8Array(head.length + bytes.length);
    signed.set(head);
    signed.set(bytes, head.length);
    const raw = Uint8Array.from(atob(secret.replace(/^whsec_/, "")), (c) => c.charCodeAt(0));
    const { subtle } = globalThis.crypto ?? (await nodeCrypto());
    const hmac = { name: "HMAC", hash: "SHA-256" };
    const key = await subtle.importKey("raw", raw, hmac, false, ["verify"]);
    let found = false;
    for (const signature of (given.get("webhook-signature") ?? "").split(" ")) {
        if (!/^v1,[A-Za-z0-9+/]{43}=$/.test(signature)) continue;
        const digest = Uint8Array.from(atob(signature.slice(3)), (c) => c.charCodeAt(0));
        found = (await subtle.verify("HMAC", key, digest, signed)) || found;
    }
    if (!found) throw new WebhookError("the signature is not of this secret");
    if (Math.abs(Date.now() / 1000 - Number(sent)) > toleranceSeconds)
        throw new WebhookError("the webhook is too old, or a clock is wrong");
    return JSON.parse(new TextDecoder().decode(bytes));
}

/** Node.js 18 has it under this name only. @returns {Promise<Crypto>} */
async function nodeCrypto() {
    const name = "node:crypto";
    return (await import(name)).webcrypto;
}
