// SPDX-License-Identifier: MIT
// row: 31 redos
// expect: timeout
// limits: timeout=3s cpu-time=60s
// layer: supervisor
console.log(/^(a+)+$/.test("a".repeat(60) + "b"));
