/* SPDX-License-Identifier: MIT */
/* The /etc of boxes, made of a host's /etc that is ours: in a mount namespace, in a
 * child, as root of a user namespace where this is an ordinary user. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "sandbox/rootfs.h"

static const struct {
    const char *path; /* below /etc; a folder ends in "/" */
    mode_t mode;
    bool copied;
} host[] = {
    {"tool/", 0755, true},
    {"tool/settings", 0644, true},
    {"tool/key", 0600, false},
    {"tool/private/", 0700, false},
    {"tool/private/k", 0644, false},
    {"tool/listless/", 0711, false},
    {"tool/listless/k", 0644, false},
    {"secret/", 0750, false},
    {"secret/k", 0644, false},
};
static const char *const wanted[] = {"/etc/tool", "/etc/secret", "/etc/not-there", NULL};

static bool map_to_root(const char *file, unsigned id)
{
    char map[32];
    (void)snprintf(map, sizeof map, "0 %u 1", id);
    return fd_write_text_at(AT_FDCWD, file, map) == 0;
}

static bool be_root(void)
{
    unsigned uid = geteuid();
    unsigned gid = getegid();
    if (uid == 0)
        return unshare(CLONE_NEWNS) == 0;
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
           fd_write_text_at(AT_FDCWD, "/proc/self/setgroups", "deny") == 0 &&
           map_to_root("/proc/self/uid_map", uid) && map_to_root("/proc/self/gid_map", gid);
}

/* The host's folder, and beside it the one in which the boxes' is made. */
static bool make_hosts(void)
{
    if (!be_root() || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", "/etc", "tmpfs", 0, NULL) < 0 || mkdir("/etc/boxes", 0700) < 0 ||
        mkdir("/etc/boxes/etc", 0755) < 0 || chdir("/etc/boxes") < 0)
        return false;
    (void)umask(0);
    for (size_t i = 0; i < ARRAY_LEN(host); i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/etc/%s", host[i].path);
        bool is_folder = path[strlen(path) - 1] == '/';
        auto_close int file = is_folder ? -1 : open(path, O_WRONLY | O_CREAT, host[i].mode);
        if (is_folder ? mkdir(path, host[i].mode) < 0 : file < 0)
            return false;
    }
    return true;
}

/* What is not as it must be: its number, from 1. */
static int compare(void)
{
    for (size_t i = 0; i < ARRAY_LEN(host); i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "etc/%s", host[i].path);
        if ((access(path, F_OK) == 0) != host[i].copied)
            return (int)i + 1;
    }
    return 0;
}

static void what_not_everybody_can_read_is_left_out(void **state)
{
    enum { NO_HOST = 98, NOT_WRITTEN = 99 };
    int status = 0;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!make_hosts())
            _exit(NO_HOST);
        _exit(rootfs_write_etc(wanted, NULL) < 0 ? NOT_WRITTEN : compare());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_not_everybody_can_read_is_left_out),
    };
    return cmocka_run_group_tests_name("sandbox/rootfs_etc", tests, NULL, NULL);
}
