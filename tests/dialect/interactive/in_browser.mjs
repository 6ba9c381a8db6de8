// SPDX-License-Identifier: MIT
// socket.io-client inside pages of other origins: what a page on another port of this
// machine may, and what a page from elsewhere may not.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Browser, findProgram } from '../../web/browser.mjs';
import { scriptOf } from '../../web/modules.mjs';

const LIMIT_MS = 30000;
const CLIENTS = { '/4.6.1': 'socket.io-client-4.6.1', '/newest': 'socket.io-client' };
const ELSEWHERE = 'page.example'; /* which the browser is told to find here */

/* A connection of the page's own making, and all that it heard. */
const HELPERS = `
    window.heard = [];
    window.open_socket = (url, options) => {
        window.socket = io(url, { forceNew: true, reconnection: false, ...options });
        socket.onAny((event, argument) => heard.push([event, argument]));
        socket.on('connect_error', (error) => heard.push(['refused', error.message]));
    };
    window.of = (event) => heard.filter(([name]) => name === event).map(([, argument]) => argument);
    window.said = (type) => of('output').filter((one) => one.type === type).map((one) => one.data).join('');
    document.body.dataset.ready = 'yes';
`;

/* A page for each version of the client. */
async function servePages() {
    const server = createServer((request, response) => {
        const path = new URL(request.url, 'http://here').pathname;
        const name = CLIENTS[path.replace(/\.js$/, '')];
        if (!name) {
            response.writeHead(404).end();
        } else if (path.endsWith('.js')) {
            response.writeHead(200, { 'Content-Type': 'text/javascript' });
            response.end(scriptOf(`${name}/dist/socket.io.js`));
        } else {
            response.writeHead(200, { 'Content-Type': 'text/html' });
            response.end(`<!doctype html><link rel=icon href="data:,"><body><script src="${path}.js"></script><script>${HELPERS}</script>`);
        }
    });
    await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
    return server;
}

async function untilIdle(service) {
    for (const end = Date.now() + LIMIT_MS; Date.now() < end; await pause(20))
        if ((await (await fetch(`${service}/health`)).json()).running === 0) return;
    throw new Error('a program goes on');
}

const execute = (page, language, code) =>
    page.evaluate(`socket.emit('execute-interactive', ${JSON.stringify({ language, code })}); 0`);

const connect = async (page, service, options) => {
    await page.evaluate(`open_socket(${JSON.stringify(service)}, ${JSON.stringify(options)})`);
    await page.until('socket.connected || heard.length > 0', 'an answer', LIMIT_MS);
    assert.deepEqual(await page.evaluate('heard'), []);
};

/* Of a page from another port, by each transport. */
const tests = {
    async 'a program asks and is answered'(page, service, options) {
        await connect(page, service, options);
        const last = options.transports?.[0] ?? 'websocket';
        await page.until(`socket.io.engine.transport.name === '${last}'`, last, LIMIT_MS);
        await execute(page, 'python', 'import sys\nname = input("name? ")\nprint("hello", name)\nprint("bad", file=sys.stderr)\nsys.exit(3)');
        await page.until(`said(undefined).includes('name? ')`, 'the prompt', LIMIT_MS);
        await page.evaluate(`socket.emit('input', { data: 'Ada', executionId: of('execution-start')[0].executionId }); 0`);
        await page.until(`of('execution-complete').length > 0`, 'the end', LIMIT_MS);
        const heard = await page.evaluate('heard');
        assert.deepEqual(heard[0], ['output', { data: '🚀 Starting execution...\n\n' }]);
        assert.equal(heard[1][0], 'execution-start');
        const { executionId } = heard[1][1];
        assert.deepEqual(heard.at(-1), ['execution-complete', { status: 'error', exitCode: 3, executionId }]);
        assert.equal(await page.evaluate('said(undefined)'), '🚀 Starting execution...\n\nname? hello Ada\n');
        assert.match(await page.evaluate(`said('stderr')`), /^bad\n?$/);
    },

    /* The known page's Stop: it disconnects, and connects again a little later. */
    async 'Stop ends the program, and the next one runs'(page, service, options) {
        await connect(page, service, options);
        await execute(page, 'bash', 'echo on; while :; do :; done');
        await page.until(`said(undefined).includes('on\\n')`, 'its output', LIMIT_MS);
        const before = await page.evaluate(`(() => { const { id } = socket; socket.disconnect(); return id; })()`);
        await pause(100);
        await page.evaluate('heard.length = 0; socket.connect(); 0');
        await page.until('socket.connected', 'another connection', LIMIT_MS);
        assert.notEqual(await page.evaluate('socket.id'), before);
        await untilIdle(service);
        await execute(page, 'bash', 'echo again');
        await page.until(`of('execution-complete').length > 0`, 'the end', LIMIT_MS);
        assert.equal(await page.evaluate('said(undefined)'), '🚀 Starting execution...\n\nagain\n');
        assert.equal(await page.evaluate(`of('execution-complete')[0].status`), 'success');
    },

    /* Closed, not left: a browser may keep a page that was left, with its socket, in
     * case the visitor comes back. Then it is the ping that ends the program. */
    async 'a page that is closed takes its program along'(page, service, options) {
        await connect(page, service, options);
        await execute(page, 'bash', 'echo on; sleep 300');
        await page.until(`said(undefined).includes('on\\n')`, 'its output', LIMIT_MS);
        await page.close();
        await untilIdle(service);
    },
};

/* A page from elsewhere, whatever it asks with. */
async function isRefused(page, service, options) {
    await page.evaluate(`open_socket(${JSON.stringify(service)}, ${JSON.stringify(options)})`);
    await page.until(`of('refused').length > 0 || socket.connected`, 'a refusal', LIMIT_MS);
    assert.equal(await page.evaluate('socket.connected'), false);
    assert.match(await page.evaluate(`of('refused')[0]`), /xhr poll error|websocket error/);
}

const TRANSPORTS = [{}, { transports: ['websocket'] }, { transports: ['polling'] }];

/* Calls report(name, test) for each test; false when there is no browser. */
export async function browserTests(service, report) {
    const program = findProgram();
    if (!program) return false;
    const server = await servePages();
    const { port } = server.address();
    const browser = await Browser.start(program, `--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`);
    const inPage = async (host, path, test, options) => {
        const page = await browser.visitor();
        try {
            await page.open(`http://${host}:${port}${path}`);
            await test(page, service, options);
        } finally {
            await page.close().catch(() => undefined);
        }
    };
    for (const path of Object.keys(CLIENTS)) {
        for (const options of TRANSPORTS) {
            const way = `a page with ${CLIENTS[path]} ${options.transports ?? 'upgrading'}`;
            for (const [name, test] of Object.entries(tests))
                await report(`${way}: ${name}`, () => inPage('localhost', path, test, options));
            await report(`${way}: from elsewhere it is refused`, () => inPage(ELSEWHERE, path, isRefused, options));
        }
    }
    await browser.stop();
    server.closeAllConnections();
    server.close();
    return true;
}
