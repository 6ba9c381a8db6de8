<?php
// SPDX-License-Identifier: MIT
// stderr: Allowed memory size of [0-9]+ bytes exhausted
function deeper(int $depth): int
{
    return deeper($depth + 1) + 1;
}
echo deeper(0), "came back";
