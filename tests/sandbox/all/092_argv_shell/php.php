<?php
// SPDX-License-Identifier: MIT
foreach (array_slice($argv, 1) as $argument)
    echo "[$argument]\n";
