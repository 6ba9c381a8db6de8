/* SPDX-License-Identifier: MIT */
#include "os/name_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "os/fd.h"

int name_lock(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    if (len >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    memcpy(address.sun_path + 1, name, len);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
    if (bind(fd, (struct sockaddr *)&address, size) < 0)
        return -errno;
    return take_fd(&fd);
}

int name_lock_place(char ret_place[NAME_LOCK_PLACE_SIZE])
{
    char boot[48]; /* the start of the kernel: numbers of namespaces are the same on many hosts */
    struct stat network;
    ssize_t len = fd_read_text_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    if (len < 0)
        return (int)len;
    if (stat("/proc/self/ns/net", &network) < 0)
        return -errno;
    boot[strcspn(boot, "\n")] = '\0';
    (void)snprintf(ret_place, NAME_LOCK_PLACE_SIZE, "%s-%" PRIu64, boot, (uint64_t)network.st_ino);
    return 0;
}
