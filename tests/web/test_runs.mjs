// SPDX-License-Identifier: MIT
// From Run to the verdict.
import assert from 'node:assert/strict';
import { choose, ends, pause, run, write } from './steps.mjs';

export default {
    async an_empty_output_says_why_it_is_empty({ page, url }) {
        const said = () => page.evaluate(`getComputedStyle($('#plain'), '::before').content`);
        await page.open(url);
        assert.match(await said(), /Press Run/);
        await run(page, 'hang');
        await page.untilText('#end-title', 'Running');
        assert.equal(await said(), 'none');
        await page.click('#stop');
        await ends(page, 'Stopped');
        assert.match(await said(), /wrote nothing/);
        await run(page, 'print one');
        await ends(page, 'Finished');
        await page.click('#output-clear');
        assert.match(await said(), /Press Run/);
    },

    async who_waits_for_a_turn_sees_the_place_and_the_wait({ page, fake, url, shoot }) {
        let itsTurn;
        fake.turn = new Promise((done) => { itsTurn = done; });
        fake.admin.place = { position: 7, expected_wait_ms: 13_200 };
        await page.open(url);
        await run(page, 'print at last');
        await page.untilText('#end-title', 'Waiting for its turn');
        await page.untilText('#end-reason', 'number 7 in the queue, for about 15 s');
        await shoot('queued');
        fake.admin.place = { position: 1, expected_wait_ms: 0 };
        await page.until(`$('#end-reason').textContent === 'next in the queue'`);
        itsTurn();
        await ends(page, 'Finished');
        assert.equal(await page.text('#end-reason'), '');
    },

    async a_place_that_is_not_known_is_not_said({ page, fake, url }) {
        let itsTurn;
        fake.turn = new Promise((done) => { itsTurn = done; });
        await page.open(url);
        await run(page, 'print at last');
        await page.untilText('#end-title', 'Waiting for its turn');
        await pause(700);
        assert.equal(await page.text('#end-reason'), '');
        itsTurn();
        await ends(page, 'Finished');
    },

    async a_program_asks_and_is_answered({ page, fake, url, shoot }) {
        await page.open(url);
        await run(page);
        await page.untilText('#plain', 'Enter your name: ');
        await page.untilText('#end-title', 'Waiting for your input');
        await page.type('Ada\n');
        await ends(page, 'Finished');
        assert.equal(await page.text('#plain'), 'Enter your name: Ada\nHello, Ada!\n');
        assert.equal(await page.text('#plain .sent'), 'Ada\n');
        assert.equal(fake.typed(), 'Ada\n');
        assert.equal(fake.last.request.tty, false);
        await shoot('answered');
    },

    async the_end_shows_verdict_exit_code_time_and_memory({ page, url, shoot }) {
        await page.open(url);
        await run(page, 'error it broke\nfail 3');
        await ends(page, 'Ended with an error');
        assert.equal(await page.text('#end-reason'), 'it ended with exit code 3');
        assert.equal(await page.text('#end-facts'), 'Exit code3Time1.23 sCpu56 msMemory9.5 MiB');
        assert.equal(await page.evaluate(`$('#end').dataset.mood`), 'bad');
        await shoot('failed-run');
    },

    async every_verdict_has_words({ page, url }) {
        await page.open(url);
        const verdicts = ['succeeded', 'failed', 'killed_by_signal', 'compile_failed', 'timeout', 'idle_timeout',
            'cpu_limit', 'memory_limit', 'output_limit', 'queue_timeout', 'cancelled', 'internal_error'];
        const seen = new Set();
        for (const verdict of verdicts) {
            await run(page, `verdict ${verdict}`);
            await page.untilText('#end-reason', `this is ${verdict}`);
            const title = await page.text('#end-title');
            assert.ok(!title.includes('_'), title);
            seen.add(title);
        }
        assert.equal(seen.size, verdicts.length);
    },

    async standard_error_looks_different({ page, url }) {
        await page.open(url);
        await run(page, 'print to the one\nerror to the other\nnotice from the compiler\ngap 12');
        await ends(page, 'Finished');
        const colour = (kind) => page.evaluate(`getComputedStyle($('#plain .${kind}')).color`);
        assert.notEqual(await colour('stderr'), await colour('stdout'));
        assert.equal(await page.text('#plain .stderr'), 'to the other\n');
        assert.ok((await page.text('#plain .gap')).includes('12 bytes'));
    },

    async stop_works_while_it_runs({ page, fake, url }) {
        await page.open(url);
        await run(page, 'print on and on\nhang');
        await page.untilText('#plain', 'on and on');
        await page.click('#stop');
        await ends(page, 'Stopped');
        assert.deepEqual(fake.last.sent, [{ type: 'cancel' }]);
        assert.equal(await page.evaluate(`$('#stop').disabled`), true);
    },

    async stop_works_before_the_run_has_a_name({ page, fake, url }) {
        await page.open(url);
        fake.postDelay = 400;
        await run(page, 'hang');
        await page.until(`!$('#stop').disabled`);
        await page.key('.', { control: true });
        await ends(page, 'Stopped');
        assert.deepEqual(fake.last.sent, [{ type: 'cancel' }]);
    },

    async what_is_typed_while_it_starts_is_sent({ page, fake, url }) {
        await page.open(url);
        fake.postDelay = 700;
        await run(page, 'lines');
        await page.until(`document.body.dataset.phase === 'starting' && !$('#reply-controls').disabled`);
        await page.type('early\n');
        await page.key('d', { control: true });
        await ends(page, 'Finished');
        assert.equal(await page.text('#plain'), 'early\ngot "early"\n');
        assert.deepEqual(fake.last.sent, [{ type: 'input', data: 'early\n' }, { type: 'eof' }]);
    },

    async a_run_that_cannot_be_reached_is_stopped_nevertheless({ page, fake, url }) {
        await page.open(url);
        await run(page, 'print first\nsleep 300\ndeafen\nhang');
        await page.untilText('#end-title', 'Trying to reach');
        const first = fake.last;
        await pause(600); // the next attempt is some time off
        await run(page, 'print second');
        await ends(page, 'Finished');
        for (let tries = 0; tries < 100 && !first.over; tries++) await pause(20);
        assert.equal(first.events.at(-1).verdict, 'cancelled');
    },

    async a_new_run_stops_the_one_before({ page, fake, url }) {
        await page.open(url);
        await run(page, 'print first\nhang');
        await page.untilText('#plain', 'first');
        const first = fake.last;
        await run(page, 'print second\nhang');
        await page.untilText('#plain', 'second');
        assert.equal(await page.text('#plain'), 'second\n');
        assert.deepEqual(first.sent, [{ type: 'cancel' }]);
        await page.key('.', { control: true });
        await ends(page, 'Stopped');
    },

    async end_of_input_can_be_sent({ page, fake, url }) {
        await page.open(url);
        await run(page, 'lines');
        await page.untilText('#end-title', 'Waiting');
        await page.type('one\n');
        await page.untilText('#plain', 'got "one"');
        await page.key('d', { control: true });
        await ends(page, 'Finished');
        assert.deepEqual(fake.last.sent, [{ type: 'input', data: 'one\n' }, { type: 'eof' }]);
    },

    async an_interrupt_can_be_sent({ page, fake, url }) {
        await page.open(url);
        await run(page, 'lines');
        await page.untilText('#end-title', 'Waiting');
        await page.key('c', { control: true });
        await ends(page, 'Ended by a signal');
        assert.deepEqual(fake.last.sent, [{ type: 'signal', signal: 'INT' }]);
        assert.ok((await page.text('#end-facts')).includes('SIGINT (2)'));
    },

    async the_box_of_input_is_sent_and_ended({ page, fake, url }) {
        await page.open(url);
        await page.evaluate(`$('#options').open = true`);
        await page.click('#stdin');
        await page.insert('one\ntwo\n');
        await run(page, 'lines');
        await ends(page, 'Finished');
        assert.equal(fake.last.request.stdin, 'one\ntwo\n');
        assert.deepEqual(fake.last.sent, [{ type: 'eof' }]);
        assert.ok((await page.text('#plain')).includes('got "two"'));
        assert.equal(await page.text('#plain .sent'), 'one\ntwo\n');
    },

    async arguments_and_limits_are_sent({ page, fake, url, shoot }) {
        await page.open(url);
        await page.evaluate(`$('#options').open = true`);
        await page.click('#args');
        await page.insert(`one "two words" '' it\\'s`);
        await page.click('#limit-timeout_ms');
        await page.insert('2.5');
        await page.click('#limit-memory_mb');
        await page.insert('64');
        await shoot('options');
        await run(page, 'args');
        await ends(page, 'Finished');
        assert.deepEqual(fake.last.request.args, ['one', 'two words', '', `it's`]);
        assert.deepEqual(fake.last.request.limits, { timeout_ms: 2500, memory_mb: 64 });
        assert.ok((await page.text('#options-set')).includes('arguments, limits'));
    },

    async what_is_no_limit_is_shown_where_it_stands({ page, fake, url }) {
        await page.open(url);
        const posts = fake.posts;
        await page.evaluate(`$('#options').open = true`);
        await page.click('#limit-memory_mb');
        await page.insert('much');
        await run(page, 'print x');
        await page.untilText('#notice-text', 'Memory must be a number above 0.');
        assert.equal(await page.evaluate(`document.activeElement.id`), 'limit-memory_mb');
        assert.equal(await page.evaluate(`$('#limit-memory_mb').getAttribute('aria-invalid')`), 'true');
        assert.equal(fake.posts, posts);
    },

    async a_refusal_is_shown_with_its_field({ page, fake, url, shoot }) {
        await page.open(url);
        fake.refuse = { status: 400, body: { error: 'memory_mb is at most 64', code: 'invalid_request', field: 'limits.memory_mb' } };
        await run(page, 'print x');
        await page.untilText('#notice-text', 'memory_mb is at most 64');
        assert.equal(await page.evaluate(`document.activeElement.id`), 'limit-memory_mb');
        await ends(page, 'Not started');
        await shoot('refused');
        fake.refuse = { status: 503, body: { error: 'the queue is full', code: 'queue_full' }, headers: { 'Retry-After': '7' } };
        await run(page);
        await page.untilText('#notice-text', 'the queue is full Try again in 7 s.');
        await run(page);
        await ends(page, 'Finished');
        assert.equal(await page.text('#notice-text'), '');
        assert.equal(await page.evaluate(`$('#notice').clientHeight`), 0);
    },

    async a_dropped_connection_comes_back_where_it_was({ page, url }) {
        await page.open(url);
        await run(page, 'print before\nsleep 300\ndrop\nprint while away\nask\nprint after');
        await page.untilText('#plain', 'while away');
        await page.untilText('#end-title', 'Waiting');
        await page.type('Eve\n');
        await ends(page, 'Finished');
        assert.equal(await page.text('#plain'), 'before\nwhile away\nEnter your name: Eve\nHello, Eve!\nafter\n');
    },

    async a_run_that_is_gone_is_said_to_be_lost({ page, fake, url }) {
        await page.open(url);
        await run(page, 'print before\nhang\nforget\nhang');
        await page.untilText('#plain', 'before');
        fake.last.wake();
        await ends(page, 'Connection lost');
        assert.equal(await page.evaluate(`$('#stop').disabled`), true);
    },

    async a_run_that_was_lost_in_a_crash_has_its_end({ page, fake, url }) {
        await page.open(url);
        await run(page, 'print before\nhang\ncrash');
        await page.untilText('#plain', 'before');
        fake.last.wake();
        await page.untilText('#end-reason', 'interrupted');
        assert.equal(await page.text('#plain'), 'before\n');
        assert.equal(await page.evaluate(`$('#stop').disabled`), true);
    },

    async sockets_that_open_and_say_nothing_are_no_connection({ page, fake, url }) {
        await page.open(url);
        await run(page, 'print before\nsleep 300\ndeafen\nhang');
        await page.untilText('#end-title', 'Trying to reach');
        await pause(3000);
        assert.ok(fake.last.attached <= 6, `${fake.last.attached} times in 3 s`);
        await page.evaluate(`(() => { const now = Date.now; Date.now = () => now() + 30000; })()`);
        await ends(page, 'Connection lost');
    },

    async usage_is_drawn_while_it_runs({ page, url, shoot }) {
        await page.open(url);
        await run(page, 'use 40');
        await page.until(`$('#meter-cpu polyline').getAttribute('points').split(' ').length > 20`, 'a line of cpu');
        assert.match(await page.text('#meter-cpu output'), /^\d+ %$/);
        assert.match(await page.text('#meter-memory output'), /^[\d.]+ MiB$/);
        assert.match(await page.evaluate(`$('#meter-memory svg').getAttribute('aria-label')`), /^Memory: [\d.]+ MiB$/);
        await shoot('usage');
        await ends(page, 'Finished');
    },

    async much_output_does_not_stop_the_page({ page, url }) {
        await page.open(url);
        await run(page, 'flood 60000\nask');
        await page.untilText('#plain', 'line 59999', 100_000);
        const shown = await page.evaluate(`$('#plain').textContent.length`);
        assert.ok(shown < 1_200_000, `${shown} characters are shown`);
        await page.type('Zoe\n');
        await ends(page, 'Finished');
        await page.untilText('#plain', 'Hello, Zoe!');
    },

    async a_language_that_is_missing_says_how_to_get_it({ page, fake, url, shoot }) {
        await page.open(url);
        const posts = fake.posts;
        await choose(page, 'dart');
        await page.untilText('#missing-text', 'Dart is not installed on this server.');
        assert.equal(await page.text('#missing-install'), 'sudo apt-get install dart');
        await page.key('Enter', { control: true });
        await pause(100);
        assert.equal(fake.posts, posts);
        await shoot('not-installed');
        await choose(page, 'python');
        await page.until(`$('#missing').hidden && !$('#run').disabled`);
    },

    async files_go_beside_the_program({ page, fake, url, shoot }) {
        await page.open(url);
        await write(page, 'print x');
        const add = async (name) => {
            await page.click('#file-add');
            await page.until(`$('#name-dialog').open`);
            await page.insert(name);
            await page.key('Enter');
        };
        await add('../escape');
        await page.untilText('#name-error', 'only');
        await page.key('a', { control: true });
        await page.insert('data/in.txt');
        await page.key('Enter');
        await page.until(`!$('#name-dialog').open`);
        await write(page, 'some data');
        await shoot('files');
        await run(page);
        await ends(page, 'Finished');
        assert.deepEqual(fake.last.request.files, [{ path: 'data/in.txt', content: 'some data' }]);
        assert.equal(fake.last.request.code.trim(), 'print x');
        await page.click('#file-remove');
        assert.equal(page.asked, 'Remove data/in.txt?');
        await page.untilText('#tabs', 'main.py');
        await run(page);
        await ends(page, 'Finished');
        assert.equal(fake.last.request.files, undefined);
    },
};
