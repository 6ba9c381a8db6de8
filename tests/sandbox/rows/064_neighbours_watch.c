/* SPDX-License-Identifier: MIT
 * row: 64 neighbours, who watch the files that all have
 * expect: succeeded
 * pair: together
 * stdout: ^(inotify: ENOSYS, dnotify: EINVAL, saw nobody|opened)$
 * limits: timeout=20s
 * layer: seccomp
 *
 * Two at once: one opens files of /usr, the other looks which are opened. What the host
 * starts would show, too.
 */
#include "saw.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>

static volatile sig_atomic_t notified;

static void on_access(int signal)
{
    (void)signal;
    notified = 1;
}

static int open_and_read(void)
{
    char byte;
    for (int turns = 30 * saw_slowness(); turns > 0; turns--) {
        int file = open("/usr/bin/env", O_RDONLY);
        if (file < 0 || read(file, &byte, 1) != 1)
            return 1;
        close(file);
        usleep(100 * 1000);
    }
    puts("opened");
    return 0;
}

static int look(void)
{
    int watch = inotify_init1(IN_NONBLOCK);
    const char *by_inotify = watch < 0 ? saw_errno(errno) : "ok";
    inotify_add_watch(watch, "/usr/bin", IN_OPEN);
    signal(SIGIO, on_access);
    int dir = open("/usr/bin", O_RDONLY);
    const char *by_signal =
        fcntl(dir, F_NOTIFY, DN_ACCESS | DN_MULTISHOT) < 0 ? saw_errno(errno) : "ok";
    int seen = 0;
    for (int turns = 20 * saw_slowness(); turns > 0; turns--) {
        struct pollfd events = {.fd = watch, .events = POLLIN};
        if (watch >= 0 && poll(&events, 1, 0) > 0)
            seen = 1;
        usleep(100 * 1000);
    }
    printf("inotify: %s, dnotify: %s, %s\n", by_inotify, by_signal,
           seen || notified ? "ESCAPED: saw what another opened" : "saw nobody");
    return 0;
}

int main(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "second") == 0 ? open_and_read() : look();
}
