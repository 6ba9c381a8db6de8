// SPDX-License-Identifier: MIT
// The tests live outside web/, and use what its lockfile brings.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const { WebSocket, WebSocketServer } = createRequire(join(ROOT, 'web', 'package.json'))('ws');
