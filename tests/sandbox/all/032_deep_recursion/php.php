<?php
// SPDX-License-Identifier: MIT
// expect: failed memory_limit
// needs: cgroup
function deeper(int $depth): int
{
    return deeper($depth + 1) + 1;
}
echo deeper(0), "came back";
