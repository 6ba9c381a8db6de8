/* SPDX-License-Identifier: MIT
 * row: 64 neighbours, in folders
 * expect: succeeded
 * pair: together
 * stdout: ^met nobody$
 * limits: timeout=20s
 * layer: root
 *
 * Two at once, each offering what the other looks for.
 */
#include "saw.h"
#include <fcntl.h>

static const char *const folders[] = {"/dev/shm", "/tmp", "/work"};

static void offer(int second)
{
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/meet-%d", folders[i], second);
        close(open(name, O_CREAT | O_RDWR, 0666));
    }
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
    int met = 0;
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/meet-%d", folders[i], other);
        met += found(folders[i], access(name, F_OK));
    }
    return met;
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
