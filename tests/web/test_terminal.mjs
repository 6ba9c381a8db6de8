// SPDX-License-Identifier: MIT
// The terminal: what is typed arrives, and nothing else does.
import assert from 'node:assert/strict';
import { ends, inTerminal, paste, pause, run, screenText, untilScreen } from './steps.mjs';

const ESC = '\x1b';

/* All that makes a terminal answer, or that might. */
const QUESTIONS = {
    'device attributes': `${ESC}[c${ESC}[0c${ESC}[>c${ESC}[=c`,
    'status and cursor': `${ESC}[5n${ESC}[6n${ESC}[?6n${ESC}[?15n${ESC}[?25n${ESC}[?26n${ESC}[?53n`,
    'modes': `${ESC}[?1$p${ESC}[?2004$p${ESC}[4$p`,
    'window and title': `${ESC}[11t${ESC}[13t${ESC}[14t${ESC}[16t${ESC}[18t${ESC}[19t${ESC}[20t${ESC}[21t`,
    'a title to report': `${ESC}]0;rm -rf ~\x07${ESC}]2;rm -rf ~\x07${ESC}[21t`,
    'settings': `${ESC}P$qm${ESC}\\${ESC}P$qr${ESC}\\${ESC}P$q"p${ESC}\\${ESC}P$q q${ESC}\\`,
    'capabilities': `${ESC}P+q544e${ESC}\\${ESC}[>q`,
    'colours': `${ESC}]4;1;?\x07${ESC}]10;?\x07${ESC}]11;?\x07${ESC}]12;?\x07`,
    'clipboard': `${ESC}]52;c;?\x07${ESC}]52;c;cm0gLXJmIH4=\x07`,
    'answerback and identity': `\x05${ESC}Z`,
    'checksum and presentation': `${ESC}[1;1;1;1;2;2*y${ESC}[1$w${ESC}[2$w${ESC}[x`,
    'of one maker': `${ESC}]1337;ReportCellSize\x07${ESC}]1337;RequestUpload=format=tgz\x07` +
        `${ESC}]1337;ReportVariable=bmFtZQ==\x07${ESC}]1337;File=name=eA==;inline=0:cm0=\x07${ESC}]1337;Copy=:cm0=\x07`,
    'of large numbers': [2 ** 31 - 1, 2 ** 32, '9'.repeat(1000), `1${';1'.repeat(1000)}`, '1:'.repeat(1000)]
        .flatMap((number) => [...'@ABCDEFGHIJKLMPSTXZ`abcdefghlmnrstx'].map((end) => `x${ESC}[${number}${end}`)).join(''),
};

/* As on a slow machine: what comes is not drawn until letDraw(). */
async function holdDrawing(page) {
    await page.evaluate(`(() => {
        const real = window.setTimeout;
        const held = [];
        window.setTimeout = (call, delay, ...more) => (delay ? real(call, delay, ...more) : held.push(call));
        window.letDraw = () => {
            window.setTimeout = real;
            for (const call of held) call();
        };
    })()`);
}

async function copiedText(page) {
    await page.browser.call('Browser.grantPermissions', {
        permissions: ['clipboardReadWrite', 'clipboardSanitizedWrite'], browserContextId: page.context,
    });
    await page.click('#output-copy');
    await page.untilText('#notice-text', 'Output copied.');
    return page.evaluate('navigator.clipboard.readText()');
}

/* That, and nothing after it. */
async function untilTyped(fake, words) {
    for (let tries = 0; tries < 200 && fake.typed().length < words.length; tries++) await pause(20);
    await pause(50);
    assert.equal(fake.typed(), words);
}

