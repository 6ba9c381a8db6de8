// SPDX-License-Identifier: MIT
// The page with the real service behind it.
import assert from 'node:assert/strict';
import { choose, ends, inTerminal, pause, run, untilScreen } from './steps.mjs';

const languages = (page) => page.evaluate(`[...$('#language').options].filter((one) => !one.closest('optgroup')).map((one) => one.value)`);

export default {
    async every_installed_language_s_sample_asks_and_is_answered({ page, url }) {
        await page.open(url);
        await page.until(`!$('#run').disabled`);
        const names = await languages(page);
        assert.ok(names.length >= 10, `only ${names}`);
        for (const name of names) {
            await choose(page, name);
            await run(page);
            await page.until(`document.body.dataset.phase !== 'idle'`);
            await page.untilText('#plain', 'name', 60000);
            await page.type('Ada\n');
            await ends(page, 'Finished').catch((error) => { throw new Error(`${name}: ${error.message}`); });
            assert.match(await page.text('#plain'), /Hello, Ada/, name);
        }
    },

    async stop_ends_an_endless_loop_now({ page, url, shoot }) {
        await page.open(url);
        await choose(page, 'python');
        await run(page, 'print("on and on", flush=True)\nwhile True: pass');
        await page.untilText('#plain', 'on and on');
        const began = Date.now();
        await page.click('#stop');
        await ends(page, 'Stopped');
        assert.ok(Date.now() - began < 10000);
        await shoot('stopped');
    },

    async a_terminal_shows_colours_and_takes_keys({ page, url, shoot }) {
        await page.open(url);
        await choose(page, 'bash');
        await inTerminal(page);
        await run(page, 'printf "\\033[31mred\\033[0m\\n"; stty size; read -r -p "name? " name; echo "hello $name"; read -r x');
        await untilScreen(page, 'name?');
        await page.type('Ada\n');
        await untilScreen(page, 'hello Ada');
        await shoot('service-terminal');
        await page.key('c', { control: true });
        await page.until(`$('#end-title').textContent !== '' && !$('#run').disabled`);
    },

    async a_hostile_program_s_output_stays_text({ page, url }) {
        await page.open(url);
        await choose(page, 'python');
        const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
        await run(page, `print(${JSON.stringify(evil)})\nprint("\\x1b]0;title\\x07\\x1b]52;c;cm0gLXJmIH4=\\x07\\x1b[c\\x1b[6n")\nimport sys, select\nprint("typed:", select.select([sys.stdin], [], [], 0.5)[0])`);
        await ends(page, 'Finished');
        assert.ok((await page.text('#plain')).includes(evil));
        assert.ok((await page.text('#plain')).includes('typed: []'));
        assert.equal(await page.evaluate('document.title'), 'Runnel');
    },

    async limits_are_told_in_words({ page, url }) {
        await page.open(url);
        await choose(page, 'python');
        await run(page, 'x = []\nwhile True: x.append("x" * 1000000)');
        await page.untilText('#end-title', 'memory', 30000).catch(() => undefined);
        await page.until(`!$('#run').disabled`);
        assert.match(await page.text('#end'), /memory/i);
    },

    async a_run_that_waits_says_so({ page, url }) {
        await page.open(url);
        await choose(page, 'python');
        await run(page, 'input("? ")');
        await page.untilText('#end-title', 'Waiting for your input');
        await pause(50);
        await page.click('#stop');
        await ends(page, 'Stopped');
    },
};
