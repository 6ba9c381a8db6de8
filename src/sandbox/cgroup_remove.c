/* SPDX-License-Identifier: MIT */
/* Killing what is in a group, removing groups, and the leftovers of spawners
 * that died without either.
 *
 * The name of a spawner's directory is all the record there is: it can be told
 * from the kernel's own state whether its owner lives, and there is no file
 * that could be lost or stale. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"
#include "os/fd.h"
#include "sandbox/cgroup_driver.h"

#define OWN_PREFIX "runnel-"
enum { REMOVE_TRIES = 500, REMOVE_PAUSE_US = 2000, KILL_BATCH = 64, TREE_DEPTH = 8 };

static bool lists_pid(const char *text, pid_t pid)
{
    while (*text) {
        char *end = NULL;
        if (strtol(text, &end, 10) == pid)
            return true;
        text = end + strcspn(end, "\n");
        text += *text == '\n';
    }
    return false;
}

/* Takes up to KILL_BATCH pids off *text. */
static size_t next_pids(const char **text, pid_t pids[KILL_BATCH])
{
    size_t count = 0;
    while (count < KILL_BATCH && **text) {
        char *end = NULL;
        pid_t pid = (pid_t)strtol(*text, &end, 10);
        *text = end + strcspn(end, "\n");
        *text += **text == '\n';
        /* 0: a process that our pid namespace does not show. */
        if (pid > 0 && pid != getpid())
            pids[count++] = pid;
    }
    return count;
}

/* A pid that was read may be another's by the time it is signalled. So hold the
 * process first, then ask whether that pid is in the group: if it still is, the
 * process held is the one listed. */
static int kill_batch(int dir_fd, const pid_t pids[KILL_BATCH], size_t count)
{
    int pidfds[KILL_BATCH];
    for (size_t i = 0; i < count; i++)
        pidfds[i] = pidfd_open(pids[i], 0);
    auto_free char *now = cgroup_read_whole(dir_fd, "cgroup.procs");
    int rc = now ? 0 : -errno;
    for (size_t i = 0; i < count; i++) {
        if (now && pidfds[i] >= 0 && lists_pid(now, pids[i]))
            (void)pidfd_send_signal(pidfds[i], SIGKILL, NULL, 0);
        fd_close(&pidfds[i]);
    }
    return rc;
}

int cgroup_kill_members(int dir_fd)
{
    /* No new ones while we go through the list. Where there is no pids.max, or
     * no right to it, the caller's loop has to win the race. */
    (void)fd_write_text_at(dir_fd, "pids.max", "0");
    if (fd_write_text_at(dir_fd, "cgroup.kill", "1") == 0) {
        char text[16];
        ssize_t len = fd_read_text_at(dir_fd, "cgroup.procs", text, sizeof text);
        return len == 0 ? 0 : 1;
    }
    auto_free char *listed = cgroup_read_whole(dir_fd, "cgroup.procs");
    if (!listed)
        return -errno;
    int seen = 0;
    for (const char *rest = listed; *rest;) {
        pid_t pids[KILL_BATCH];
        size_t count = next_pids(&rest, pids);
        int rc = kill_batch(dir_fd, pids, count);
        if (rc < 0)
            return rc;
        seen += (int)count;
    }
    return seen;
}

/* Whatever is in it is killed, and what is empty by now goes. */
static int remove_once(int parent_fd, const char *name, int depth)
{
    if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    int rc = -errno;
    auto_close_dir DIR *dir = rc == -EBUSY ? dir_open_at(parent_fd, name) : NULL;
    if (!dir)
        return rc;
    (void)cgroup_kill_members(dirfd(dir));
    for (struct dirent *entry = readdir(dir); entry && depth > 0; entry = readdir(dir))
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            (void)remove_once(dirfd(dir), entry->d_name, depth - 1);
    return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 ? 0 : -errno;
}

