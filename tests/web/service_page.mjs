// SPDX-License-Identifier: MIT
// The page with the real service behind it.
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { choose, ends, inTerminal, pause, run, untilScreen } from './steps.mjs';

const languages = (page) => page.evaluate(`[...$('#language').options].filter((one) => !one.closest('optgroup')).map((one) => one.value)`);

/* What lies between a browser and the service, and can be cut. */
class Line {
    constructor(service) {
        const { hostname, port } = new URL(service);
        this.ends = new Set();
        this.whole = true;
        this.server = createServer((near) => {
            if (!this.whole) return near.destroy();
            const far = connect(Number(port), hostname);
            for (const [one, other] of [[near, far], [far, near]]) {
                this.ends.add(one);
                one.on('error', () => undefined).on('close', () => {
                    this.ends.delete(one);
                    other.destroy();
                });
                one.pipe(other);
            }
            return undefined;
        });
    }

    async open() {
        await new Promise((ready) => this.server.listen(0, '127.0.0.1', ready));
        return `http://127.0.0.1:${this.server.address().port}/`;
    }

    cut() {
        this.whole = false;
        for (const one of this.ends) one.destroy();
    }

    mend() {
        this.whole = true;
    }

    close() {
        this.cut();
        this.server.close();
    }
}

/* From here on the page's sockets stand in window.sockets. */
const watchSockets = (page) => page.call('Page.addScriptToEvaluateOnNewDocument', {
    source: `window.sockets = []; window.WebSocket = class extends WebSocket {
        constructor(...all) { super(...all); sockets.push(this); }
    };`,
});

const COUNTS = 'import time\nfor i in range(60):\n    print("line", i, flush=True)\n    time.sleep(0.05)\nprint("hello", input("name? "))';
const COUNTED = `${Array.from({ length: 60 }, (_, i) => `line ${i}\n`).join('')}name? Ada\nhello Ada\n`;

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

    async a_line_that_is_cut_in_the_middle_costs_no_output({ page, url }) {
        const line = new Line(url);
        try {
            await page.open(await line.open());
            await choose(page, 'python');
            await run(page, COUNTS);
            for (const at of ['line 10', 'line 25']) {
                await page.untilText('#plain', at);
                line.cut();
                await page.untilText('#end-title', 'Trying to reach');
                await pause(700);
                line.mend();
            }
            await page.untilText('#plain', 'name? ');
            line.cut();
            await page.untilText('#end-title', 'Trying to reach'); // what was on its way is gone
            await page.type('Ada\n');
            await pause(300);
            line.mend();
            await ends(page, 'Finished');
            assert.equal(await page.text('#plain'), COUNTED);
        } finally {
            line.close();
        }
    },

    async a_line_that_stays_cut_is_told_and_the_run_ends({ page, url }) {
        const line = new Line(url);
        try {
            await watchSockets(page);
            await page.open(await line.open());
            await choose(page, 'python');
            await run(page, 'print("on", flush=True)\nwhile True: pass');
            await page.untilText('#plain', 'on');
            const run_url = await page.evaluate('sockets.at(-1).url');
            const id = /runs\/([^/]+)\/stream/.exec(run_url)[1];
            line.cut();
            await ends(page, 'Connection lost').catch(() => page.untilText('#end-title', 'Connection lost', 40000));
            const record = async () => (await fetch(new URL(`v1/runs/${id}`, url))).json();
            for (let tries = 0; tries < 500 && !(await record()).verdict; tries++) await pause(20);
            assert.equal((await record()).verdict, 'cancelled');
        } finally {
            line.close();
        }
    },

    async two_tabs_follow_one_run_and_both_may_type({ page, url }) {
        await watchSockets(page);
        await page.open(url);
        await choose(page, 'python');
        await run(page, 'print("first", flush=True)\nfor i in range(2): print("hello", input("name? "))');
        await page.untilText('#plain', 'name? ');
        const other = await page.browser.tab(page.context);
        await other.open(url);
        await other.evaluate(`(() => {
            window.heard = [];
            window.socket = new WebSocket(${JSON.stringify(await page.evaluate('sockets.at(-1).url'))}.replace(/from=.*/, 'from=1'));
            socket.onmessage = ({ data }) => heard.push(JSON.parse(data));
            socket.onclose = ({ code }) => { window.code = code; };
            window.said = () => heard.filter(({ type }) => type === 'stdout').map(({ data }) => data).join('');
        })()`);
        await other.until(`said() === 'first\\nname? '`, 'all that was said before');
        await other.evaluate(`socket.send(JSON.stringify({ type: 'input', data: 'other\\n' }))`);
        await page.untilText('#plain', 'hello other');
        await page.type('Ada\n');
        await ends(page, 'Finished');
        await other.until(`window.code === 1000`, 'a proper end');
        assert.equal(await other.evaluate('said()'), 'first\nname? hello other\nname? hello Ada\n');
        const numbers = await other.evaluate('heard.map(({ n }) => n)');
        assert.deepEqual(numbers, numbers.map((_, at) => at + 1));
        assert.equal(await other.evaluate(`heard.at(-1).verdict`), 'succeeded');
    },

    async a_tab_that_leaves_takes_nothing_from_the_other({ page, url }) {
        await watchSockets(page);
        await page.open(url);
        await choose(page, 'python');
        await run(page, COUNTS);
        await page.untilText('#plain', 'line 3');
        const other = await page.browser.tab(page.context);
        await other.open(url);
        await other.evaluate(`(() => {
            window.heard = [];
            window.socket = new WebSocket(${JSON.stringify(await page.evaluate('sockets.at(-1).url'))});
            socket.onmessage = ({ data }) => heard.push(JSON.parse(data));
        })()`);
        await other.until('heard.length > 5');
        await other.call('Page.close');
        await page.untilText('#plain', 'name? ');
        await page.type('Ada\n');
        await ends(page, 'Finished');
        assert.equal(await page.text('#plain'), COUNTED);
    },
};
