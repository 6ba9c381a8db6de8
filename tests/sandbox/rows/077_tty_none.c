/* SPDX-License-Identifier: MIT
 * row: 77 tty_inject, by a program without a terminal
 * expect: succeeded
 * stdout: ^open /dev/tty: (ENXIO|its own)$
 * stdout: ^open /dev/ptmx: (ENOENT|EACCES)$
 * layer: root
 */
#include "saw.h"
#include <fcntl.h>

int main(void)
{
    if (isatty(STDIN_FILENO))
        printf("open /dev/tty: its own\n");
    else
        saw_refused("open /dev/tty", open("/dev/tty", O_RDWR));
    saw_refused("open /dev/ptmx", open("/dev/ptmx", O_RDWR));
    return 0;
}
