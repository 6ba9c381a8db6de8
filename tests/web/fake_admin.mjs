// SPDX-License-Identifier: MIT
// What an operator is told, by the service that is played: runs that were, keys,
// figures, and who is logged in. fake.admin holds it; tests change it.

export const ADMIN_KEY = 'rk_administrators';
export const RUN_KEY = 'rk_of-a-student';

const HOUR_MS = 3_600_000;
const LANGUAGES = ['python', 'c', 'javascript', 'java'];
const VERDICTS = ['succeeded', 'succeeded', 'failed', 'timeout', 'succeeded', 'memory_limit', 'compile_failed', 'cancelled'];
const REASONS = {
    succeeded: 'the program exited with status 0', failed: 'the program exited with status 1',
    timeout: 'it ran longer than 3 s', memory_limit: 'it used more than 64 MiB of memory',
    compile_failed: 'the compiler exited with status 1', cancelled: 'the client stopped it',
};

export const ESCAPES = '\x1b[31mred\x1b[0m<img src=x onerror="document.title=1">\n';

function eventsOf({ verdict, reason, usage }) {
    const said = [
        { t: 0, type: 'state', state: 'queued' },
        { t: 5, type: 'state', state: 'running' },
        { t: 10, type: 'stdout', data: 'first\n' },
        { t: 400, type: 'stdout', data: 'second\n' },
        { t: 800, type: 'stderr', data: 'a warning\n' },
        { t: 900, type: 'usage', cpu_ms: 40, memory_bytes: 8 * 1024 * 1024 },
        { t: 2000, type: 'stdout', data: ESCAPES },
        { t: 2100, type: 'state', state: 'finished' },
        { t: 2100, type: 'end', verdict, reason, exit_code: 0, signal: null, usage },
    ];
    return said.map((event, index) => ({ n: index + 1, ...event }));
}

function pastRun(index, now) {
    const verdict = VERDICTS[index % VERDICTS.length];
    const language = LANGUAGES[index % LANGUAGES.length];
    const run = {
        id: `run_past${String(index).padStart(3, '0')}`, status: verdict === 'succeeded' ? 'succeeded' : 'failed', verdict,
        reason: REASONS[verdict], exit_code: verdict === 'succeeded' ? 0 : 1, signal: null, language, key: index % 3,
        created_at: new Date(now - index * 600_000).toISOString(), metadata: { course: `c${index % 2}`, task: String(index) },
        usage: { wall_ms: 40 + index * 13, cpu_ms: 20 + index, compile_ms: 0, memory_peak_bytes: 9 * 1024 * 1024, queued_ms: index % 5 },
        isolation: 'full', limits: { timeout_ms: 3000, memory_mb: 64 }, limits_hit: { processes: index % 4, workspace: 0 },
        code_sha256: 'ab'.repeat(32), artifacts: [], artifacts_refused: [], artifacts_unlisted: 0,
        request: { language, code: `print("run ${index}")\n<script>`, stdin: 'some input\n', args: ['a', 'b c'], files: [{ path: 'data.txt', content: 'beside it' }] },
    };
    if (index === 0) {
        run.artifacts = [
            { id: 'file_1', name: 'plots/plot.svg', size: 2345, sha256: 'cd'.repeat(32), url: '/v1/files/file_1?payload=p&sig=s', expires_at: null, content_type: 'image/svg+xml' },
            { id: 'file_2', name: '<b>x</b>.txt', size: 5, sha256: 'ef'.repeat(32), url: 'javascript:document.title=2', expires_at: null, content_type: 'text/plain' },
        ];
        run.artifacts_refused = [{ name: 'link', reason: 'it is a symbolic link' }];
    }
    return { ...run, events: eventsOf(run) };
}

const key = (number, label, more = {}) => ({
    number, label, from_environment: false, scopes: ['run', 'files'], rate: 5, burst: 10, concurrency: 0, daily_ms: 0,
    created_at: '2026-11-20T08:00:00.000Z', expires_at: null, revoked_at: null, running: 0, today_runs: 0, today_run_ms: 0, ...more,
});

export const worker = (name, more = {}) => ({
    name, host: 'box-7', version: '0.1.0', slots: 4, running: 3, memory_mb: 6144, promised_mb: 1536, load: 2.25, service_ms: 120,
    last_seen_ms: 640, draining: false, ...more,
});

