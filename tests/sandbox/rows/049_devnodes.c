/* SPDX-License-Identifier: MIT
 * row: 49 devnodes
 * expect: succeeded
 * stdout: ^mknod block: (EPERM|EACCES)$
 * stdout: ^mknod mem: (EPERM|EACCES)$
 * stdout: ^mknod null: (EPERM|EACCES)$
 * stdout: ^mkfifo: ok$
 * stdout: ^unexpected: none$
 * stdout: ^nodes opened: none$
 * layer: root, identity, seccomp, users, landlock
 */
#include "saw.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int is_expected(const char *name)
{
    static const char *const expected[] = {".",      "..",  "null",  "zero",   "full",   "random",
                                           "urandom", "tty", "fd",    "stdin",  "stdout", "stderr",
                                           "shm",     "empty"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        if (strcmp(name, expected[i]) == 0)
            return 1;
    }
    return 0;
}

int main(void)
{
    static const char *const nodes[] = {"vda", "sda", "nvme0n1", "mem", "port", "kmsg", "kvm", "fuse",
                                        "net/tun", "vsock", "vhost-net", "vhost-vsock", "ptmx",
                                        "pts/0", "pts/ptmx", "console", "tty0", "loop-control",
                                        "mapper/control", "btrfs-control", "uinput", "hpet", "rtc0",
                                        "snapshot", "userfaultfd", "cuse", "nvram", "autofs"};
    saw_refused("mknod block", mknod("/tmp/disk", S_IFBLK | 0666, makedev(8, 0)));
    saw_refused("mknod mem", mknod("/tmp/mem", S_IFCHR | 0666, makedev(1, 1)));
    saw_refused("mknod null", mknod("/tmp/null", S_IFCHR | 0666, makedev(1, 3)));
    saw("mkfifo", mkfifo("/tmp/fifo", 0666));

    DIR *folder = opendir("/dev");
    printf("unexpected:");
    int unexpected = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (!is_expected(entry->d_name)) {
            printf(" %s", entry->d_name);
            unexpected++;
        }
    }
    puts(unexpected ? " ESCAPED" : " none");

    printf("nodes opened:");
    int opened = 0;
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        char path[64];
        snprintf(path, sizeof path, "/dev/%s", nodes[i]);
        if (open(path, O_RDONLY | O_NONBLOCK) >= 0 || (errno != ENOENT && errno != EACCES)) {
            printf(" %s ESCAPED", nodes[i]);
            opened++;
        }
    }
    puts(opened ? "" : " none");
    return 0;
}