/* Who was killed takes a moment to go, and so does want of memory. */
int cgroup_remove_tree(int parent_fd, const char *name)
{
    int rc = remove_once(parent_fd, name, TREE_DEPTH);
    for (int tries = 1; (rc == -EBUSY || rc == -ENOMEM) && tries < REMOVE_TRIES; tries++) {
        (void)usleep(REMOVE_PAUSE_US);
        rc = remove_once(parent_fd, name, TREE_DEPTH);
    }
    return rc;
}

void cgroup_remove_groups(int own_fd)
{
    auto_close_dir DIR *dir = dir_open_at(own_fd, ".");
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_type == DT_DIR && entry->d_name[0] == 'b')
            (void)cgroup_remove_tree(own_fd, entry->d_name);
}

/* Field 22 of /proc/PID/stat, counted from behind the name, which may contain
 * anything. Never the same for two processes with the same pid. -ESRCH for one
 * that is dead and only waits to be reaped, perhaps for ever. */
static int start_time(uint64_t pid, uint64_t *ret_ticks)
{
    char path[40];
    char text[1024];
    (void)snprintf(path, sizeof path, "/proc/%" PRIu64 "/stat", pid);
    ssize_t len = fd_read_text_at(AT_FDCWD, path, text, sizeof text);
    if (len < 0)
        return (int)len;
    char *field = strrchr(text, ')');
    if (field && (strncmp(field, ") Z", 3) == 0 || strncmp(field, ") X", 3) == 0))
        return -ESRCH;
    for (int number = 2; field && number < 22; number++)
        field = strchr(field + 1, ' ');
    if (!field)
        return -EINVAL;
    field[1 + strcspn(field + 1, " ")] = '\0';
    return parse_u64(field + 1, ret_ticks);
}

static int own_pid_namespace(uint64_t *ret_inode)
{
    struct stat file;
    if (stat("/proc/self/ns/pid", &file) < 0)
        return -errno;
    *ret_inode = file.st_ino;
    return 0;
}

int cgroup_own_name(char *name, size_t size)
{
    uint64_t inode = 0;
    uint64_t ticks = 0;
    int rc = own_pid_namespace(&inode);
    if (rc == 0)
        rc = start_time((uint64_t)getpid(), &ticks);
    if (rc < 0)
        return rc;
    int len = snprintf(name, size, OWN_PREFIX "%" PRIu64 "-%d-%" PRIu64, inode, getpid(), ticks);
    return len > 0 && (size_t)len < size ? 0 : -ENAMETOOLONG;
}

/* Is this the directory of a spawner of our pid namespace, and is that dead? One
 * of another namespace cannot be judged from here and is never touched. */
static bool is_leftover(const char *name, uint64_t own_inode)
{
    char text[128];
    uint64_t inode = 0;
    uint64_t pid = 0;
    uint64_t ticks = 0;
    uint64_t *fields[] = {&inode, &pid, &ticks};
    if (strncmp(name, OWN_PREFIX, strlen(OWN_PREFIX)) != 0 || strlen(name) >= sizeof text)
        return false;
    (void)snprintf(text, sizeof text, "%s", name + strlen(OWN_PREFIX));
    char *rest = text;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        char *field = strsep(&rest, "-");
        if (!field || parse_u64(field, fields[i]) < 0)
            return false;
    }
    if (rest || inode != own_inode)
        return false;
    uint64_t alive_since = 0;
    int rc = start_time(pid, &alive_since);
    return rc == -ENOENT || rc == -ESRCH || (rc == 0 && alive_since != ticks);
}

void cgroup_reap_leftovers(int parent_fd)
{
    uint64_t own_inode = 0;
    if (own_pid_namespace(&own_inode) < 0)
        return;
    auto_close_dir DIR *dir = dir_open_at(parent_fd, ".");
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_type == DT_DIR && is_leftover(entry->d_name, own_inode))
            (void)cgroup_remove_tree(parent_fd, entry->d_name);
}
