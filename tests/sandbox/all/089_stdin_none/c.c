// SPDX-License-Identifier: MIT
#include <stdio.h>

int main(void)
{
    if (getchar() == EOF)
        puts("end of input");
}
