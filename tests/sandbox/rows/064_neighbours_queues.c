/* SPDX-License-Identifier: MIT
 * row: 64 neighbours, by queues and shared memory
 * expect: succeeded
 * pair: together
 * stdout: ^met nobody$
 * limits: timeout=20s
 * layer: namespaces, seccomp
 *
 * Two at once, each offering what the other looks for.
 */
#include "saw.h"
#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>

enum { KEY = 0x6d650000 };

static void offer(int second)
{
    char name[64];
    snprintf(name, sizeof name, "/meet-%d", second);
    mq_open(name, O_CREAT | O_RDWR, 0666, NULL);
    shmget(KEY + second, 4096, IPC_CREAT | 0666);
    msgget(KEY + second, IPC_CREAT | 0666);
}

static int found(const char *what, long result)
{
    if (result < 0)
        return 0;
    printf("ESCAPED: met by %s\n", what);
    return 1;
}

static int look(int other)
{
    char name[64];
    snprintf(name, sizeof name, "/meet-%d", other);
    return found("mq", mq_open(name, O_RDWR)) + found("shm", shmget(KEY + other, 0, 0)) +
           found("msg", msgget(KEY + other, 0));
}

int main(int argc, char **argv)
{
    int second = argc > 1 && strcmp(argv[1], "second") == 0;
    offer(second);
    for (int turns = 30 * saw_slowness(); turns > 0; turns--) {
        if (look(!second) > 0)
            return 1;
        usleep(100 * 1000);
    }
    puts("met nobody");
    return 0;
}
