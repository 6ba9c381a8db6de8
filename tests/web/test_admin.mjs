// SPDX-License-Identifier: MIT
// The operator's side, and the login, over the service that is played.
import assert from 'node:assert/strict';
import { findsNothing, prefer } from './axe.mjs';
import { ADMIN_KEY, RUN_KEY, worker } from './fake_admin.mjs';
import { ends, pause, run } from './steps.mjs';

const go = (page, hash) => page.evaluate(`location.hash = ${JSON.stringify(hash)}`);

async function openAdmin(page, url, hash = '#/admin') {
    await page.open(url + hash);
    await page.until(`document.body.dataset.view === 'admin'`);
}

const ids = (page) => page.evaluate(`[...document.querySelectorAll('#admin-view tbody a')].map((link) => link.textContent)`);

const heading = (page, words) => page.untilText('#admin-view h2', words);

async function logIn(page, key) {
    await page.until(`!$('#login-view').hidden && document.activeElement.id === 'login-key'`);
    await page.insert(key);
    await page.key('Enter');
}

export default {
    /* --- the login --- */

    async who_has_no_key_is_asked_and_told_when_it_is_wrong({ page, fake, url, shoot }) {
        fake.admin.keysConfigured = true;
        await page.open(url);
        await logIn(page, 'rk_wrong');
        await page.untilText('#login-error', 'not a key of this server');
        assert.equal(await page.evaluate(`$('#login-key').getAttribute('aria-invalid')`), 'true');
        assert.equal(await page.evaluate(`$('#run-view').hidden`), true);
        await shoot('login-refused');
        await page.insert(RUN_KEY);
        await page.key('Enter');
        await page.until(`document.body.dataset.view === 'run' && !$('#run').disabled`);
        assert.equal(await page.evaluate(`document.cookie + $('#login-key').value + localStorage.length`).then((text) => text.includes(RUN_KEY)), false);
        await run(page, 'print logged in');
        await ends(page, 'Finished');
        await page.untilText('#plain', 'logged in');
    },

    async a_login_stays_over_a_reload_and_ends_with_log_out({ page, fake, url }) {
        fake.admin.keysConfigured = true;
        await page.open(url);
        await logIn(page, ADMIN_KEY);
        await page.until(`document.body.dataset.view === 'run'`);
        await page.open(`${url}?again`);
        await page.until(`document.body.dataset.view === 'run' && !$('#logout').hidden`);
        assert.match(await page.evaluate(`$('#logout').title`), /administrators/);
        await page.click('#logout');
        await page.until(`document.body.dataset.view === 'login' && !$('#login-view').hidden`);
    },

    async a_login_that_ends_asks_again_and_loses_nothing({ page, fake, url }) {
        fake.admin.keysConfigured = true;
        await page.open(url);
        await logIn(page, RUN_KEY);
        await page.until(`document.body.dataset.view === 'run' && !$('#run').disabled`);
        const { tokens } = fake.admin;
        fake.admin.tokens = { [ADMIN_KEY]: tokens[ADMIN_KEY] };
        await run(page, 'print kept');
        await page.until(`document.body.dataset.view === 'login'`);
        fake.admin.tokens = tokens;
        await logIn(page, RUN_KEY);
        await page.until(`document.body.dataset.view === 'run'`);
        await run(page);
        await ends(page, 'Finished');
        await page.untilText('#plain', 'kept');
    },

    async nothing_of_ones_work_is_left_to_the_next({ page, fake, url }) {
        const work = () => page.evaluate(`(localStorage.getItem('runnel.drafts') ?? '') + (localStorage.getItem('runnel.history') ?? '') + $('.cm-content').textContent`);
        const comes = async (key) => {
            await logIn(page, key);
            await page.until(`document.body.dataset.ready === 'yes' && document.body.dataset.view === 'run' && !$('#run').disabled`);
            assert.doesNotMatch(await work(), /mine/);
            await run(page, 'print mine');
            await ends(page, 'Finished');
        };
        fake.admin.keysConfigured = true;
        await page.open(url);
        await comes(RUN_KEY);
        const other = await page.browser.tab(page.context);
        await other.open(url);
        await page.click('#logout');
        await page.until(`document.body.dataset.view === 'login'`);
        await other.until(`document.body.dataset.view === 'login'`);
        await comes(RUN_KEY);
        const { tokens } = fake.admin;
        fake.admin.tokens = { [ADMIN_KEY]: tokens[ADMIN_KEY] };
        await run(page, 'print still mine');
        await page.until(`document.body.dataset.view === 'login'`);
        await comes(ADMIN_KEY);
    },

    async who_cannot_be_logged_out_is_told({ page, fake, url }) {
        fake.admin.keysConfigured = true;
        await page.open(url);
        await logIn(page, RUN_KEY);
        await page.until(`document.body.dataset.view === 'run' && !$('#logout').hidden`);
        fake.isDown = true;
        await page.click('#logout');
        await page.untilText('#notice-text', 'cannot be reached');
    },

    async without_keys_nobody_is_asked({ page, url }) {
        await page.open(url);
        assert.equal(await page.evaluate(`document.body.dataset.view + $('#logout').hidden`), 'runtrue');
    },

    async an_admin_address_survives_the_login({ page, fake, url }) {
        fake.admin.keysConfigured = true;
        await page.open(`${url}#/admin/keys`);
        await logIn(page, ADMIN_KEY);
        await heading(page, 'Keys');
    },

    async a_key_without_the_scope_sees_its_own_runs_alone({ page, fake, url }) {
        fake.admin.keysConfigured = true;
        await page.open(`${url}#/admin/keys`);
        await logIn(page, RUN_KEY);
        await heading(page, 'Runs');
        await page.untilText('#admin-view table', 'run_past000');
        assert.equal(await page.text('.admin-tabs'), 'RunsLanguages');
        assert.equal(fake.admin.asked.at(-1).all, undefined);
        assert.equal((await page.text('#admin-view thead')).includes('Key'), false);
    },

    /* --- runs --- */

    async runs_are_listed_page_by_page({ page, fake, url, shoot }) {
        await page.open(url);
        await page.click('a[href="#/admin"]');
        await page.until(`document.querySelectorAll('#admin-view tbody tr').length === 50`);
        assert.equal(fake.admin.asked.at(-1).all, 'true');
        await shoot('admin-runs');
        await page.click('.pages a');
        await page.until(`$('#admin-view tbody a').textContent === 'run_past050'`);
        await page.click('.pages a:last-child');
        await page.until(`$('#admin-view tbody a').textContent === 'run_past100'`);
        assert.deepEqual(await page.evaluate(`[...document.querySelectorAll('.pages a')].map((link) => link.textContent)`), ['Newest']);
        await page.evaluate('history.back()');
        await page.until(`$('#admin-view tbody a').textContent === 'run_past050'`);
    },

    async filters_go_into_the_address_and_to_the_server({ page, fake, url, shoot }) {
        await openAdmin(page, url);
        await page.until(`$('[name=language]').options.length > 5`);
        await page.evaluate(`(() => {
            $('[name=verdict]').value = 'timeout';
            $('[name=language]').value = 'java';
            $('[name=since]').value = '2026-01-01T00:00';
            $('[name=metadata]').value = 'course:c1,task:3';
        })()`);
        await page.click('.filters .go');
        await page.until(`document.querySelectorAll('#admin-view tbody tr').length === 1`);
        assert.deepEqual(await ids(page), ['run_past003']);
        const asked = fake.admin.asked.at(-1);
        assert.equal(`${asked.verdict} ${asked.language} ${asked.metadata}`, 'timeout java course:c1,task:3');
        assert.match(asked.since, /^202[56]-[\d-]+T[\d:.]+Z$/);
        await shoot('admin-filtered');
        const hash = await page.evaluate('location.hash');
        await page.call('Page.navigate', { url: 'about:blank' });
        await openAdmin(page, url, hash);
        await page.until(`$('[name=language]').value === 'java' && $('[name=since]').value === '2026-01-01T00:00'`);
        await page.until(`document.querySelectorAll('#admin-view tbody tr').length === 1`);
        await go(page, '#/admin?verdict=queue_timeout');
        await page.untilText('#admin-view', 'No run is like that.');
    },

    async a_run_that_goes_on_is_seen_followed_and_stopped({ page, fake, url, shoot }) {
        await page.open(url);
        await run(page, 'print one\nhang');
        await page.untilText('#plain', 'one');
        const id = fake.last.id;
        await go(page, '#/admin');
        await page.until(`$('#admin-view tbody a').textContent === ${JSON.stringify(id)}`);
        await page.click('#admin-view tbody a');
        await heading(page, id);
        await page.untilText('#admin-view', 'print one');
        assert.equal(await page.evaluate(`$('.output-text')`), null);
        await page.evaluate(`[...document.querySelectorAll('#admin-view button')].find((one) => one.textContent === 'Follow').click()`);
        await page.untilText('.output-text', 'one');
        fake.last.print('later\n');
        await page.untilText('.output-text', 'later');
        await page.untilText('.replay-clock', 'it goes on');
        await shoot('admin-following');
        await page.click('.run-head .halt');
        await page.untilText('.run-end', 'Stopped');
        await page.untilText('.run-head .halt', 'Forget');
        assert.equal(fake.last.over, true);
    },

    async a_run_is_shown_whole({ page, url, shoot }) {
        await openAdmin(page, url, '#/admin/runs/run_past000');
        await page.untilText('.output-text', 'second');
        await shoot('admin-run');
        for (const words of ['Finished', 'the program exited with status 0', 'print("run 0")\n<script>', 'some input', '["a","b c"]',
            'data.txt', 'beside it', 'plots/plot.svg', '2.3 KiB', 'it is a symbolic link', 'course', 'timeout_ms', '9.0 MiB'])
            assert.ok((await page.text('#admin-view')).includes(words), words);
        const links = await page.evaluate(`[...document.querySelectorAll('#admin-view table a')].map(({ href, download }) => [new URL(href).pathname, download])`);
        assert.deepEqual(links, [['/v1/files/file_1', 'plot.svg']], 'what is no address of a file is no link');
    },

    async a_run_that_wrote_nothing_says_so({ page, fake, url }) {
        const run = fake.admin.past[2];
        run.events = run.events.filter(({ type }) => !/stdout|stderr/.test(type));
        await openAdmin(page, url, '#/admin/runs/run_past002');
        await page.until(`!$('.replay-play').disabled`);
        assert.match(await page.evaluate(`getComputedStyle($('.output-text'), '::before').content`), /wrote nothing/);
        await go(page, '#/admin/runs/run_past001');
        await page.untilText('.output-text', 'red');
        await page.evaluate(`(() => {
            $('.replay input').value = 0;
            $('.replay input').dispatchEvent(new Event('input'));
        })()`);
        await page.until(`$('.output-text').textContent === ''`);
        assert.equal(await page.evaluate(`getComputedStyle($('.output-text'), '::before').content`), 'none');
    },

    async what_a_run_says_stays_text({ page, url }) {
        await openAdmin(page, url, '#/admin/runs/run_past000');
        await page.untilText('.output-text', '\u241b[31mred\u241b[0m<img src=x');
        assert.equal(await page.evaluate(`document.querySelectorAll('#admin-view img, #admin-view script, #admin-view b').length`), 0);
        assert.equal(await page.evaluate('document.title'), 'Runnel');
    },

    async output_is_replayed_at_its_pace_and_faster({ page, url, shoot }) {
        await openAdmin(page, url, '#/admin/runs/run_past001');
        await page.until(`!$('.replay-play').disabled`);
        await page.untilText('.replay-clock', '2.10 s of 2.10 s');
        const began = Date.now();
        await page.click('.replay-play');
        await page.until(`$('.output-text').textContent === 'first\\n'`, 'the first line alone');
        await shoot('admin-replay');
        await page.untilText('.output-text', 'a warning');
        assert.ok(Date.now() - began > 500, 'the warning came at 800 ms');
        await page.untilText('.replay-play', 'Play');
        assert.ok(Date.now() - began > 1900);
        await page.untilText('.output-text', 'red');
        await page.evaluate(`$('.replay select').value = '20'`);
        const again = Date.now();
        await page.click('.replay-play');
        await page.untilText('.replay-play', 'Play');
        assert.ok(Date.now() - again < 1500, `20 times as fast took ${Date.now() - again} ms`);
    },

    async the_scrubber_goes_back_and_forth({ page, url }) {
        await openAdmin(page, url, '#/admin/runs/run_past001');
        await page.until(`!$('.replay-play').disabled`);
        const to = (ms) => page.evaluate(`(() => {
            const range = $('.replay input');
            range.value = ${ms};
            range.dispatchEvent(new Event('input'));
        })()`);
        await to(500);
        await page.until(`$('.output-text').textContent === 'first\\nsecond\\n'`);
        await page.untilText('.replay-clock', 'running');
        await to(9);
        await page.until(`$('.output-text').textContent === ''`);
        await to(850);
        await page.until(`$('.output-text').textContent === 'first\\nsecond\\na warning\\n'`);
        assert.match(await page.evaluate(`$('.replay input').getAttribute('aria-valuetext')`), /850 ms of 2.10 s/);
        await page.evaluate(`$('.replay input').focus()`);
        await page.key('End');
        await page.untilText('.output-text', 'red');
    },

    async of_a_run_without_end_the_newest_is_kept({ page, fake, url }) {
        const run = fake.admin.past[2];
        const flood = Array.from({ length: 20 }, (_, at) =>
            ({ n: at + 1, t: 10 * (at + 1), type: 'stdout', data: `${'x'.repeat(1 << 20)}\npart ${at}\n` }));
        run.events = [...flood, { ...run.events.at(-1), n: 21, t: 210 }];
        await openAdmin(page, url, '#/admin/runs/run_past002');
        await page.until(`!$('.replay-play').disabled`);
        await page.untilText('.output-text', 'part 19');
        await page.evaluate(`(() => {
            $('.replay input').value = 10;
            $('.replay input').dispatchEvent(new Event('input'));
        })()`);
        await page.until(`$('.output-text').textContent === '[what came first was not kept]\\n'`);
    },

    async cancelling_does_not_forget_a_run_that_has_ended_meanwhile({ page, fake, url }) {
        await page.open(url);
        await run(page, 'print kept\nhang');
        await page.untilText('#plain', 'kept');
        const { id } = fake.last;
        const seen = fake.admin.run;
        fake.admin.run = function (of, request, ...more) {
            if (request.method === 'DELETE') fake.runs.get(id).end('succeeded', { exit_code: 0 });
            return seen.call(this, of, request, ...more);
        };
        await go(page, `#/admin/runs/${id}`);
        await page.untilText('.run-head .halt', 'Cancel');
        await page.click('.run-head .halt');
        await page.untilText('.run-head .halt', 'Forget');
        assert.ok(fake.runs.has(id));
        await page.untilText('.output-text', 'kept');
    },

    async a_run_is_forgotten_when_that_is_meant({ page, fake, url }) {
        await openAdmin(page, url, '#/admin/runs/run_past002');
        await page.untilText('.run-head .halt', 'Forget');
        await page.click('.run-head .halt');
        await heading(page, 'Runs');
        assert.match(page.asked, /Forget this run/);
        assert.ok(!fake.admin.past.some(({ id }) => id === 'run_past002'));
        await go(page, '#/admin/runs/run_past002');
        await heading(page, 'There is no such run');
    },

    /* --- figures --- */

    async figures_are_drawn_and_said({ page, url, shoot }) {
        await openAdmin(page, url, '#/admin/service');
        await page.untilText('.tiles', '3 of 4');
        for (const words of ['2 of 256', '4318 in 1 d 2 h', '4321 runs, 17 files, 118 MiB', '74 GiB', '0.1.0'])
            assert.ok((await page.text('.tiles')).includes(words), words);
        const said = await page.evaluate(`[...document.querySelectorAll('.chart svg')].map((svg) => svg.getAttribute('aria-label'))`);
        assert.equal(said.length, 3);
        assert.match(said[0], /^Runs at once, .* to .*Running: \d+, at most 4\. Queued: 0, at most 39$/);
        assert.match(said[2], /^Run time of half, and of 95 %, .*Half: \d+ ms, at most \d+ ms/);
        assert.ok(await page.evaluate(`[...document.querySelectorAll('.chart path')].every((path) => path.getAttribute('d').length > 100)`));
        await shoot('admin-service');
        await page.click('.chart summary');
        await page.until(`document.querySelectorAll('.chart tbody tr').length === 60`);
        assert.ok((await page.text('.chart thead')).includes('Queued'));
    },

    async figures_are_looked_at_again({ page, fake, url }) {
        await openAdmin(page, url, '#/admin/service');
        await page.untilText('.tiles', '2 of 256');
        fake.admin.queued = 77;
        await page.untilText('.tiles', '77 of 256', 12000);
    },

    async workers_are_shown_where_there_is_a_broker({ page, fake, url, shoot }) {
        fake.admin.workers = [
            worker('east'),
            worker('<b>west</b>', { host: 'box-9', running: 0, memory_mb: 0, promised_mb: 0, load: 0, version: '0.2.0', last_seen_ms: 4200, draining: true }),
        ];
        fake.admin.queuedBy = { high: 1, normal: 0, low: 4 };
        await openAdmin(page, url, '#/admin/service');
        await page.untilText('#admin-view [aria-label=Workers]', 'east');
        const cells = await page.evaluate(`[...document.querySelectorAll('[aria-label=Workers] tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))`);
        assert.deepEqual(cells, [
            ['east', 'box-7', 'good', '3 of 4', '1.5 GiB of 6.0 GiB', '2.25', '0.1.0', '640 ms ago'],
            ['<b>west</b>', 'box-9', 'draining', '0 of 4', '0 B', '0.00', '0.2.0', '4.20 s ago'],
        ]);
        assert.ok((await page.text('.tiles')).includes('2 of 256 (1 high, 4 low)'));
        await findsNothing(page, 'workers');
        await shoot('admin-workers');
        fake.admin.workers = [];
        await page.untilText('#admin-view', 'There is no worker: runs wait until one comes.', 12000);
    },

    async without_a_broker_nothing_is_said_of_workers({ page, url }) {
        await openAdmin(page, url, '#/admin/service');
        await page.untilText('.tiles', '2 of 256');
        assert.doesNotMatch(await page.text('#admin-view'), /worker|high|low/i);
        await go(page, '#/admin/runs/run_past000');
        await page.untilText('.output-text', 'second');
        assert.doesNotMatch(await page.text('.run-head'), /Worker|Attempt|Priority/);
        await go(page, '#/admin');
        await page.until(`document.querySelectorAll('#admin-view tbody tr').length === 50`);
        assert.doesNotMatch(await page.text('#admin-view tbody'), /priority/);
    },

    async a_run_of_a_worker_says_which_and_how_often_it_was_tried({ page, fake, url, shoot }) {
        Object.assign(fake.admin.past[1], { worker: 'east', attempt: 2, priority: 'high' });
        fake.admin.past[1].events.splice(4, 0, { n: 5, t: 500, type: 'state', state: 'queued', attempt: 2 });
        await openAdmin(page, url);
        await page.untilText('#admin-view tbody', 'high priority');
        await shoot('admin-priority');
        await go(page, '#/admin/runs/run_past001');
        await page.untilText('.run-head', 'Workereast');
        for (const words of ['Attempt2', 'Priorityhigh']) assert.ok((await page.text('.run-head')).includes(words), words);
        await page.until(`!$('.replay-play').disabled`);
        await page.untilText('.replay-clock', 'attempt 2');
        assert.doesNotMatch(await page.text('.output-text'), /first|second/, 'what the first attempt said is void');
        await shoot('admin-attempt');
        await page.evaluate(`(() => {
            $('.replay input').value = 450;
            $('.replay input').dispatchEvent(new Event('input'));
        })()`);
        await page.until(`$('.output-text').textContent === 'first\\nsecond\\n'`);
        assert.doesNotMatch(await page.text('.replay-clock'), /attempt/);
    },

    async a_run_that_waits_says_its_place({ page, fake, url }) {
        let itsTurn;
        fake.turn = new Promise((done) => { itsTurn = done; });
        fake.admin.place = { position: 3, expected_wait_ms: 90_000 };
        await page.open(url);
        await run(page, 'print one');
        await page.untilText('#end-title', 'Waiting for its turn');
        await go(page, `#/admin/runs/${fake.last.id}`);
        await page.untilText('.run-end', 'queued number 3 in the queue, for about 2 min');
        itsTurn();
        await page.untilText('.run-end', 'Finished', 12000);
    },

    async a_server_that_comes_back_is_seen_again({ page, fake, url }) {
        for (const [hash, change, words] of [
            ['#/admin/service', () => { fake.admin.queued = 77; }, '77 of 256'],
            ['#/admin', () => { fake.admin.past[0].language = 'brainfuck'; }, 'brainfuck'],
            ['#/admin/keys', () => { fake.admin.keys[1].label = 'renamed'; }, 'renamed'],
        ]) {
            fake.isDown = false;
            await openAdmin(page, url, hash);
            await page.until(`document.querySelectorAll('#admin-view tbody tr').length > 2`);
            fake.isDown = true;
            change();
            await page.untilText('#notice-text', 'cannot be reached', 12000);
            fake.isDown = false;
            await page.untilText('#admin-view', words, 12000);
            await page.until(`$('#notice-text').textContent === ''`);
            await page.call('Page.navigate', { url: 'about:blank' });
        }
    },

    async a_run_stays_in_view_while_the_server_is_away({ page, fake, url }) {
        await page.open(url);
        await run(page, 'print one\nhang');
        await page.untilText('#plain', 'one');
        await go(page, `#/admin/runs/${fake.last.id}`);
        await heading(page, fake.last.id);
        fake.isDown = true;
        await page.untilText('#notice-text', 'cannot be reached', 12000);
        assert.ok((await page.text('#admin-view')).includes('print one'));
        fake.last.end('succeeded', { exit_code: 0 });
        fake.isDown = false;
        await page.untilText('.run-end', 'Finished', 12000);
        await page.until(`$('#notice-text').textContent === ''`);
    },

    async languages_have_their_state({ page, url, shoot }) {
        await openAdmin(page, url, '#/admin/languages');
        await page.untilText('#admin-view table', 'sudo apt-get install dart');
        assert.ok((await page.text('#admin-view table')).includes('3.11.2'));
        await shoot('admin-languages');
    },

    /* --- keys --- */

    async a_key_is_made_shown_once_and_revoked({ page, fake, url, shoot }) {
        await openAdmin(page, url, '#/admin/keys');
        await page.untilText('#admin-view table', 'administrators');
        await page.browser.call('Browser.grantPermissions', {
            permissions: ['clipboardReadWrite', 'clipboardSanitizedWrite'], browserContextId: page.context,
        });
        await page.click('[name=label]');
        await page.insert('ci');
        await page.evaluate(`$('[name=rate]').value = '2,5'; $('[name=daily_ms]').value = '3600'; $('[name=lasts_ms]').value = '30'`);
        await page.click('#admin-view [type=submit]');
        await page.untilText('#new-key', 'rk_new3');
        await shoot('admin-keys');
        assert.deepEqual(fake.admin.made.at(-1), { label: 'ci', scopes: ['run', 'files'], rate: 2.5, daily_ms: 3_600_000, lasts_ms: 2_592_000_000 });
        await page.key('Enter'); /* the copy button has the focus */
        await page.untilText('#notice-text', 'Key copied.');
        assert.equal(await page.evaluate('navigator.clipboard.readText()'), 'rk_new3');
        await go(page, '#/admin');
        await heading(page, 'Runs');
        await go(page, '#/admin/keys');
        await page.until(`$('[aria-label="Revoke ci (3)"]') !== null`);
        assert.equal(await page.evaluate(`document.body.textContent.includes('rk_new3')`), false);
        await page.click('[aria-label="Revoke ci (3)"]');
        await page.until(`$('[aria-label="Revoke ci (3)"]') === null`);
        assert.match(page.asked, /Revoke the key 3, ci\?/);
        assert.ok(fake.admin.keys.at(-1).revoked_at);
    },

    async the_first_key_is_seen_and_does_not_shut_its_maker_out({ page, fake, url, shoot }) {
        fake.admin.keys = [];
        await openAdmin(page, url, '#/admin/keys');
        await page.untilText('#admin-view', 'From the first key on everybody needs one.');
        await shoot('admin-no-keys');
        assert.deepEqual(await page.evaluate(`(({ checked, disabled }) => [checked, disabled])($('[value=admin]'))`), [true, true]);
        await page.click('[name=label]');
        await page.insert('mine');
        await page.key('Enter');
        await page.untilText('#new-key', 'rk_new0');
        assert.deepEqual(fake.admin.made.at(-1).scopes, ['run', 'files', 'admin']);
        await page.untilText('#admin-view table', 'mine');
        assert.equal(await page.evaluate(`$('#logout').hidden`), false);
        assert.equal(await page.evaluate(`$('[value=admin]').disabled`), false);
        await shoot('admin-first-key');
    },

    async a_key_that_is_refused_says_the_field({ page, fake, url }) {
        await openAdmin(page, url, '#/admin/keys');
        await page.until(`$('[name=label]') !== null`);
        await page.evaluate(`$('[name=label]').value = 'x'; $('[name=burst]').value = 'many'`);
        await page.click('#admin-view [type=submit]');
        await page.untilText('#admin-view .error', 'Burst must be a number.');
        assert.equal(await page.evaluate('document.activeElement.name'), 'burst');
        await page.evaluate(`$('[name=burst]').value = '5'`);
        fake.admin.refuseKey = { error: 'rate must be at most 1000000', code: 'invalid_request', field: 'rate' };
        await page.click('#admin-view [type=submit]');
        await page.untilText('#admin-view .error', 'rate must be at most');
        assert.equal(await page.evaluate('document.activeElement.name'), 'rate');
    },

    /* --- for everybody --- */

    async all_of_it_is_reached_with_keys({ page, url }) {
        await openAdmin(page, url);
        await page.until(`document.querySelectorAll('#admin-view tbody tr').length === 50`);
        const met = new Set();
        for (let tries = 0; tries < 40; tries++) {
            await page.key('Tab');
            met.add(await page.evaluate(`document.activeElement.name || document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim().slice(0, 20)`));
        }
        for (const name of ['Program', 'Service', 'Keys', 'Languages', 'verdict', 'language', 'since', 'metadata', 'Filter', 'Runs', 'run_past000'])
            assert.ok(met.has(name), `${name} is not among ${[...met].join(', ')}`);
    },

    async the_program_is_as_it_was_when_one_comes_back({ page, url }) {
        await page.open(url);
        await run(page, 'print mine');
        await ends(page, 'Finished');
        await page.click('a[href="#/admin"]');
        await heading(page, 'Runs');
        assert.equal(await page.evaluate(`$('#run').checkVisibility()`), false);
        await page.click('a.of-admin');
        await page.until(`document.body.dataset.view === 'run'`);
        await page.untilText('#plain', 'mine');
        await run(page);
        await ends(page, 'Finished');
    },

    async axe_finds_nothing({ page, fake, url, shoot }) {
        for (const [name, scheme, width] of [['light', 'light', 1280], ['dark', 'dark', 1280], ['phone-light', 'light', 360], ['phone-dark', 'dark', 360]]) {
            await prefer(page, scheme);
            await page.size(width, 740, width < 500);
            fake.admin.keysConfigured = false;
            await page.call('Page.navigate', { url: 'about:blank' });
            await openAdmin(page, url);
            await page.until(`document.querySelectorAll('#admin-view tbody tr').length === 50`);
            const looks = async (part) => {
                await findsNothing(page, `${name}, ${part}`);
                assert.ok(await page.evaluate(`document.documentElement.scrollWidth <= innerWidth`), `${name}: ${part} is wider than the page`);
                await shoot(`admin-${name}-${part}`);
            };
            await looks('runs');
            await go(page, '#/admin/runs/run_past000');
            await page.untilText('.output-text', 'red');
            await looks('run');
            await go(page, '#/admin/service');
            await page.until(`document.querySelectorAll('.chart path').length > 4`);
            await page.evaluate(`$('.chart details').open = true`);
            await page.until(`document.querySelectorAll('.chart tbody tr').length > 5`);
            await looks('service');
            await go(page, '#/admin/keys');
            await page.untilText('#admin-view table', 'students');
            await page.evaluate(`$('[name=label]').value = 'x'`);
            await page.click('#admin-view [type=submit]');
            await page.untilText('#new-key', 'rk_new');
            await looks('keys');
            await go(page, '#/admin/languages');
            await page.untilText('#admin-view table', 'dart');
            await looks('languages');
            fake.admin.keysConfigured = true;
            await go(page, '#/admin');
            await logIn(page, 'rk_wrong');
            await page.untilText('#login-error', 'not a key');
            await looks('login');
            await pause(10);
        }
    },
};
