/* SPDX-License-Identifier: MIT
 * row: 25 bytewise
 * expect: succeeded
 * stdout-is: "abcdefghijklmnopqrstuvwxyz" * 19230
 * stderr-is: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" * 19230
 * limits: timeout=60s cpu-time=60s
 * alone: yes
 * layer: supervisor
 *
 * A million writes of one byte, alternating between the streams. Ten million, as the list of
 * threats says, show no more, and take an emulated machine a quarter of an hour.
 */
#include "saw.h"

int main(void)
{
    for (int i = 0; i < 26 * 19230; i++) {
        char small = (char)('a' + i % 26);
        char big = (char)('A' + i % 26);
        if (write(1, &small, 1) != 1 || write(2, &big, 1) != 1)
            return 1;
    }
    return 0;
}
