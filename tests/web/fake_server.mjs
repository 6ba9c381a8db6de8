// SPDX-License-Identifier: MIT
// Stands in for the service: the files of the bundled page with the headers of
// src/dialect/page.c, and the native protocol of live runs, whose "programs" are
// the words in the code. fake.runs holds what the page has asked for and sent.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FakeAdmin } from './fake_admin.mjs';
import { ROOT, WebSocketServer } from './modules.mjs';

const TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.svg': 'image/svg+xml',
    '.txt': 'text/plain; charset=utf-8',
};

const language = (name, title, grammar, source, more = {}) => ({
    name, title, aliases: [], version: '1.2.3', installed: true, grammar, source,
    sample: null, sample_stdin: null, install: null, ...more,
});

export const LANGUAGES = [
    language('python', 'Python', 'python', 'main.py', { aliases: ['py'], version: '3.11.2', sample: 'ask\n' }),
    language('javascript', 'JavaScript', 'javascript', 'main.js', { version: '20.1.0' }),
    language('java', 'Java', 'java', 'Main.java'),
    language('c', 'C', 'c', 'main.c'),
    language('cpp', 'C++', 'cpp', 'main.cpp'),
    language('go', 'Go', 'go', 'main.go'),
    language('php', 'PHP', 'php', 'main.php'),
    language('rust', 'Rust', 'rust', 'main.rs'),
    language('ruby', 'Ruby', 'ruby', 'main.rb'),
    language('csharp', 'C#', 'csharp', 'main.cs'),
    language('scala', 'Scala', 'scala', 'Main.scala'),
    language('octave', 'Octave', 'octave', 'main.m'),
    language('assembly', 'Assembly', 'nasm', 'main.asm'),
    language('bash', 'Bash', 'shell', 'main.sh', { sample_stdin: 'from the sample\n' }),
    language('dart', 'Dart', 'dart', 'main.dart', {
        version: null, installed: false, install: 'sudo apt-get install dart',
    }),
    language('future', 'Future', 'a-grammar-of-tomorrow', 'main.future', { sample: 'print hello\n' }),
];