export default {
    async a_program_asks_and_is_answered({ page, fake, url, shoot }) {
        await page.open(url);
        await inTerminal(page);
        await run(page, 'ask\nsay "\\u001b[1;31mred\\u001b[0m \\u001b[38;2;10;120;200mexact\\u001b[0m \\u001b[4:3munder\\u001b[0m\\n"');
        await untilScreen(page, 'Enter your name:');
        await page.type('Ada\n');
        await ends(page, 'Finished');
        await untilScreen(page, 'Hello, Ada!');
        assert.equal(fake.last.request.tty, true);
        assert.ok(fake.last.request.columns > 40 && fake.last.request.rows > 10);
        assert.equal(fake.typed(), 'Ada\r');
        await shoot('terminal');
    },

    async it_has_its_styles_under_the_policy({ page, url }) {
        await page.open(url);
        await inTerminal(page);
        await run(page, 'say "\\u001b[31mred\\u001b[0m \\u001b[38;2;200;10;120mexact\\u001b[0m\\n"');
        await ends(page, 'Finished');
        await untilScreen(page, 'exact');
        const colour = (text) => page.evaluate(`getComputedStyle(
            [...document.querySelectorAll('.xterm-rows span')].find((span) => span.textContent === '${text}')).color`);
        assert.equal(await colour('red'), 'rgb(179, 38, 30)');
        assert.equal(await colour('exact'), 'rgb(200, 10, 120)');
        assert.equal(await page.evaluate(`document.querySelectorAll('style, [style*="expression"]').length`), 0);
        const height = await page.evaluate(`$('.xterm-rows > div').getBoundingClientRect().height`);
        assert.ok(height > 10 && height < 30, `a row is ${height} high`);
    },

    async a_terminals_answers_are_not_typing({ page, fake, url }) {
        await page.open(url);
        await inTerminal(page);
        for (const [name, question] of Object.entries(QUESTIONS)) {
            await run(page, `say ${JSON.stringify(question)}\nprint asked\nlines`);
            await untilScreen(page, 'asked');
            await pause(60);
            assert.equal(fake.typed(), '', name);
        }
        await page.key('.', { control: true });
        await ends(page, 'Stopped');
    },

    async answers_do_not_ride_on_typing({ page, fake, url }) {
        await page.open(url);
        await inTerminal(page);
        const question = JSON.stringify(Object.values(QUESTIONS).join(''));
        await run(page, `say ${question}\n${`lines\nsay ${question}\n`.repeat(3)}`);
        await page.untilText('#end-title', 'Waiting');
        for (const char of 'abc') {
            fake.last.print(JSON.parse(question));
            await page.type(char);
        }
        await pause(100);
        assert.equal(fake.typed(), 'abc');
    },

    async a_later_run_gets_nothing_from_an_earlier_one({ page, fake, url }) {
        await page.open(url);
        await inTerminal(page);
        const question = Object.values(QUESTIONS).join('').repeat(200);
        await run(page, `say ${JSON.stringify(question)}\nhang`);
        await page.until(`document.body.dataset.phase === 'live'`);
        await run(page, 'print second\nlines');
        await untilScreen(page, 'second');
        await pause(200);
        assert.equal(fake.typed(), '');
    },

    async output_that_is_still_to_be_drawn_stays_out_of_a_later_run({ page, url }) {
        await page.open(url);
        await inTerminal(page);
        await run(page, 'flood 40000\nhang');
        await untilScreen(page, 'line');
        await run(page, 'print second\nlines');
        await untilScreen(page, 'second');
        await pause(300);
        assert.equal(await screenText(page), 'second');
    },

    async the_end_of_a_flood_is_seen({ page, url }) {
        await page.open(url);
        await inTerminal(page);
        await holdDrawing(page);
        await run(page, 'blob 9000000\nflood 20000\nprint the question\nlines');
        await page.untilText('#end-title', 'Waiting');
        await page.evaluate('letDraw()');
        await untilScreen(page, 'the question');
        await page.type('answer\n');
        await untilScreen(page, 'got "answer"');
        await holdDrawing(page);
        await run(page, 'blob 9000000\nflood 20000\nprint the last line');
        await ends(page, 'Finished');
        await page.evaluate('letDraw()');
        await untilScreen(page, 'the last line');
        const counted = /\n\[(\d+) characters are not shown\]\nline (\d+) x/.exec(await copiedText(page));
        assert.ok(counted, 'what is missing is said, and a whole line follows');
        assert.ok(Number(counted[2]) < 19_000, `it goes on with line ${counted[2]}`);
    },

    async its_text_is_copied_as_it_is_seen({ page, url }) {
        await page.open(url);
        await inTerminal(page);
        await run(page, `say ${JSON.stringify(`${ESC}[31mred${ESC}[0m\n${'long'.repeat(60)}\n`)}`);
        await ends(page, 'Finished');
        await untilScreen(page, 'long');
        assert.equal(await copiedText(page), `red\n${'long'.repeat(60)}\n`);
    },

    async the_mouse_and_the_focus_are_not_typing({ page, fake, url }) {
        await page.open(url);
        await inTerminal(page);
        for (const modes of ['1000;1004', '1003;1006;1004', '1002;1016;1004', '9']) {
            await run(page, `say ${JSON.stringify(`${ESC}[?${modes}h`)}\nprint asked\nlines`);
            await untilScreen(page, 'asked');
            await page.click('.xterm-screen');
            await page.evaluate(`$('#theme').focus()`);
            await page.click('.xterm-screen');
            await pause(50);
            assert.equal(fake.typed(), '', modes);
        }
    },

    async a_button_held_into_the_next_run_is_let_go({ page, url }) {
        await page.open(url);
        await inTerminal(page);
        await run(page, `say ${JSON.stringify(`${ESC}[?1002h`)}\nprint asked`);
        await untilScreen(page, 'asked');
        const at = { x: 900, y: 300, button: 'left', clickCount: 1 };
        await page.call('Input.dispatchMouseEvent', { type: 'mousePressed', ...at });
        await run(page, 'print next');
        await untilScreen(page, 'next');
        await page.call('Input.dispatchMouseEvent', { type: 'mouseReleased', ...at });
        await ends(page, 'Finished'); // and the page has not complained
    },

    async the_wheel_is_not_typing({ page, fake, url }) {
        await page.open(url);
        await inTerminal(page);
        await run(page, `say ${JSON.stringify(`${ESC}[?1049h${ESC}[?1007h`)}\nprint asked\nlines`);
        await untilScreen(page, 'asked');
        for (const deltaY of [200, -200]) await page.call('Input.dispatchMouseEvent', { type: 'mouseWheel', x: 900, y: 300, deltaX: 0, deltaY });
        await pause(100);
        assert.equal(fake.typed(), '');
    },

    async a_paste_arrives({ page, fake, url }) {
        await page.open(url);
        await inTerminal(page);
        await run(page, 'lines');
        await page.untilText('#end-title', 'Waiting');
        await paste(page, '.xterm-helper-textarea', 'pasted');
        await untilTyped(fake, 'pasted');
    },

    async an_input_method_arrives({ page, fake, url }) {
        await page.open(url);
        await inTerminal(page);
        await run(page, 'lines');
        await page.untilText('#end-title', 'Waiting');
        await page.call('Input.imeSetComposition', { text: 'か', selectionStart: 1, selectionEnd: 1 });
        await page.insert('火');
        await untilTyped(fake, '火');
    },

    async its_size_follows_the_window({ page, fake, url }) {
        await page.open(url);
        await inTerminal(page);
        await run(page, 'lines');
        await page.untilText('#end-title', 'Waiting');
        const { columns } = fake.last.request;
        await page.size(1000, 700);
        for (let tries = 0; tries < 100 && fake.last.sent.length === 0; tries++) await pause(20);
        const resize = fake.last.sent.at(-1);
        assert.equal(resize?.type, 'resize');
        assert.ok(resize.columns < columns);
        await page.size(1280, 800);
    },

    async nothing_is_left_of_an_earlier_run({ page, url }) {
        await page.open(url);
        await inTerminal(page);
        await run(page, `say ${JSON.stringify(`${ESC}[?1049h${ESC}[?25l${ESC}(0${ESC}[5;5Hlqk${ESC}[41m`)}`);
        await ends(page, 'Finished');
        await run(page, 'print lqk');
        await page.until(`$('#plain').hidden`);
        await untilScreen(page, 'lqk');
        assert.equal(await screenText(page), 'lqk');
    },

    async without_a_run_tab_leaves_it({ page, url }) {
        await page.open(url);
        await inTerminal(page);
        await run(page, 'print done');
        await ends(page, 'Finished');
        await page.evaluate(`$('.xterm-helper-textarea').focus()`);
        await page.key('Tab');
        assert.notEqual(await page.evaluate(`document.activeElement.className`), 'xterm-helper-textarea');
    },

    async f6_leaves_it_while_a_run_goes_on({ page, fake, url }) {
        await page.open(url);
        await inTerminal(page);
        await run(page, 'lines');
        await page.untilText('#end-title', 'Waiting');
        assert.ok(await page.evaluate(`document.activeElement.classList.contains('xterm-helper-textarea')`));
        await page.key('F6');
        assert.ok(!(await page.evaluate(`document.activeElement.classList.contains('xterm-helper-textarea')`)));
        assert.equal(fake.typed(), '');
    },

    async a_link_in_output_leads_nowhere({ page, url }) {
        await page.open(url);
        await inTerminal(page);
        const link = `${ESC}]8;;javascript:document.title='owned'${ESC}\\click here${ESC}]8;;${ESC}\\`;
        await run(page, `say ${JSON.stringify(link)}\nlines`);
        await untilScreen(page, 'click here');
        const at = await page.evaluate(`(() => { const box = $('.xterm-rows > div').getBoundingClientRect(); return [box.x + 20, box.y + 8]; })()`);
        for (const type of ['mouseMoved', 'mousePressed', 'mouseReleased']) {
            await page.call('Input.dispatchMouseEvent', { type, x: at[0], y: at[1], button: 'left', clickCount: 1 });
            await pause(60);
        }
        assert.equal(await page.evaluate('document.title'), 'Runnel');
        assert.equal(page.asked, undefined);
    },
};
