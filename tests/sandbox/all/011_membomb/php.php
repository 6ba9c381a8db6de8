<?php
// SPDX-License-Identifier: MIT
// stdout: ^begun$
ini_set("memory_limit", "-1");
echo "begun\n";
flush();
$hoard = [];
while (count($hoard) < 1 << 14)
    $hoard[] = str_repeat("x", 1 << 20);
echo "ran out of ideas\n";
