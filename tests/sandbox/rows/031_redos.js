// SPDX-License-Identifier: MIT
// row: 31 redos
// expect: timeout cpu_limit
// limits: timeout=3s
// layer: supervisor
console.log(/^(a+)+$/.test("a".repeat(60) + "b"));