function stats(now, { queued, queuedBy, workers }) {
    const points = Array.from({ length: 360 }, (_, index) => {
        const ended = index < 40 ? 0 : Math.round(5 + 4 * Math.sin(index / 9));
        return {
            t: now - HOUR_MS + index * 10_000, queued: index > 200 && index < 240 ? index - 200 : 0, running: Math.min(4, ended), ended,
            p50_wall_ms: ended ? 90 + (index % 17) * 6 : null, p95_wall_ms: ended ? 300 + (index % 29) * 20 : null,
        };
    });
    return {
        version: '0.1.0', isolation: 'full', uptime_s: 93784, slots: 4, running: 3, queued, queue_length: 256,
        queued_by_priority: queuedBy, ...(workers && { workers }),
        store: { bytes: 123_456_789, free_bytes: 79_000_000_000, runs: 4321, files: 17 },
        ended: { total: 4318, verdicts: { succeeded: 4000, failed: 300, timeout: 18 }, languages: { python: 4000, c: 318 } },
        latency: { runs: 1024, queued_ms: { p50: 0, p95: 12, p99: 80 }, wall_ms: { p50: 120, p95: 900, p99: 2900 } },
        history: { step_ms: 10_000, points },
    };
}

async function bodyOf(request) {
    const parts = [];
    for await (const part of request) parts.push(part);
    return JSON.parse(Buffer.concat(parts).toString() || '{}');
}

export class FakeAdmin {
    constructor() {
        const now = Date.now();
        this.past = Array.from({ length: 120 }, (_, index) => pastRun(index, now));
        this.keys = [
            key(null, 'of the file', { from_environment: true, created_at: null }),
            key(1, 'administrators', { scopes: ['run', 'files', 'admin'], rate: 0, today_runs: 12, today_run_ms: 34_500, running: 1 }),
            key(2, 'students', { concurrency: 4, daily_ms: 3_600_000 }),
        ];
        this.keysConfigured = false;
        this.tokens = { [ADMIN_KEY]: { key: 'administrators', scopes: ['run', 'files', 'admin'] }, [RUN_KEY]: { key: 'students', scopes: ['run'] } };
        this.queued = 2;
        this.queuedBy = { high: 0, normal: 2, low: 0 };
        this.workers = null; /* there is no broker */
        this.place = {}; /* of a run that waits */
        this.asked = []; /* queries of lists */
        this.made = []; /* bodies of new keys */
        this.refuseKey = null;
    }

    /* The visitor, by the cookie of the login; null when he needs one. */
    visitor(request) {
        if (!this.keysConfigured) return { key: null, scopes: ['run', 'files', 'admin'] };
        const token = /(?:^|;\s*)runnel=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
        return this.tokens[token] ?? null;
    }

    /* True when it has answered. */
    async answer(fake, request, response, url) {
        const { pathname } = url;
        const { method } = request;
        const reply = (status, body, headers) => {
            fake.json(response, status, body, { 'Cache-Control': 'no-store', ...headers });
            return true;
        };
        const nothing = (headers = {}) => {
            response.writeHead(204, headers).end();
            return true;
        };
        if (pathname === '/v1/login') {
            const { key: token } = await bodyOf(request);
            if (!this.tokens[token]) return reply(401, { error: 'invalid token', data: null });
            return nothing({ 'Set-Cookie': `runnel=${token}; Path=/; HttpOnly; SameSite=Strict` });
        }
        if (pathname === '/v1/logout') return nothing({ 'Set-Cookie': 'runnel=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict' });
        const visitor = this.visitor(request);
        if (pathname === '/v1/me') return reply(200, { key: null, scopes: [], ...visitor, keys_configured: this.keysConfigured });
        if (!pathname.startsWith('/v1/')) return false;
        if (!visitor) return reply(401, { error: 'missing bearer token', data: null });
        const isAdmin = visitor.scopes.includes('admin');
        if (/^\/v1\/(stats|keys)/.test(pathname) && !isAdmin) return reply(403, { error: 'this key lacks the scope admin', code: 'forbidden' });
        if (pathname === '/v1/stats') return reply(200, stats(Date.now(), this));
        if (pathname === '/v1/keys' && method === 'GET') return reply(200, { keys: this.keys });
        if (pathname === '/v1/keys') return this.makeKey(await bodyOf(request), reply);
        if (pathname.startsWith('/v1/keys/')) {
            const found = this.keys.find(({ number }) => String(number) === pathname.split('/')[3]);
            if (found) found.revoked_at = new Date().toISOString();
            return found ? nothing() : reply(404, { error: 'there is no such key', code: 'not_found' });
        }
        if (pathname === '/v1/runs' && method === 'GET') return this.list(fake, url.searchParams, isAdmin, reply);
        return pathname.startsWith('/v1/runs/') && this.run(fake, request, response, url, reply);
    }

