#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// The known page's component as it is in a browser, played with `ws` and fetch: it submits,
// follows the job over a WebSocket, asks for the job each second, and closes the WebSocket
// when it reads of the end.
//
//     tests/dialect/jobs/run.mjs URL
//
// It speaks as tests/report.py does.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';

const require = createRequire(new URL('../../../web/package.json', import.meta.url));
const WebSocket = require('ws');
const url = process.argv[2];
const ORIGIN = 'http://localhost:3000';
const POLLS = 60;

class Component {
    constructor(period_ms = 1000, polls = POLLS) {
        this.period_ms = period_ms;
        this.polls = polls;
        this.shown = [];
    }

    async submit(language, source_code) {
        const response = await fetch(`${url}/api/execute`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json', Origin: ORIGIN },
            body: JSON.stringify({ language, source_code, workspace_id: 'web-editor' }),
        });
        if (!response.ok) throw new Error(`HTTP ${response.status}: ${response.statusText}`);
        this.id = (await response.json()).job_id;
    }

    follow() {
        this.socket = new WebSocket(`${url.replace('http', 'ws')}/stream/${this.id}`, { origin: ORIGIN });
        this.socket.on('open', () => this.socket.send(JSON.stringify({ type: 'subscribe', job_id: this.id })));
        this.socket.on('message', (text) => {
            const message = JSON.parse(text);
            if (message.type === 'output' && message.data.job_id === this.id) this.shown.push(message.data);
        });
        return new Promise((open, failed) => this.socket.on('open', open).on('error', failed));
    }

    async job() {
        return (await fetch(`${url}/api/jobs/${this.id}`, { headers: { Origin: ORIGIN } })).json();
    }

    async poll() {
        for (let i = 0; i < this.polls; i++) {
            await pause(this.period_ms);
            const job = await this.job();
            if ((job.status === 'completed' || job.status === 'failed') && job.result) {
                this.socket.close();
                return job.result;
            }
        }
        throw new Error('timeout');
    }

    async run(language, source_code) {
        await this.submit(language, source_code);
        await this.follow();
        return this.poll();
    }

    async stop() {
        await fetch(`${url}/api/jobs/${this.id}`, { method: 'DELETE' });
        this.socket.close();
    }

    lines() {
        return this.shown.map(({ line }) => line);
    }
}

const STARTERS = {
    python: 'print("Hello, World!")',
    javascript: 'console.log("Hello, World!");',
    go: 'package main\n\nimport "fmt"\n\nfunc main() {\n    fmt.Println("Hello, World!")\n}',
    rust: 'fn main() {\n    println!("Hello, World!");\n}',
    java: 'public class Main {\n    public static void main(String[] args) {\n        System.out.println("Hello, World!");\n    }\n}',
};

const tests = {
    async 'what it starts with, in each of its languages'() {
        for (const [language, code] of Object.entries(STARTERS)) {
            const page = new Component();
            const result = await page.run(language, code);
            assert.equal(result.job_id, page.id);
            assert.equal(result.exit_code, 0, `${language}: ${result.output}`);
            assert.ok(result.duration > 0);
            assert.deepEqual(page.lines(), ['Hello, World!'], language);
        }
    },

    async 'lines come while it runs, with their streams'() {
        const page = new Component();
        const result = await page.run('python', 'import sys, time\nfor i in range(4):\n    print(i, flush=True)\n    print(-i, file=sys.stderr, flush=True)\n    time.sleep(0.4)\nsys.exit(2)');
        assert.equal(result.exit_code, 2);
        assert.deepEqual(page.shown.map(({ line, stream }) => `${stream} ${line}`),
            [0, 1, 2, 3].flatMap((i) => [`stdout ${i}`, `stderr ${i === 0 ? 0 : -i}`]));
        assert.ok(new Date(page.shown.at(-1).timestamp) - new Date(page.shown[0].timestamp) > 1000);
    },

    /* Polled without a pause, so that polls fall right behind the end. */
    async 'the last line is there before the end is read'() {
        for (let i = 0; i < 25; i++) {
            const page = new Component(1, 60 * POLLS);
            await page.run('bash', 'echo first; sleep 0.03; echo second; printf last');
            assert.deepEqual(page.lines(), ['first', 'second', 'last']);
        }
    },

    async 'many lines arrive whole and in order'() {
        const page = new Component();
        await page.run('bash', 'seq 1 50000');
        assert.equal(page.shown.length, 50000);
        page.lines().forEach((line, at) => assert.equal(line, String(at + 1)));
    },

    async 'its Stop ends the program'() {
        const page = new Component();
        await page.submit('bash', 'echo on; sleep 300');
        await page.follow();
        while (page.shown.length === 0) await pause(10);
        await page.stop();
        for (let job = await page.job(); job.status !== 'cancelled'; job = await page.job()) {
            assert.equal(job.status, 'submitted');
            await pause(20);
        }
    },

    async 'a refusal is shown with its status'() {
        await assert.rejects(new Component().run('cobol', 'x'), /HTTP 400: Bad Request/);
        await assert.rejects(new Component().run('python', 'x'.repeat(100001)), /HTTP 400/);
    },
};

const counts = { ok: 0, FAIL: 0, skip: 0 };
for (const [name, test] of Object.entries(tests)) {
    let word = 'ok';
    let reason = '';
    try {
        await test();
    } catch (error) {
        word = 'FAIL';
        reason = ` (${String(error?.message ?? error).replace(/\s+/g, ' ').slice(0, 500)})`;
    }
    counts[word] += 1;
    console.log(`${word} ${name}${reason}`);
}
console.log(`${counts.ok} passed, ${counts.FAIL} failed, ${counts.skip} skipped`);
process.exit(counts.FAIL > 0 ? 1 : 0);
