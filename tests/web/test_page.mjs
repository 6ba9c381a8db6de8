// SPDX-License-Identifier: MIT
// What surrounds a run: languages, drafts, links, history, colours, sizes.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { choose, ends, pause, run, write } from './steps.mjs';

const code = (page) => page.evaluate(`[...$('.cm-content').querySelectorAll('.cm-line')].map((line) => line.textContent).join('\\n')`);

async function untilCode(page, words) {
    for (let tries = 0; tries < 200; tries++, await pause(20)) if ((await code(page)).includes(words)) return;
    assert.fail(`waited in vain for ${words} in the editor: ${await code(page)}`);
}

const colours = (page) => page.evaluate(`new Set([...$('#editor').shadowRoot.querySelectorAll('.cm-line span')]
    .map((span) => getComputedStyle(span).color)).size`);

/* A fragment as share.ts makes it, of anything at all. */
const fragment = (page, value) => page.evaluate(`(async () => {
    const packed = new Blob([${JSON.stringify(JSON.stringify(value))}]).stream().pipeThrough(new CompressionStream('deflate-raw'));
    const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
    return '#v1.' + btoa(String.fromCharCode(...bytes)).replace(/[+]/g, '-').replace(/[/]/g, '_').replace(/=+$/, '');
})()`);

/* Pages that differ in their fragment only are one page to a browser. */
async function openAnew(page, url) {
    await page.call('Page.navigate', { url: 'about:blank' });
    await page.open(url);
}