    makeKey(wanted, reply) {
        this.made.push(wanted);
        if (this.refuseKey) return reply(400, this.refuseKey);
        const number = this.keys.length;
        this.keys.push(key(number, wanted.label, { scopes: wanted.scopes }));
        this.tokens[`rk_new${number}`] = { key: wanted.label, scopes: wanted.scopes };
        if (number === 0) this.keysConfigured = true; /* the door is shut */
        return reply(201, { number, label: wanted.label, token: `rk_new${number}` });
    }

    list(fake, query, isAdmin, reply) {
        this.asked.push(Object.fromEntries(query));
        if (query.get('all') === 'true' && !isAdmin) return reply(403, { error: 'runs of every key are for keys with the scope admin', code: 'forbidden' });
        const live = [...fake.runs.values()].filter(({ over }) => !over).map((run) => this.record(run));
        let all = [...live.reverse(), ...this.past];
        const want = (name, matches) => { if (query.has(name)) all = all.filter((run) => matches(run, query.get(name))); };
        want('verdict', (run, verdict) => (run.verdict ?? 'none') === verdict);
        want('language', (run, language) => run.language === language);
        want('since', (run, since) => run.created_at >= since);
        want('until', (run, until) => run.created_at < until);
        want('metadata', (run, pairs) => pairs.split(',').every((pair) => run.metadata[pair.split(':')[0]] === pair.split(':')[1]));
        if (query.has('before')) all = all.slice(all.findIndex(({ id }) => id === query.get('before')) + 1);
        const limit = Number(query.get('limit') ?? 50);
        const runs = all.slice(0, limit).map(({ events, request, ...run }) => (query.get('all') ? run : { ...run, key: undefined }));
        return reply(200, { runs, next: all.length > limit ? runs.at(-1).id : null });
    }

    /* Of a run that the page has made. */
    record(run) {
        const end = run.over ? run.events.at(-1) : { verdict: null, reason: null, exit_code: null, signal: null };
        return {
            id: run.id, status: run.over ? 'succeeded' : run.state, ...(run.state === 'queued' && this.place), verdict: end.verdict, reason: end.reason, exit_code: end.exit_code,
            signal: end.signal, usage: end.usage, language: run.request.language, created_at: new Date(run.began).toISOString(), metadata: {},
            limits: {}, request: run.request, events: run.events,
        };
    }

    run(fake, request, response, { pathname, searchParams }, reply) {
        const [, , , id, part] = pathname.split('/');
        const live = fake.runs.get(id);
        const past = this.past.find((run) => run.id === id);
        if (!live && !past) return reply(404, { error: 'run not found', code: 'not_found' });
        if (part === 'events') {
            response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
            const send = (event) => {
                response.write(`id: ${event.n}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
                if (event.type === 'end') response.end();
            };
            for (const event of (live ?? past).events) send(event);
            live?.listeners.add(send);
            return true;
        }
        const goesOn = live && !live.over;
        if (request.method === 'DELETE' && goesOn) live.end('cancelled', { reason: 'the client stopped it', signal: 9 });
        else if (request.method === 'DELETE' && searchParams.get('only') !== 'cancel') {
            this.past = this.past.filter((run) => run !== past);
            fake.runs.delete(id);
            response.writeHead(204).end();
            return true;
        }
        const { events, ...record } = past ?? this.record(live);
        return reply(request.method === 'DELETE' && goesOn ? 202 : 200, record);
    }
}
