// SPDX-License-Identifier: MIT
// axe, in the page that a test looks at.
import assert from 'node:assert/strict';
import { scriptOf } from './modules.mjs';

const AXE = scriptOf('axe-core');

/* The debugger puts the script in, which the page's own policy does not forbid.
 * Of the impacts only `minor` is let pass. */
export async function findsNothing(page, where) {
    if (!(await page.evaluate(`typeof axe === 'object'`))) await page.evaluate(`${AXE}; 0`);
    const { found, passed } = await page.evaluate(`axe.run().then(({ violations, passes }) => ({
        passed: passes.length,
        found: violations.filter(({ impact }) => impact !== 'minor').map(({ id, impact, nodes }) =>
            impact + ' ' + id + ': ' + nodes.map(({ target, any }) => target.join(' ') + ' ' + (any[0]?.message ?? '')).join(', ')),
    }))`);
    assert.ok(passed > 15, `axe looked at ${passed} things only`);
    assert.deepEqual(found, [], where);
}

export const prefer = (page, scheme) => page.call('Emulation.setEmulatedMedia', {
    features: [{ name: 'prefers-color-scheme', value: scheme }],
});
