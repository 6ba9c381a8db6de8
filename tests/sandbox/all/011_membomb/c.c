// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    for (int i = 0; i < 1 << 14; i++) {
        char *block = malloc(1 << 20);
        if (!block)
            return 1;
        memset(block, 1 + i % 100, 1 << 20);
    }
    puts("ran out of ideas");
}
