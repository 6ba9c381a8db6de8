// SPDX-License-Identifier: MIT
// What a visitor does on the page, for the tests.
import assert from 'node:assert/strict';

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export async function paste(page, selector, text) {
    await page.evaluate(`(() => {
        const clipboardData = new DataTransfer();
        clipboardData.setData('text/plain', ${JSON.stringify(text)});
        const options = { clipboardData, bubbles: true, cancelable: true, composed: true };
        $(${JSON.stringify(selector)}).dispatchEvent(new ClipboardEvent('paste', options));
    })()`);
}

/* In place of what the editor holds. */
export async function write(page, code) {
    await page.evaluate(`$('.cm-content').focus()`);
    await page.key('a', { control: true });
    await paste(page, '.cm-content', code);
}

export async function run(page, code) {
    if (code !== undefined) await write(page, code);
    await page.key('Enter', { control: true });
}

export async function choose(page, language) {
    await page.evaluate(`(() => {
        $('#language').value = ${JSON.stringify(language)};
        $('#language').dispatchEvent(new Event('change'));
    })()`);
}

export async function inTerminal(page) {
    await page.click('#mode-terminal');
}

export async function ends(page, title) {
    await page.untilText('#end-title', title);
}

/* What the terminal shows, without the blanks on the right. */
export async function screenText(page) {
    const rows = await page.evaluate(`[...document.querySelectorAll('.xterm-rows > div')].map((row) => row.textContent.replaceAll('\u00a0', ' '))`);
    return rows.map((row) => row.trimEnd()).join('\n').trimEnd();
}

export async function untilScreen(page, words) {
    for (let tries = 0; tries < 300; tries++, await pause(20))
        if ((await screenText(page)).includes(words)) return;
    assert.fail(`waited in vain for ${JSON.stringify(words)} on the screen: ${JSON.stringify(await screenText(page))}`);
}
