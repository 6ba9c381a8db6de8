// SPDX-License-Identifier: MIT
// The operator's side over a real service of its own, which has keys.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './modules.mjs';
import { choose, ends, pause, run, untilScreen, inTerminal } from './steps.mjs';

const RUNNEL = process.env.RUNNEL ?? join(ROOT, 'build', 'runnel');
const CONFIGURED = 'a-key-of-the-configuration';

async function freePort() {
    const server = createServer();
    await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
    const { port } = server.address();
    await new Promise((closed) => server.close(closed));
    return port;
}

/* With a key for administrators, one for students, and one of the configuration. */
class Service {
    async start(hasKeys) {
        this.folder = mkdtempSync(join(tmpdir(), 'runnel-admin-'));
        chmodSync(this.folder, 0o755);
        const env = { ...process.env, RUNNEL_STORAGE_DIR: join(this.folder, 'store'), ...(hasKeys && { API_KEYS: `${CONFIGURED}:of the file:50:50` }) };
        const makeKey = (...options) => execFileSync(RUNNEL, ['key', 'create', ...options], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
        if (hasKeys) {
            this.admin = makeKey('--label', 'operators', '--scopes', 'run,files,admin', '--rate', 'none');
            this.student = makeKey('--label', 'students', '--scopes', 'run');
        }
        const port = await freePort();
        this.url = `http://127.0.0.1:${port}/`;
        this.process = spawn(RUNNEL, ['serve', '--listen', `127.0.0.1:${port}`], { env, stdio: ['ignore', 'ignore', 'pipe'] });
        this.said = '';
        this.process.stderr.on('data', (text) => { this.said += text; });
        for (let tries = 0; tries < 600; tries++, await pause(50)) {
            if (this.process.exitCode !== null) break;
            if (await fetch(`${this.url}health`).then(({ ok }) => ok, () => false)) return this;
        }
        throw new Error(`the service does not start: ${this.said}`);
    }

    call(path, key, init = {}) {
        return fetch(new URL(path, this.url), {
            ...init, headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', ...init.headers },
        });
    }

    async run(key, request, query = '') {
        const response = await this.call(`v1/runs${query}`, key, { method: 'POST', body: JSON.stringify(request) });
        assert.ok(response.ok, `${response.status} ${await response.clone().text()}`);
        return response.json();
    }

    async stop() {
        if (this.process?.exitCode === null) {
            const ended = new Promise((done) => this.process.on('exit', done));
            this.process.kill('SIGTERM');
            await ended;
        }
        rmSync(this.folder, { recursive: true, force: true });
    }
}

const served = (test, hasKeys = true) => async (all) => {
    const service = new Service();
    try {
        await test({ ...all, service: await service.start(hasKeys) });
    } finally {
        await service.stop();
    }
};

async function logIn(page, key) {
    await page.until(`!$('#login-view').hidden && document.activeElement.id === 'login-key'`);
    await page.insert(key);
    await page.key('Enter');
}

const go = (page, hash) => page.evaluate(`location.hash = ${JSON.stringify(hash)}`);

const LEAVES = 'import time\nprint("begun", flush=True)\ntime.sleep(1)\nopen("outputs/plot.svg", "w").write("<svg/>")\nprint("done")';

export default {
    main_path: served(async ({ page, service, shoot }) => {
        await page.open(service.url);
        await logIn(page, 'rk_0123456789');
        await page.untilText('#login-error', 'not a key of this server');
        await page.insert(service.admin);
        await page.key('Enter');
        await page.until(`document.body.dataset.view === 'run' && !$('#run').disabled`);
        assert.equal(await page.evaluate('document.cookie'), '', 'no script reads the cookie');

        /* The page runs programs, logged in: over its WebSocket and with a terminal. */
        await choose(page, 'python');
        await run(page, 'print("hello", input("name? "))');
        await page.untilText('#plain', 'name? ', 30000);
        await page.type('Ada\n');
        await ends(page, 'Finished');
        await page.untilText('#plain', 'hello Ada');
        await page.untilText('#end-facts', 'MiB');
        await inTerminal(page);
        await run(page, 'print("in a terminal")');
        await untilScreen(page, 'in a terminal');
        await ends(page, 'Finished');

        /* A run with an artifact: found, looked at, its output replayed, its file fetched. */
        const left = await service.run(service.admin, { language: 'python', code: LEAVES, metadata: { course: 'c1' } });
        assert.equal(left.verdict, 'succeeded');
        await go(page, '#/admin?metadata=course:c1');
        await page.until(`document.querySelectorAll('#admin-view tbody tr').length === 1`);
        await page.untilText('#admin-view tbody', left.id);
        await page.click('#admin-view tbody a');
        await page.untilText('.output-text', 'done');
        await page.untilText('#admin-view', 'outputs/plot.svg');
        await page.untilText('.run-end', 'the program exited with status 0');
        await shoot('service-admin-run');
        const href = await page.evaluate(`$('#admin-view table a').href`);
        assert.equal(await (await fetch(href)).text(), '<svg/>', 'the link is good without a key');
        const began = Date.now();
        await page.click('.replay-play');
        await page.until(`$('.output-text').textContent === 'begun\\n'`, 'the first line alone');
        await page.untilText('.output-text', 'done');
        assert.ok(Date.now() - began > 800);

        /* One that goes on is followed and stopped. */
        const endless = await service.run(service.student, { language: 'python', code: 'print("on", flush=True)\nwhile True: pass', on_disconnect: 'continue' }, '?wait=false');
        await go(page, `#/admin/runs/${endless.id}`);
        await page.untilText('#admin-view h2', endless.id);
        await page.untilText('#admin-view', 'while True: pass');
        await page.evaluate(`[...document.querySelectorAll('#admin-view button')].find((one) => one.textContent === 'Follow').click()`);
        await page.untilText('.output-text', 'on');
        await page.click('.run-head .halt');
        await page.untilText('.run-end', 'Stopped');
        await page.untilText('.run-head .halt', 'Forget');
        assert.equal((await (await service.call(`v1/runs/${endless.id}`, service.student)).json()).verdict, 'cancelled');
        await page.click('.run-head .halt');
        await page.untilText('#admin-view h2', 'Runs');
        assert.equal((await service.call(`v1/runs/${endless.id}`, service.student)).status, 404);
    }),

    keys_are_made_and_revoked: served(async ({ page, service, shoot }) => {
        await page.open(`${service.url}#/admin/keys`);
        await logIn(page, service.admin);
        await page.untilText('#admin-view table', 'operators');
        await page.untilText('#admin-view table', 'of the file');
        assert.equal((await page.text('#admin-view')).includes(CONFIGURED), false);
        await page.click('[name=label]');
        await page.insert('ci');
        await page.evaluate(`$('[name=rate]').value = '2.5'; $('[name=concurrency]').value = '1'; $('[name=daily_ms]').value = '60'; $('[name=lasts_ms]').value = '30'`);
        await page.click('#admin-view [type=submit]');
        await page.until(`$('#new-key') !== null`);
        const key = await page.text('#new-key');
        assert.match(key, /^rk_[\w-]{43}$/);
        await shoot('service-admin-keys');
        assert.equal((await service.run(key, { language: 'python', code: 'print(1)' })).stdout, '1\n');
        await page.evaluate('document.activeElement.blur()');
        await page.untilText('#admin-view table', '1 runs', 15000);
        await page.evaluate(`[...document.querySelectorAll('#admin-view button')].find((one) => one.ariaLabel?.startsWith('Revoke ci')).click()`);
        await page.untilText('#notice-text', 'revoked');
        await page.untilText('#admin-view table', 'revoked');
        assert.equal((await service.call('v1/runs', key)).status, 401);
        await page.evaluate(`$('[name=label]').value = 'x'; $('[name=rate]').value = '10000000'`);
        await page.click('#admin-view [type=submit]');
        await page.untilText('#admin-view .error', 'rate');
        assert.equal(await page.evaluate('document.activeElement.name'), 'rate');
    }),

    the_first_key_does_not_shut_its_maker_out: served(async ({ page, service }) => {
        await page.open(`${service.url}#/admin/keys`);
        await page.untilText('#admin-view', 'From the first key on everybody needs one.');
        await page.click('[name=label]');
        await page.insert('mine');
        await page.key('Enter');
        await page.untilText('#admin-view table', 'mine');
        const key = await page.text('#new-key');
        assert.equal((await fetch(`${service.url}v1/keys`)).status, 401);
        assert.equal((await service.call('v1/keys', key)).status, 200);
        await pause(6000); /* over the next look */
        assert.equal(await page.evaluate('document.body.dataset.view'), 'admin');
        await go(page, '#/');
        await run(page, 'print(6 * 7)');
        await ends(page, 'Finished');
        await page.untilText('#plain', '42');
    }, false),

    figures_come_from_runs_that_were: served(async ({ page, service, shoot }) => {
        for (const code of ['print(1)', 'raise SystemExit(3)', 'print(2)']) await service.run(service.admin, { language: 'python', code });
        await page.open(`${service.url}#/admin/service`);
        await logIn(page, service.admin);
        await page.untilText('.tiles', '3 in ');
        await page.untilText('#admin-view', 'Ended with an error');
        await page.untilText('.tiles', '3 runs');
        await page.until(`document.querySelectorAll('.chart path').length > 0 && $('.chart path').getAttribute('d') !== ''`, 'a point of the history', 20000);
        await shoot('service-admin-service');
        await go(page, '#/admin/languages');
        await page.untilText('#admin-view table', 'installed');
    }),

    who_may_not_see_does_not_see: served(async ({ page, service }) => {
        const theirs = await service.run(service.admin, { language: 'python', code: 'print("theirs")' });
        const own = await service.run(service.student, { language: 'python', code: 'print("own")' });
        await page.open(`${service.url}#/admin`);
        await logIn(page, service.student);
        await page.untilText('#admin-view tbody', own.id);
        assert.equal((await page.text('#admin-view')).includes(theirs.id), false);
        assert.equal(await page.text('.admin-tabs'), 'RunsLanguages');
        await go(page, `#/admin/runs/${theirs.id}`);
        await page.untilText('#admin-view h2', 'There is no such run');
        for (const path of ['v1/stats', 'v1/keys']) {
            assert.equal((await service.call(path, service.student)).status, 403);
            assert.equal((await fetch(new URL(path, service.url))).status, 401);
        }
        await page.click('#logout');
        await page.until(`document.body.dataset.view === 'login' && document.body.dataset.ready === 'yes'`);
    }),
};
