#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Clients of the dialect `interactive` as they are installed: socket.io-client, the
// version that the known page loads and the newest, by polling, by WebSocket, and from
// one to the other; from Node.js, and from pages in a browser (in_browser.mjs).
//
//     tests/dialect/interactive/run.mjs URL
//
// It speaks as tests/report.py does.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import { browserTests } from './in_browser.mjs';

const require = createRequire(new URL('../../../web/package.json', import.meta.url));
const url = process.argv[2];
const LIMIT_MS = 30000;
const ways = [
    ['socket.io-client-4.6.1', {}],
    ['socket.io-client', {}],
    ['socket.io-client', { transports: ['websocket'] }],
    ['socket.io-client', { transports: ['polling'] }],
];

/* One client, and all that it heard. */
class Client {
    constructor([name, options]) {
        this.socket = require(name).io(url, { forceNew: true, reconnection: false, ...options });
        this.heard = [];
        this.socket.onAny((event, argument) => this.heard.push([event, argument]));
    }

    async until(what, found) {
        for (const end = Date.now() + LIMIT_MS; Date.now() < end; await pause(5)) {
            const value = found();
            if (value) return value;
        }
        throw new Error(`waited in vain for ${what}; heard ${JSON.stringify(this.heard).slice(0, 400)}`);
    }

    connected() {
        return this.until('the connection', () => this.socket.connected);
    }

    execute(language, code) {
        this.socket.emit('execute-interactive', { language, code });
    }

    of(event) {
        return this.heard.filter(([name]) => name === event).map(([, argument]) => argument);
    }

    said(type) {
        return this.of('output').filter((one) => one.type === type).map((one) => one.data).join('');
    }

    id() {
        return this.until('the start', () => this.of('execution-start')[0]?.executionId);
    }

    completed(count = 1) {
        return this.until('the end', () => this.of('execution-complete')[count - 1]);
    }
}

const running = async () => (await (await fetch(`${url}/health`)).json()).running;

const tests = {
    async 'a program asks and is answered'(client) {
        client.execute('python', 'import sys\nname = input("name? ")\nprint("hello", name)\nprint("bad", file=sys.stderr)');
        const executionId = await client.id();
        await client.until('the prompt', () => client.said(undefined).includes('name? '));
        client.socket.emit('input', { data: 'Ada', executionId });
        assert.deepEqual(await client.completed(), { status: 'success', exitCode: 0, executionId });
        assert.deepEqual(client.heard[0], ['output', { data: '🚀 Starting execution...\n\n' }]);
        assert.equal(client.heard[1][0], 'execution-start');
        assert.equal(client.said(undefined), '🚀 Starting execution...\n\nname? hello Ada\n');
        assert.match(client.said('stderr'), /^bad\n?$/);
    },

    async 'what ends otherwise is told'(client) {
        client.execute('bash', 'exit 3');
        assert.equal((await client.completed(1)).exitCode, 3);
        client.execute('c', 'int main(');
        assert.equal((await client.completed(2)).status, 'error');
        assert.match(client.said('stderr'), /error/);
        client.execute('python', 'x = []\nwhile True: x.append("x" * 1000000)');
        assert.equal((await client.completed(3)).exitCode, 137);
        assert.match(client.said('error'), /memory/);
    },

    async 'what cannot be run is an error and an end'(client) {
        const wrong = [{ language: 'cobol', code: 'x' }, { language: 'bash' }, { language: 'bash', code: '' }, {}, null, 5,
            'text', [], [{}], { language: {}, code: [] }, { language: 'constructor', code: 'x' }, undefined];
        for (const [at, argument] of wrong.entries()) {
            client.socket.emit('execute-interactive', argument);
            assert.deepEqual(await client.completed(at + 1), { status: 'error' });
            assert.equal(client.of('error').length, at + 1);
        }
        assert.equal(client.of('error')[0].message, 'Unsupported language: cobol');
        for (const argument of [null, 5, {}, { data: 5, executionId: 5 }, { data: 'x', executionId: 'nobody' }, [[[]]]])
            client.socket.emit('input', argument);
        client.socket.emit('no such event', { a: 1 }, 2, 3);
        client.socket.emit('execute-interactive');
        await client.completed(wrong.length + 1);
        client.execute('bash', 'echo still here');
        assert.equal((await client.completed(wrong.length + 2)).status, 'success');
    },

    async 'several programs at once keep apart'(client) {
        for (let i = 0; i < 3; i++) client.execute('bash', 'read -r x; echo "$x"');
        await client.until('three starts', () => client.of('execution-start').length === 3);
        const ids = client.of('execution-start').map((one) => one.executionId);
        for (const executionId of ids) client.socket.emit('input', { data: `for ${executionId}`, executionId });
        await client.completed(3);
        for (const executionId of ids) assert.ok(client.said(undefined).includes(`for ${executionId}\n`));
    },

    async 'a flood arrives whole and in order'(client) {
        client.execute('python', 'for i in range(50000): print(i)');
        await client.completed();
        const lines = client.said(undefined).split('\n').slice(2, -1);
        assert.equal(lines.length, 50000);
        lines.forEach((line, at) => assert.equal(line, String(at)));
    },

    async 'leaving ends the programs'(client) {
        client.execute('bash', 'sleep 300');
        await client.id();
        await client.until('it runs', async () => (await running()) > 0);
        client.socket.disconnect();
        for (const end = Date.now() + LIMIT_MS; Date.now() < end; await pause(20)) if ((await running()) === 0) return;
        throw new Error('it goes on');
    },
};

const counts = { ok: 0, FAIL: 0, skip: 0 };

async function report(name, test) {
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

for (const way of ways) {
    for (const [name, test] of Object.entries(tests)) {
        const client = new Client(way);
        await report(`${way[0]} ${way[1].transports ?? 'upgrading'}: ${name}`, async () => {
            await client.connected();
            await test(client);
        });
        client.socket.disconnect();
    }
}
if (!(await browserTests(url, report))) {
    counts.skip += 1;
    console.log('skip in a page (no chromium here)');
}
console.log(`${counts.ok} passed, ${counts.FAIL} failed, ${counts.skip} skipped`);
process.exit(counts.FAIL > 0 ? 1 : 0);
