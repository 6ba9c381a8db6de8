// SPDX-License-Identifier: MIT
// What axe finds on the page, in each of the shapes that a visitor meets it in.
import assert from 'node:assert/strict';
import { findsNothing, prefer } from './axe.mjs';
import { choose, ends, inTerminal, run, untilScreen } from './steps.mjs';

const PROGRAM = 'print light and dark\nerror and errors\nnotice of the compiler\ngap 12\nuse 8\nask';

/* Each shape, one after the other, on a page of this colour and size. */
async function walk(page, url, name, shoot) {
    await page.open(url);
    await findsNothing(page, `${name}, as it opens`);
    await page.evaluate(`$('#options').open = true`);
    await findsNothing(page, `${name}, options open`);
    await page.evaluate(`$('#options').open = false`);
    await run(page, PROGRAM);
    await page.untilText('#end-title', 'Waiting');
    await findsNothing(page, `${name}, a run that waits`);
    await page.insert('Ada');
    await page.key('Enter');
    await ends(page, 'Finished');
    await findsNothing(page, `${name}, a run that has ended`);
    await shoot(`axe-${name}-finished`);
    await run(page, 'error it broke\nfail 3');
    await ends(page, 'Ended with an error');
    await findsNothing(page, `${name}, a run that failed`);
    await page.click('#history');
    await page.until(`$('#history-dialog').open && $('#history-list').children.length === 2`);
    await findsNothing(page, `${name}, history`);
    await shoot(`axe-${name}-history`);
    await page.click('#history-close');
    await page.click('#file-add');
    await page.until(`$('#name-dialog').open`);
    await page.insert('../x');
    await page.key('Enter');
    await page.untilText('#name-error', 'only');
    await findsNothing(page, `${name}, the name of a file`);
    await page.key('a', { control: true });
    await page.insert('data.txt');
    await page.key('Enter');
    await page.until(`!$('#name-dialog').open`);
    await findsNothing(page, `${name}, two files`);
}

/* What is said aloud: the names and texts of its live regions. */
async function liveRegions(page) {
    const { nodes } = await page.call('Accessibility.getFullAXTree');
    const inside = (node) => [node.name?.value ?? '', ...(node.childIds ?? []).map((id) => inside(nodes.find(({ nodeId }) => nodeId === id)))].join('');
    const found = nodes.filter(({ ignored, role }) => !ignored && ['status', 'alert'].includes(role?.value));
    return found.map((node) => [node.role.value, inside(node)]);
}

export default {
    async notices_come_where_a_screen_reader_listens_already({ page, fake, url }) {
        await page.open(url);
        const before = await liveRegions(page);
        assert.ok(before.some(([role, text]) => role === 'alert' && !text), JSON.stringify(before));
        fake.refuse = { status: 400, body: { error: 'this is refused', code: 'invalid_request' } };
        await run(page, 'print x');
        await page.untilText('#notice-text', 'this is refused');
        assert.ok((await liveRegions(page)).some(([role, text]) => role === 'alert' && text.includes('this is refused')));
        await page.click('#output-download');
        await page.untilText('#notice-text', 'no output yet');
        const after = await liveRegions(page);
        assert.ok(after.some(([role, text]) => role === 'status' && text.includes('no output yet')));
        assert.equal(after.length, before.length);
    },

    async axe_finds_nothing_in_light({ page, url, shoot }) {
        await prefer(page, 'light');
        await walk(page, url, 'light', shoot);
    },

    async axe_finds_nothing_in_the_dark({ page, url, shoot }) {
        await prefer(page, 'dark');
        await walk(page, url, 'dark', shoot);
    },

    async axe_finds_nothing_on_a_phone({ page, url, shoot }) {
        await prefer(page, 'light');
        await page.size(360, 740, true);
        await walk(page, url, 'phone-light', shoot);
    },

    async axe_finds_nothing_on_a_phone_in_the_dark({ page, url, shoot }) {
        await prefer(page, 'dark');
        await page.size(360, 740, true);
        await walk(page, url, 'phone-dark', shoot);
    },

    async axe_finds_nothing_with_a_terminal({ page, url, shoot }) {
        for (const scheme of ['light', 'dark']) {
            await prefer(page, scheme);
            await page.open(url);
            await inTerminal(page);
            await run(page, 'say "\\u001b[1;31mred\\u001b[0m plain\\n"\nask');
            await untilScreen(page, 'Enter your name:');
            await page.untilText('#end-title', 'Waiting');
            await findsNothing(page, `${scheme}, a terminal that waits`);
            await page.type('Ada\n');
            await ends(page, 'Finished');
            await findsNothing(page, `${scheme}, a terminal after the end`);
            await shoot(`axe-${scheme}-terminal`);
        }
    },

    async axe_finds_nothing_in_what_goes_wrong({ page, fake, url, shoot }) {
        for (const scheme of ['light', 'dark']) {
            await prefer(page, scheme);
            await page.open(url);
            await choose(page, 'dart');
            await page.untilText('#missing-text', 'not installed');
            await findsNothing(page, `${scheme}, a language that is missing`);
            await choose(page, 'python');
            fake.refuse = { status: 400, body: { error: 'memory_mb is at most 64', code: 'invalid_request', field: 'limits.memory_mb' } };
            await run(page, 'print x');
            await page.untilText('#notice-text', 'memory_mb is at most 64');
            await findsNothing(page, `${scheme}, a refusal`);
            await shoot(`axe-${scheme}-refused`);
        }
    },
};
