/* SPDX-License-Identifier: MIT */
#include "selftest/aftermath.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/fd.h"

/* 1 (pid (name) S 1 …: its name may contain anything. */
static bool read_parent(const char *pid, pid_t *ret_parent, char *ret_state)
{
    char path[32];
    char text[1024];
    (void)snprintf(path, sizeof path, "/proc/%.12s/stat", pid);
    if (fd_read_text_at(AT_FDCWD, path, text, sizeof text) <= 0)
        return false;
    const char *after = strrchr(text, ')');
    if (!after || strlen(after) < 5)
        return false;
    *ret_state = after[2];
    *ret_parent = (pid_t)strtol(after + 4, NULL, 10);
    return true;
}

typedef void child_fn(void *context, pid_t pid, char state);

static void each_child(pid_t parent, child_fn *fn, void *context)
{
    DIR *dir = opendir("/proc");
    if (!dir)
        return;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        pid_t found = 0;
        char state = 0;
        if (isdigit((unsigned char)entry->d_name[0]) &&
            read_parent(entry->d_name, &found, &state) && found == parent)
            fn(context, (pid_t)strtol(entry->d_name, NULL, 10), state);
    }
    (void)closedir(dir);
}

static void on_own_child(void *context, pid_t pid, char state)
{
    struct aftermath *aftermath = context;
    (void)state;
    aftermath->spawner = pid;
}

void aftermath_begin(struct aftermath *aftermath)
{
    *aftermath = (struct aftermath){.spawner = -1};
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    each_child(getpid(), on_own_child, aftermath);
}

static void on_box(void *context, pid_t pid, char state)
{
    size_t *boxes = context;
    (void)pid, (void)state;
    (*boxes)++;
}

struct orphans {
    pid_t spawner;
    struct complaints *complaints;
};

static void on_orphan(void *context, pid_t pid, char state)
{
    struct orphans *orphans = context;
    if (pid == orphans->spawner)
        return;
    if (state == 'Z')
        (void)waitpid(pid, NULL, WNOHANG);
    else
        complaints_add(orphans->complaints, "left behind: process %d outlived its box", (int)pid);
}

void aftermath_look(const struct aftermath *aftermath, size_t live, struct complaints *complaints)
{
    struct orphans orphans = {aftermath->spawner, complaints};
    size_t boxes = 0;
    each_child(aftermath->spawner, on_box, &boxes);
    if (boxes > live)
        complaints_add(complaints, "left behind: %zu boxes, and %zu runs that have one", boxes,
                       live);
    each_child(getpid(), on_orphan, &orphans);
}

/* Folders that carry the spawner's number: "runnel-NAMESPACE-PID-TIME". */
static bool is_spawners(const char *name, pid_t spawner)
{
    static const char start[] = "runnel-";
    char number[24];
    int len = snprintf(number, sizeof number, "-%d-", (int)spawner);
    if (strncmp(name, start, sizeof start - 1) != 0)
        return false;
    const char *dash = strchr(name + sizeof start - 1, '-');
    return dash && strncmp(dash, number, (size_t)len) == 0;
}

static void look_below(char *mount, pid_t spawner, struct complaints *complaints)
{
    char *roots[] = {mount, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV | FTS_NOSTAT, NULL);
    if (!tree)
        return;
    for (FTSENT *entry = fts_read(tree); entry; entry = fts_read(tree)) {
        if (entry->fts_info == FTS_D && is_spawners(entry->fts_name, spawner)) {
            complaints_add(complaints, "left behind: cgroup %s", entry->fts_path);
            (void)fts_set(tree, entry, FTS_SKIP);
        }
    }
    (void)fts_close(tree);
}

static void look_for_cgroups(pid_t spawner, struct complaints *complaints)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    if (!mounts)
        return;
    for (struct mntent *mount = getmntent(mounts); mount; mount = getmntent(mounts)) {
        if (strncmp(mount->mnt_type, "cgroup", 6) == 0)
            look_below(mount->mnt_dir, spawner, complaints);
    }
    (void)endmntent(mounts);
}

void aftermath_final(const struct aftermath *aftermath, struct complaints *complaints)
{
    const struct timespec pause = {.tv_nsec = AFTERMATH_AGAIN_MS * (long)NS_PER_MS};
    struct orphans orphans = {-1, complaints};
    for (int waited = 0; aftermath->spawner > 0; waited += AFTERMATH_AGAIN_MS) {
        complaints_fini(complaints);
        complaints_init(complaints);
        each_child(getpid(), on_orphan, &orphans);
        look_for_cgroups(aftermath->spawner, complaints);
        if (complaints->count == 0 || waited >= AFTERMATH_GRACE_MS)
            return;
        (void)nanosleep(&pause, NULL);
    }
}
