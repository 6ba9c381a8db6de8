// SPDX-License-Identifier: MIT
// The tests live outside web/, and use what its lockfile brings.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const require = createRequire(join(ROOT, 'web', 'package.json'));

export const { WebSocket, WebSocketServer } = require('ws');
/* The text of a script that a page may be given: a package's own, or a file of one. */
export const scriptOf = (name) => readFileSync(require.resolve(name), 'utf8');
