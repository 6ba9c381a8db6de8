// SPDX-License-Identifier: MIT
// A key and its echo, over our WebSocket and over that of a small server made of the
// npm packages ws and node-pty, turn by turn; and how fast a flood comes.
//
//     node live.mjs MODULES SERVICE_URL ROUNDS KEYS SECONDS
//     node live.mjs MODULES                                  is that server
//
// MODULES: a folder in whose node_modules ws and node-pty are. Prints rows of a table.
import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const [modules, service, rounds, keys, seconds] = process.argv.slice(2);
const require = createRequire(join(modules, 'package.json'));
const { WebSocket, WebSocketServer } = require('ws');
const HEAD = 9; // of a binary frame of ours: the stream, and the event's number

const quantile = (sorted, at) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))];
const opened = (socket) => new Promise((done, fail) => socket.once('open', done).once('error', fail));

/* What a developer would write instead: no sandbox, nothing kept. */
async function serve() {
    const pty = require('node-pty');
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
    server.on('connection', (socket) => {
        const child = pty.spawn('/bin/sh', ['-c', 'stty raw -echo; exec cat'], { encoding: null });
        child.onData((data) => socket.send(data));
        socket.on('message', (data) => child.write(data));
        socket.on('close', () => child.kill());
    });
    server.on('listening', () => process.send(server.address().port));
}

async function startRun(code, tty) {
    const answer = await fetch(`${service}/v1/runs?wait=false`, {
        method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ language: 'bash', code, tty, disconnect_grace_ms: 1 }),
    });
    return (await answer.json()).id;
}

async function attach(id) {
    const socket = new WebSocket(`${service.replace('http', 'ws')}/v1/runs/${id}/stream`, 'runnel.bytes');
    await opened(socket);
    return socket;
}

/* Milliseconds from each key to its echo. */
async function type(socket, isEcho) {
    const took = [];
    let arrived = () => undefined;
    socket.on('message', (data, binary) => isEcho(data, binary) && arrived());
    await pause(300);
    for (let i = 0; i < Number(keys); i++) {
        const began = process.hrtime.bigint();
        const echo = new Promise((done) => { arrived = done; });
        socket.send(Buffer.from('x'));
        await echo;
        took.push(Number(process.hrtime.bigint() - began) / 1e6);
    }
    socket.removeAllListeners('message');
    return took;
}

async function flood(socket, count) {
    let bytes = 0;
    socket.on('message', (data, binary) => { if (binary) bytes += count(data); });
    const began = Date.now();
    await pause(Number(seconds) * 1000);
    return bytes / 1e6 / ((Date.now() - began) / 1000);
}

async function compare() {
    const server = fork(import.meta.filename ?? process.argv[1], [modules]);
    const port = await new Promise((done) => server.once('message', done));
    const ours = [];
    const beside = [];
    const plain = [];
    const floods = [];
    for (let round = 0; round < Number(rounds); round++) {
        const mine = await attach(await startRun('stty raw -echo; exec cat', true));
        ours.push(...await type(mine, (data, binary) => binary));
        const other = new WebSocket(`ws://127.0.0.1:${port}`);
        await opened(other);
        plain.push(...await type(other, () => true));
        other.close();
        const flooding = await attach(await startRun('exec yes', false));
        beside.push(...await type(mine, (data, binary) => binary));
        floods.push(await flood(flooding, (data) => data.length - HEAD));
        flooding.terminate();
        mine.close();
    }
    for (const [name, took] of [['ours', ours], ['ours, beside a run that floods', beside], ['ws and node-pty', plain]]) {
        took.sort((a, b) => a - b);
        console.log(`| a key's echo, ${name} | ${quantile(took, 0.5).toFixed(2)} ms | ${quantile(took, 0.99).toFixed(2)} ms |`);
    }
    floods.sort((a, b) => a - b);
    console.log(`| \`yes\` to one reader, MB a second | ${quantile(floods, 0.5).toFixed(0)} | least ${floods[0].toFixed(0)} |`);
    server.kill();
    process.exit(0);
}

await (service ? compare() : serve());
