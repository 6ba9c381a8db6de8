/* SPDX-License-Identifier: MIT
 * row: 49 devnodes, those that are there already
 * expect: succeeded
 * stdout: ^unexpected: none$
 * stdout: ^nodes opened: none$
 * layer: root
 */
#include "saw.h"
#include <dirent.h>
#include <fcntl.h>

static int is_expected(const char *name)
{
    static const char *const expected[] = {".",      "..",      "null", "zero", "full",
                                           "random", "urandom", "tty",  "fd",   "stdin",
                                           "stdout", "stderr",  "shm",  "empty"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        if (strcmp(name, expected[i]) == 0)
            return 1;
    }
    return 0;
}

int main(void)
{
    static const char *const nodes[] = {"vda",
                                        "sda",
                                        "nvme0n1",
                                        "mem",
                                        "port",
                                        "kmsg",
                                        "kvm",
                                        "fuse",
                                        "net/tun",
                                        "vsock",
                                        "vhost-net",
                                        "vhost-vsock",
                                        "ptmx",
                                        "pts/0",
                                        "pts/ptmx",
                                        "console",
                                        "tty0",
                                        "loop-control",
                                        "mapper/control",
                                        "btrfs-control",
                                        "uinput",
                                        "hpet",
                                        "rtc0",
                                        "snapshot",
                                        "userfaultfd",
                                        "cuse",
                                        "nvram",
                                        "autofs"};
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
