<?php
// SPDX-License-Identifier: MIT
if (fgets(STDIN) === false)
    echo "end of input\n";
