/* SPDX-License-Identifier: MIT
 * row: 91 bad_utf8
 * expect: succeeded
 * stdout-is: "grün €20 \ud83d\ude00 ünd\n"
 * layer: interface
 *
 * Characters that arrive byte by byte are put together again.
 */
#include "saw.h"

int main(void)
{
    for (const char *byte = "gr\u00fcn \u20ac20 \U0001F600 \u00fcnd\n"; *byte; byte++) {
        if (write(1, byte, 1) != 1)
            return 1;
        usleep(20000);
    }
    return 0;
}
