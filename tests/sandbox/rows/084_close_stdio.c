/* SPDX-License-Identifier: MIT
 * row: 84 close_stdio
 * expect: failed
 * exit: 5
 * args: ["{arg}"]
 * each: close closefrom nonblock duplicate swap shutdown
 * limits: timeout=20s
 * check: usage.wall_ms >= 900, usage.wall_ms <= 5000
 * layer: supervisor
 */
#include "saw.h"
#include <fcntl.h>
#include <sys/socket.h>

static void trick(const char *name)
{
    if (strcmp(name, "close") == 0)
        for (int i = 0; i < 3; i++)
            close(i);
    if (strcmp(name, "closefrom") == 0)
        closefrom(0);
    if (strcmp(name, "nonblock") == 0)
        for (int i = 0; i < 3; i++)
            fcntl(i, F_SETFL, O_NONBLOCK);
    if (strcmp(name, "duplicate") == 0)
        for (int i = 3; i < 200; i++)
            dup2(i % 3, i);
    if (strcmp(name, "swap") == 0)
        dup2(0, 1), dup2(0, 2);
    if (strcmp(name, "shutdown") == 0)
        for (int i = 0; i < 3; i++)
            shutdown(i, SHUT_RDWR);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 1;
    trick(argv[1]);
    sleep(1);
    return 5;
}
