<?php
// SPDX-License-Identifier: MIT
while (true)
    ;