/* The policy stands in one place; what is tried here is what is served there. */
function pageHeaders() {
    const source = readFileSync(join(ROOT, 'src/dialect/page.c'), 'utf8');
    const table = /page_headers\[\] = \{([\s\S]*?)\n\};/.exec(source)[1];
    const rows = table.matchAll(/\{\s*"([\w-]+)",\s*((?:"[^"]*"\s*)+)\}/g);
    return Object.fromEntries([...rows].map(([, name, text]) =>
        [name, [...text.matchAll(/"([^"]*)"/g)].map((part) => part[1]).join('')]));
}

class Run {
    constructor(fake, id, request) {
        Object.assign(this, { fake, id, request, events: [], sent: [], waiting: null, over: false, input: '' });
        this.began = Date.now();
        this.sockets = new Set();
        this.listeners = new Set();
        this.input += request.stdin ?? '';
    }

    emit(event) {
        if (this.over) return;
        const numbered = { n: this.events.length + 1, t: Date.now() - this.began, ...event };
        this.events.push(numbered);
        this.over = event.type === 'end';
        if (event.type === 'state') this.state = event.state;
        for (const socket of this.sockets) this.deliver(socket, numbered);
        for (const tell of this.listeners) tell(numbered);
    }

    deliver(socket, event) {
        socket.send(JSON.stringify(event));
        if (event.type === 'end') socket.close(1000);
    }

    attach(socket, from) {
        this.attached = (this.attached ?? 0) + 1;
        if (this.deaf) {
            socket.close(1000);
            return;
        }
        for (const event of this.events) if (event.n >= from || event.type === 'end') this.deliver(socket, event);
        this.sockets.add(socket);
        socket.on('close', () => this.sockets.delete(socket));
        socket.on('message', (text) => this.take(JSON.parse(text)));
    }

    take(command) {
        this.sent.push(command);
        if (command.type === 'cancel') this.end('cancelled', { reason: 'stopped by a client', signal: 9 });
        if (command.type === 'input') this.input += command.data;
        if (command.type === 'eof') this.eof = true;
        if (command.type === 'signal') this.end('killed_by_signal', { reason: 'ended by SIGINT', signal: 2 });
        this.wake?.();
    }

    end(verdict, more = {}) {
        this.emit({ type: 'state', state: 'finished' });
        this.emit({
            type: 'end', verdict, reason: '', exit_code: null, signal: null,
            usage: { wall_ms: 1234, cpu_ms: 56, compile_ms: 0, memory_peak_bytes: 9961472 }, ...more,
        });
        this.wake?.();
    }

    print(data, type = 'stdout') {
        this.emit({ type, data: this.request.tty ? data.replace(/\n/g, '\r\n') : data });
    }

    /* A line of input; null after its end. */
    async line() {
        this.emit({ type: 'state', state: 'waiting' });
        while (!this.over && !this.eof && !/[\r\n]/.test(this.input))
            await new Promise((wake) => { this.wake = wake; });
        const [line, rest] = /[\r\n]/.test(this.input) ? this.input.split(/[\r\n](.*)/s) : [this.input, ''];
        const ended = this.input === '';
        this.input = rest ?? '';
        this.emit({ type: 'state', state: 'running' });
        return ended ? null : line;
    }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/* One statement a line; the first word is the statement. */
const statements = {
    print: (run, rest) => run.print(`${rest}\n`),
    say: (run, rest) => run.print(JSON.parse(rest)),
    error: (run, rest) => run.print(`${rest}\n`, 'stderr'),
    notice: (run, rest) => run.emit({ type: 'notice', data: `${rest}\n` }),
    gap: (run, rest) => run.emit({ type: 'gap', lost_bytes: Number(rest) }),
    sleep: (run, rest) => pause(Number(rest)),
    drop: (run) => { for (const socket of run.sockets) socket.terminate(); },
    crash: (run) => { /* of the service: of a run that it had, only an end is known afterwards */
        for (const socket of run.sockets) socket.terminate();
        run.sockets.clear();
        run.events = [];
        run.emit({ type: 'end', verdict: 'internal_error', reason: 'interrupted', exit_code: null, signal: null });
    },
    deafen: (run) => {
        run.deaf = true;
        for (const socket of run.sockets) socket.terminate();
    },
    forget: (run) => {
        run.fake.runs.delete(run.id);
        for (const socket of run.sockets) socket.terminate();
    },
    flood: async (run, rest) => {
        for (let line = 0; line < Number(rest); line++) {
            run.print(`line ${line} ${'x'.repeat(60)}\n`);
            if (line % 500 === 499) await pause(1);
        }
    },
    blob: (run, rest) => run.print('x'.repeat(Number(rest))),
    use: async (run, rest) => {
        for (let tick = 1; tick <= Number(rest) && !run.over; tick++) {
            run.emit({ type: 'usage', cpu_ms: tick * 40, memory_bytes: (8 + 4 * Math.sin(tick / 3)) * 1048576 });
            await pause(50);
        }
    },
    ask: async (run) => {
        run.print('Enter your name: ');
        const name = await run.line();
        run.print(name === null ? '\nno name\n' : `Hello, ${name}!\n`);
    },
    lines: async (run) => {
        for (let line = await run.line(); line !== null && !run.over; line = await run.line())
            run.print(`got ${JSON.stringify(line)}\n`);
    },
    args: (run) => run.print(`${JSON.stringify(run.request.args ?? [])}\n`),
    hang: (run) => new Promise((wake) => { run.wake = wake; }),
    fail: (run, rest) => run.end('failed', { exit_code: Number(rest), reason: `it ended with exit code ${rest}` }),
    verdict: (run, rest) => run.end(rest, { reason: `this is ${rest}` }),
};

async function play(run) {
    run.emit({ type: 'state', state: 'queued' });
    await run.fake.turn;
    await pause(5);
    run.emit({ type: 'state', state: 'running' });
    for (const statement of run.request.code.split('\n')) {
        const [, word, rest] = /^(\w+)(?: (.*))?$/.exec(statement.trim()) ?? [];
        if (run.over) return;
        if (word && statements[word]) await statements[word](run, rest ?? '');
    }
    run.end('succeeded', { exit_code: 0 });
}

class Fake {
    constructor(folder) {
        this.folder = folder;
        this.headers = pageHeaders();
        this.posts = 0;
        this.forget();
        this.server = createServer((request, response) => void this.answer(request, response));
        const sockets = new WebSocketServer({ noServer: true });
        this.server.on('upgrade', (request, socket, head) => {
            const url = new URL(request.url, 'http://fake');
            const run = this.runs.get(/^\/v1\/runs\/([^/]+)\/stream$/.exec(url.pathname)?.[1]);
            if (!this.admin.visitor(request)) {
                socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
                return;
            }
            if (!run) {
                socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
                return;
            }
            sockets.handleUpgrade(request, socket, head, (peer) =>
                run.attach(peer, Number(url.searchParams.get('from') ?? 1)));
        });
    }

    /* Before the next test. */
    forget() {
        this.runs = new Map();
        this.admin = new FakeAdmin();
        this.refuse = null; /* {status, body, headers} for the next POST */
        this.isDown = false;
        this.postDelay = 0;
        this.turn = null; /* a promise: runs wait for it in the queue */
        this.versionless = 0; /* lists without versions before one with them */
    }

    get last() {
        return [...this.runs.values()].at(-1);
    }

    /* What was typed into a run, all of it. */
    typed(run = this.last) {
        return run.sent.filter(({ type }) => type === 'input').map(({ data }) => data).join('');
    }

    languages() {
        const known = this.versionless-- <= 0;
        return known ? LANGUAGES : LANGUAGES.map((one) => ({ ...one, version: null }));
    }

    json(response, status, body, headers = {}) {
        response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
        response.end(JSON.stringify(body));
    }

    async answer(request, response) {
        const url = new URL(request.url, 'http://fake');
        const { pathname } = url;
        if (this.isDown) {
            request.socket.destroy();
            return;
        }
        if (await this.admin.answer(this, request, response, url)) return;
        if (pathname === '/v1/languages') this.json(response, 200, { languages: this.languages() });
        else if (pathname === '/v1/runs' && request.method === 'POST') await this.create(request, response);
        else this.file(pathname, response);
    }

    async create(request, response) {
        const parts = [];
        for await (const part of request) parts.push(part);
        this.posts += 1;
        if (this.postDelay) await pause(this.postDelay);
        if (this.refuse) {
            const { status, body, headers } = this.refuse;
            this.refuse = null;
            this.json(response, status, body, headers);
            return;
        }
        const run = new Run(this, `r${this.posts}`, JSON.parse(Buffer.concat(parts)));
        this.runs.set(run.id, run);
        this.json(response, 201, { id: run.id, status: 'queued', verdict: null, exit_code: null });
        void play(run);
    }

    file(pathname, response) {
        try {
            const path = pathname === '/' ? '/index.html' : pathname;
            const body = gzipSync(readFileSync(join(this.folder, path)));
            response.writeHead(200, {
                'Content-Type': TYPES[extname(path)], 'Content-Encoding': 'gzip',
                'X-Content-Type-Options': 'nosniff', ...this.headers,
            });
            response.end(body);
        } catch {
            this.json(response, 404, { error: `no ${pathname}`, code: 'not_found' });
        }
    }

    close() {
        this.server.closeAllConnections();
        this.server.close();
    }
}

export async function startFake(folder, port = 0) {
    const fake = new Fake(folder);
    await new Promise((ready) => fake.server.listen(port, '127.0.0.1', ready));
    fake.url = `http://127.0.0.1:${fake.server.address().port}/`;
    return fake;
}