export default {
    async every_language_has_its_version_its_sample_and_its_grammar({ page, url }) {
        await page.open(url);
        const entries = await page.evaluate(`[...$('#language').options].map(({ value, text }) => [value, text])`);
        assert.deepEqual(entries[0], ['python', 'Python 3.11.2']);
        assert.equal(await page.evaluate(`$('#language optgroup').label`), 'Not installed on this server');
        for (const [name] of entries.filter(([name]) => !['python', 'future'].includes(name))) {
            await choose(page, name);
            await untilCode(page, 'Hello, ');
            for (let tries = 0; tries < 100 && (await colours(page)) < 3; tries++) await pause(20);
            assert.ok((await colours(page)) >= 3, `${name} is coloured`);
        }
        await choose(page, 'future');
        await untilCode(page, 'print hello');
        await choose(page, 'bash');
        await page.until(`$('#stdin').value === 'from the sample\\n'`);
    },

    async versions_may_come_later({ page, fake, url }) {
        fake.versionless = 2;
        await page.open(url);
        assert.equal(await page.evaluate(`$('#language').selectedOptions[0].text`), 'Python');
        await page.until(`$('#language').selectedOptions[0].text === 'Python 3.11.2'`);
    },

    async each_language_keeps_its_own_program({ page, url }) {
        await page.open(url);
        await write(page, 'print of python');
        await choose(page, 'go');
        await untilCode(page, 'package main');
        await write(page, 'print of go');
        await choose(page, 'python');
        await untilCode(page, 'print of python');
        await pause(500);
        await page.open(url);
        await untilCode(page, 'print of python');
        await choose(page, 'go');
        await untilCode(page, 'print of go');
        await page.click('#sample');
        await untilCode(page, 'package main');
        assert.equal(page.asked, 'Replace the program by the Go sample?');
    },

    async a_second_tab_costs_the_first_nothing({ page, url }) {
        await page.open(url);
        const other = await page.browser.tab(page.context);
        await other.open(url);
        await write(page, 'print of the first tab');
        await pause(500);
        await choose(other, 'go');
        await untilCode(other, 'package main');
        await write(other, 'print of the second tab');
        await pause(500);
        await choose(page, 'go');
        await untilCode(page, 'print of the second tab');
        await page.open(url);
        await choose(page, 'python');
        await untilCode(page, 'print of the first tab');
    },

    async a_tab_that_changes_nothing_writes_nothing({ page, url }) {
        await page.open(url);
        await write(page, 'print of this visit');
        await pause(500);
        const other = await page.browser.tab(page.context);
        await other.open(url);
        await untilCode(other, 'print of this visit');
        await write(page, 'print of later');
        await page.until(`localStorage.getItem('runnel.drafts').includes('print of later')`);
        await other.call('Page.navigate', { url: 'about:blank' });
        await pause(200);
        assert.match(await page.evaluate(`localStorage.getItem('runnel.drafts')`), /print of later/);
    },

    async output_is_never_markup({ page, url }) {
        await page.open(url);
        const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script><b>bold</b>&lt;\x1b[31m\u202eabc\r\n';
        await run(page, `say ${JSON.stringify(hostile)}\nerror <script>document.title=3</script>\nnotice <i>n</i>\nverdict <img/src=x>`);
        await page.untilText('#end-reason', 'this is <img/src=x>');
        assert.ok((await page.text('#plain')).includes('<script>document.title=2</script><b>bold</b>&lt;\u241b[31m'));
        const names = await page.evaluate(`[...new Set([...document.querySelectorAll('#output *')].map((element) => element.localName))].sort()`);
        assert.deepEqual(names.filter((name) => ['img', 'script', 'b', 'i'].includes(name)), []);
        assert.equal(await page.evaluate('document.title'), 'Runnel');
        await page.click('#history');
        await page.until(`$('#history-dialog').open`);
        assert.equal(await page.evaluate(`document.querySelectorAll('#history-list img').length`), 0);
    },

    async a_link_carries_everything({ page, fake, url }) {
        await page.open(url);
        await write(page, 'print shared ünïcödé 🙂');
        await page.evaluate(`$('#options').open = true`);
        await page.click('#args');
        await page.insert('a b');
        await page.click('#limit-timeout_ms');
        await page.insert('2');
        await page.click('#share');
        await page.until(`location.hash.startsWith('#v1.')`);
        const link = await page.evaluate('location.href');
        await page.evaluate('localStorage.clear()');
        const posts = fake.posts;
        await openAnew(page, link);
        await untilCode(page, 'print shared ünïcödé 🙂');
        assert.equal(await page.evaluate(`$('#args').value + '|' + $('#limit-timeout_ms').value`), 'a b|2');
        await page.untilText('#notice-text', 'read it before you run it');
        assert.equal(fake.posts, posts, 'nothing is run unasked');
    },

    async a_link_does_not_cost_the_visitors_own_program({ page, url }) {
        await page.open(url);
        const link = url + (await fragment(page, { language: 'python', files: [{ path: 'x', content: 'print theirs \u202e' }] }));
        await write(page, 'print mine');
        await pause(500);
        await openAnew(page, link);
        await untilCode(page, 'print theirs');
        assert.ok(await page.evaluate(`$('.cm-specialChar') !== null`), 'a character that turns the order is seen');
        await page.click('#history');
        await page.untilText('#history-list', 'Put aside');
        await page.click('#history-list button');
        await untilCode(page, 'print mine');
    },

    async a_link_leaves_the_address_when_its_program_is_changed({ page, url }) {
        await page.open(url);
        const link = url + (await fragment(page, { language: 'python', files: [{ path: 'x', content: 'print theirs' }] }));
        await openAnew(page, link);
        await untilCode(page, 'print theirs');
        assert.equal(await page.evaluate('location.href'), link);
        await write(page, 'print what I made of it');
        assert.equal(await page.evaluate('location.href'), url);
        await pause(500);
        await openAnew(page, url);
        await untilCode(page, 'print what I made of it');
        await page.click('#share');
        await page.until(`location.hash.startsWith('#v1.')`);
        await write(page, 'print even later');
        assert.equal(await page.evaluate('location.hash'), '');
    },

    async a_link_does_not_cost_what_stands_beside_the_program({ page, url }) {
        await page.open(url);
        await write(page, 'print the same');
        await page.evaluate(`$('#options').open = true`);
        await page.click('#stdin');
        await page.insert('my input');
        await pause(500);
        await openAnew(page, url + (await fragment(page, { language: 'python', files: [{ path: 'x', content: 'print the same' }] })));
        await page.until(`$('#stdin').value === ''`);
        await page.click('#history');
        await page.untilText('#history-list', 'Put aside');
        await page.click('#history-list button');
        await page.until(`$('#stdin').value === 'my input'`);
    },

    async a_broken_link_does_no_harm({ page, fake, url }) {
        await page.open(url);
        const bomb = await fragment(page, { language: 'python', files: [{ path: 'x', content: ' '.repeat(6_000_000) }] });
        assert.ok(bomb.length < 10_000);
        const posts = fake.posts;
        for (const broken of ['#v1.', '#v1.%%%', '#v1.AAAA', bomb, await fragment(page, { files: [] }), await fragment(page, null),
            await fragment(page, { language: 'python', files: [{ path: 1, content: {} }] })]) {
            await openAnew(page, url + broken);
            await page.untilText('#notice-text', 'cannot be read');
            await untilCode(page, 'ask');
        }
        await openAnew(page, url + (await fragment(page, { language: '<b>cobol</b>', files: [{ path: 'x', content: 'y' }] })));
        await page.untilText('#notice-text', 'does not have: <b>cobol</b>');
        await openAnew(page, `${url}#v2.something`);
        await untilCode(page, 'ask');
        assert.equal(fake.posts, posts);
    },

    async past_runs_come_back({ page, url, shoot }) {
        await page.open(url);
        await run(page, 'print the first');
        await ends(page, 'Finished');
        await run(page, 'fail 1');
        await ends(page, 'Ended with an error');
        await page.open(url);
        await page.click('#history');
        await page.until(`$('#history-list').children.length === 2`);
        assert.ok((await page.text('#history-list')).includes('Python – Ended with an error'));
        await shoot('history');
        await page.click('#history-list li:last-child button');
        await untilCode(page, 'print the first');
        await page.click('#history');
        await page.click('#history-forget');
        assert.equal(await page.evaluate(`$('#history-empty').hidden`), false);
    },

    async what_is_stored_may_be_anything({ page, url }) {
        await page.open(url);
        for (const broken of ['{', '[]', '{}', '[1,{"setup":{}}]', '"x"', '[{"language":"python","files":[{}]}]', 'null', '9']) {
            await page.evaluate(`for (const name of ['history', 'drafts', 'theme', 'language', 'terminal'])
                localStorage.setItem('runnel.' + name, ${JSON.stringify(broken)})`);
            await page.call('Page.navigate', { url: 'about:blank' });
            await page.open(url);
            await untilCode(page, 'ask');
            await page.click('#history');
            await page.click('#history-close');
        }
    },

    async a_full_store_stops_nothing({ page, url }) {
        await page.open(url);
        await page.evaluate(`(() => { try { for (let i = 0; ; i++) localStorage.setItem('x' + i, 'x'.repeat(100000)); } catch {}
            try { for (let i = 0; ; i++) localStorage.setItem('y' + i, 'x'.repeat(100)); } catch {} })()`);
        await run(page, 'print still fine');
        await ends(page, 'Finished');
        await page.untilText('#plain', 'still fine');
    },

    async output_can_be_cleared_and_saved_with_times({ page, url }) {
        await page.open(url);
        const folder = mkdtempSync(join(tmpdir(), 'runnel-download-'));
        await page.browser.call('Browser.setDownloadBehavior', {
            behavior: 'allow', downloadPath: folder, browserContextId: page.context,
        });
        await run(page, 'print one\nerror two\nask');
        await page.untilText('#end-title', 'Waiting');
        await page.type('Ada\n');
        await ends(page, 'Finished');
        await page.click('#output-download');
        let names = [];
        for (let tries = 0; tries < 200 && !names.some((name) => name.endsWith('.txt')); tries++, await pause(20))
            names = readdirSync(folder);
        const saved = readFileSync(join(folder, names[0]), 'utf8').split('\n');
        rmSync(folder, { recursive: true });
        for (const line of [/^ +\d+\.\d{3} stdout one$/, /^ +\d+\.\d{3} stderr two$/, /^ +\d+\.\d{3} sent {3}Ada$/, /^ +\d+\.\d{3} stdout Hello, Ada!$/])
            assert.ok(saved.some((one) => line.test(one)), `${line}: ${saved}`);
        await page.click('#output-clear');
        assert.equal(await page.text('#plain'), '');
        await page.click('#output-download');
        await page.untilText('#notice-text', 'There is no output yet.');
    },

    async code_and_output_can_be_copied({ page, url }) {
        await page.open(url);
        await page.browser.call('Browser.grantPermissions', {
            permissions: ['clipboardReadWrite', 'clipboardSanitizedWrite'], browserContextId: page.context,
        });
        await run(page, 'print copied');
        await ends(page, 'Finished');
        await page.click('#code-copy');
        await page.untilText('#notice-text', 'Code copied.');
        assert.equal(await page.evaluate('navigator.clipboard.readText()'), 'print copied');
        await page.click('#output-copy');
        await page.untilText('#notice-text', 'Output copied.');
        assert.equal(await page.evaluate('navigator.clipboard.readText()'), 'copied\n');
    },

    async colours_follow_the_system_or_the_visitor({ page, url, shoot }) {
        const dark = (value) => page.call('Emulation.setEmulatedMedia', {
            features: [{ name: 'prefers-color-scheme', value: value ? 'dark' : 'light' }],
        });
        const brightness = () => page.evaluate(`Number(/\\d+/.exec(getComputedStyle(document.body).backgroundColor)[0])`);
        await dark(true);
        await page.open(url);
        assert.ok((await brightness()) < 60);
        await run(page, 'print light and dark\nerror and errors\nuse 12');
        await ends(page, 'Finished');
        await shoot('dark');
        await page.click('#theme');
        assert.equal(await page.evaluate(`$('#theme').getAttribute('aria-label')`), 'Colours: light');
        assert.ok((await brightness()) > 200);
        await shoot('light');
        await page.open(url);
        assert.ok((await brightness()) > 200);
        await page.click('#theme');
        await dark(false);
        assert.ok((await brightness()) < 60);
    },

    async it_fits_a_phone({ page, fake, url, shoot }) {
        await page.size(360, 740, true);
        await page.open(url);
        await shoot('phone-editor');
        await page.click('#run');
        await page.untilText('#end-title', 'Waiting');
        const box = await page.evaluate(`(({ top, bottom }) => ({ top, bottom }))($('#reply-line').getBoundingClientRect())`);
        assert.ok(box.top > 0 && box.bottom <= 740, 'the line to type in is seen');
        await page.insert('Ada');
        await page.click('.send');
        await ends(page, 'Finished');
        assert.equal(fake.typed(), 'Ada\n');
        await shoot('phone-output');
        const width = await page.evaluate('document.documentElement.scrollWidth');
        assert.ok(width <= 360, `the page is ${width} wide`);
        for (const field of ['stdin', 'args', 'reply-line'])
            assert.equal(await page.evaluate(`getComputedStyle($('#${field}')).fontSize`), '16px', 'phones zoom in on a smaller one');
        assert.ok(await page.evaluate(`$('#stop').getBoundingClientRect().bottom < 120`), 'Stop stays in reach');
    },

    async everything_has_a_name_and_the_keyboard_reaches_it({ page, url }) {
        await page.open(url);
        await page.evaluate(`$('#options').open = true`);
        const { nodes } = await page.call('Accessibility.getFullAXTree');
        const roles = ['button', 'textbox', 'combobox', 'checkbox', 'radio', 'tab', 'log', 'img', 'dialog', 'link'];
        const nameless = nodes.filter(({ ignored, role, name }) => !ignored && roles.includes(role?.value) && !name?.value);
        assert.deepEqual(nameless.map(({ role }) => role.value), []);
        const reached = new Set();
        await page.evaluate(`$('#language').focus()`);
        for (let steps = 0; steps < 40; steps++) {
            const id = await page.evaluate(`document.activeElement.id || document.activeElement.localName`);
            reached.add(id);
            if (id === 'editor') await page.key('Escape');
            await page.key('Tab');
        }
        for (const id of ['run', 'share', 'history', 'theme', 'tab-0', 'file-add', 'sample', 'code-copy', 'editor', 'stdin', 'args',
            'limit-timeout_ms', 'mode-plain', 'output-copy', 'output-clear', 'output-download', 'plain'])
            assert.ok(reached.has(id), `Tab does not reach ${id}: ${[...reached]}`);
    },

    async tabs_move_with_the_arrow_keys({ page, url }) {
        await page.open(url);
        await page.click('#file-add');
        await page.until(`$('#name-dialog').open`);
        await page.insert('util.py');
        await page.key('Enter');
        await page.until(`$('[aria-selected="true"]').textContent === 'util.py'`);
        await page.evaluate(`$('[aria-selected="true"]').focus()`);
        await page.key('ArrowRight');
        assert.equal(await page.text('[aria-selected="true"]'), 'main.py');
        assert.equal(await page.evaluate(`$('.cm-content').getAttribute('aria-label')`), 'Code of main.py');
        await page.key('End');
        await page.key('Delete');
        assert.equal(await page.text('#tabs'), 'main.py');
    },

    async contrast_is_enough({ page, url }) {
        for (const scheme of ['light', 'dark']) {
            await page.call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
            await page.open(url);
            const low = await page.evaluate(`(() => {
                const probe = document.createElement('p');
                document.body.append(probe);
                const light = (name) => {
                    probe.style.color = 'var(--' + name + ')';
                    const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3)
                        .map((part) => part / 255).map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
                    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
                };
                const texts = ['text', 'faint', 'good', 'bad', 'sent', 'code-comment', 'code-keyword', 'code-string', 'code-number', 'code-type', 'code-name'];
                const low = [];
                for (const back of ['field', 'panel', 'page']) for (const text of texts) {
                    const [a, b] = [light(back), light(text)].sort((x, y) => y - x);
                    const ratio = (a + 0.05) / (b + 0.05);
                    if (ratio < 4.5) low.push(text + ' on ' + back + ': ' + ratio.toFixed(2));
                }
                return low;
            })()`);
            assert.deepEqual(low, [], scheme);
        }
    },
};
