// SPDX-License-Identifier: MIT
for (;;)
    ;
