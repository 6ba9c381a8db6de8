/* SPDX-License-Identifier: MIT
 * row: 91 bad_utf8
 * expect: succeeded
 * stdout: (�){128}$
 * check: host.stdout_bytes == 512
 * layer: interface
 *
 * As JSON: what is no UTF-8 becomes U+FFFD, one for each byte here.
 */
#include "saw.h"

int main(void)
{
    for (int byte = 0; byte < 256; byte++)
        putchar(byte);
    return 0;
}
