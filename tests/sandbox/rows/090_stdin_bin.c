/* SPDX-License-Identifier: MIT
 * row: 90 stdin_bin
 * expect: succeeded
 * stdin: random 10485760
 * raw: yes
 * limits: timeout=60s max-output=11M
 * layer: supervisor
 */
#include "saw.h"

int main(void)
{
    char bytes[8192];
    for (ssize_t len = 0; (len = read(0, bytes, sizeof bytes)) > 0;) {
        for (ssize_t done = 0, sent; done < len; done += sent) {
            sent = write(1, bytes + done, (size_t)(len - done));
            if (sent < 0)
                return 1;
        }
    }
    return 0;
}
