/* SPDX-License-Identifier: MIT
 * row: 22 ipcbomb
 * expect: succeeded
 * stdout: ^shm: (ENOSYS|ENOSPC|ENOMEM)$
 * stdout: ^sem: (ENOSYS|ENOSPC|ENOMEM)$
 * stdout: ^msg: (ENOSYS|ENOSPC|ENOMEM)$
 * stdout: ^mq: (ENOSYS|ENOSPC|EMFILE|EACCES)$
 * limits: timeout=20s
 * layer: namespaces, seccomp
 *
 * What could be made all the same must be gone after the run: the runner looks.
 */
#include "saw.h"
#include <fcntl.h>
#include <mqueue.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static int new_shm(int i)
{
    return shmget(0x5a000000 + i, 4096, IPC_CREAT | 0666);
}

static int new_sem(int i)
{
    return semget(0x5a000000 + i, 1, IPC_CREAT | 0666);
}

static int new_msg(int i)
{
    return msgget(0x5a000000 + i, IPC_CREAT | 0666);
}

static int new_mq(int i)
{
    char name[32];
    snprintf(name, sizeof name, "/bomb%d", i);
    return mq_open(name, O_CREAT | O_RDWR, 0666, NULL);
}

static void until_refused(const char *what, int (*make)(int))
{
    int last = 0;
    for (int i = 0; i < 100000 && last >= 0; i++)
        last = make(i);
    saw_refused(what, last);
}

int main(void)
{
    until_refused("shm", new_shm);
    until_refused("sem", new_sem);
    until_refused("msg", new_msg);
    until_refused("mq", new_mq);
    return 0;
}
