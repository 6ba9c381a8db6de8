<?php
// SPDX-License-Identifier: MIT
// row: 31 redos
// expect: timeout
// limits: timeout=3s cpu-time=60s
// layer: supervisor
// (PHP's own guards would end it early.)
ini_set("pcre.backtrack_limit", (string)PHP_INT_MAX);
ini_set("pcre.jit", "0");
while (true)
    preg_match('/^(a+)+$/', str_repeat("a", 60) . "b");
