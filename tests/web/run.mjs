#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// The page in a real browser.
//
//     tests/web/run.mjs [--only WORDS] [--screenshots FOLDER] [--service URL]
//
// Needs the bundled page (web/build) and Chromium; CHROMIUM names another
// program. Without --service it talks to fake_server.mjs. It speaks as
// tests/report.py does.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Browser, findProgram } from './browser.mjs';
import { startFake } from './fake_server.mjs';
import { ROOT } from './modules.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
    options: { only: { type: 'string' }, screenshots: { type: 'string' }, service: { type: 'string' } },
});
const SECOND_TRY = process.env.LONG !== '1'; // as tests/report.py says
const counts = { ok: 0, FAIL: 0, skip: 0 };

const brief = (reason) => reason.replace(/\s*\n\s*/g, '; ').slice(0, 600);

function report(word, name, reason = '') {
    counts[word] += 1;
    console.log(`${word} ${name}${reason ? ` (${brief(reason)})` : ''}`);
}

async function loadTests() {
    const pattern = options.service ? /^service_.*\.mjs$/ : /^test_.*\.mjs$/;
    const tests = [];
    for (const file of readdirSync(here).filter((name) => pattern.test(name)).sort()) {
        const module = await import(join(here, file));
        for (const [name, test] of Object.entries(module.default))
            tests.push({ name: `${file.replace(/\.mjs$/, '')}/${name.replace(/_/g, ' ')}`, test });
    }
    return tests.filter(({ name }) => !options.only || name.includes(options.only));
}

/* A test gets a visitor who was never here. The page may not stumble, nor break
 * its own policy, in any of them. */
async function complaintOf(browser, fake, test) {
    fake?.forget();
    const page = await browser.visitor();
    const shoot = async (picture) => {
        if (!options.screenshots) return;
        mkdirSync(options.screenshots, { recursive: true });
        writeFileSync(join(options.screenshots, `${picture}.png`), await page.screenshot());
    };
    try {
        await test({ page, fake, url: options.service ?? fake.url, shoot });
        const complaints = [...page.errors, ...(await page.evaluate('window.violations'))];
        if (complaints.length > 0) throw new Error(`the page complains: ${complaints.join('; ')}`);
        return null;
    } catch (error) {
        await shoot('failed').catch(() => undefined);
        return String(error?.message ?? error) || 'it failed';
    } finally {
        await page.close().catch(() => undefined);
    }
}

const program = findProgram();
const folder = join(ROOT, 'build', 'web');
const tests = await loadTests();
if (!options.service && !existsSync(join(folder, 'index.html'))) {
    report('FAIL', 'page', 'web/build has not been run');
} else if (!program) {
    report('skip', 'browser', 'no chromium here');
} else {
    const fake = options.service ? null : await startFake(folder);
    const browser = await Browser.start(program);
    const failed = [];
    for (const each of tests) {
        const complaint = await complaintOf(browser, fake, each.test);
        if (complaint && SECOND_TRY) failed.push({ ...each, complaint });
        else report(complaint ? 'FAIL' : 'ok', each.name, complaint ?? '');
    }
    for (const { name, test, complaint } of failed) {
        const again = await complaintOf(browser, fake, test);
        if (!again) console.log(`unsteady ${name} (${brief(complaint)})`);
        report(again ? 'FAIL' : 'ok', name, again ?? '');
    }
    await browser.stop();
    fake?.close();
}
console.log(`${counts.ok} passed, ${counts.FAIL} failed, ${counts.skip} skipped`);
process.exitCode = counts.FAIL > 0 || counts.ok === 0 ? (counts.skip > 0 && counts.FAIL === 0 ? 77 : 1) : 0;
