/* SPDX-License-Identifier: MIT */
#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

void fd_close(int *fd)
{
    if (*fd < 0)
        return;
    int saved = errno;
    (void)close(*fd);
    *fd = -1;
    errno = saved;
}

ssize_t fd_read_full(int fd, void *buffer, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t got = read(fd, (char *)buffer + used, size - used);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        used += (size_t)got;
    }
    return (ssize_t)used;
}

int fd_write_full(int fd, const void *buffer, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t put = write(fd, (const char *)buffer + used, size - used);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -errno;
        used += (size_t)put;
    }
    return 0;
}

ssize_t fd_read_text_at(int dir_fd, const char *path, char *text, size_t size)
{
    auto_close int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    ssize_t len = fd_read_full(fd, text, size);
    if (len < 0)
        return len;
    if ((size_t)len == size)
        return -E2BIG;
    text[len] = '\0';
    return len;
}

int fd_write_text_at(int dir_fd, const char *path, const char *text)
{
    auto_close int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    return fd_write_full(fd, text, strlen(text));
}

DIR *dir_open_at(int dir_fd, const char *name)
{
    auto_close int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (directory)
        (void)take_fd(&fd);
    return directory;
}

void dir_close(DIR **directory)
{
    int saved = errno;
    if (*directory)
        (void)closedir(*directory);
    *directory = NULL;
    errno = saved;
}

int fd_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

bool fd_takes_a_line(int fd, int patience_ms)
{
    struct pollfd wanted = {.fd = fd, .events = POLLOUT};
    int rc;
    do
        rc = poll(&wanted, 1, patience_ms);
    while (rc < 0 && errno == EINTR);
    return rc != 0;
}

union control {
    struct cmsghdr align;
    char space[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
};

int fd_send(int socket, const void *message, size_t size, const int *fds, size_t fd_count)
{
    if (fd_count > FD_PASS_MAX)
        return -EINVAL;
    struct iovec part = {(void *)message, size};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    union control control;
    memset(&control, 0, sizeof control);
    if (fd_count > 0) {
        header.msg_control = &control;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(rights), fds, sizeof(int) * fd_count);
    }
    for (;;) {
        ssize_t sent = sendmsg(socket, &header, MSG_NOSIGNAL);
        if (sent >= 0)
            return (size_t)sent == size ? 0 : -EMSGSIZE;
        if (errno != EINTR)
            return -errno;
    }
}

ssize_t fd_receive(int socket, void *message, size_t size, int *fds, size_t *ret_fd_count)
{
    struct iovec part = {message, size};
    union control control;
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    *ret_fd_count = 0;
    ssize_t got = 0;
    do {
        got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    for (struct cmsghdr *part_of = CMSG_FIRSTHDR(&header); part_of;
         part_of = CMSG_NXTHDR(&header, part_of)) {
        if (part_of->cmsg_level != SOL_SOCKET || part_of->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (part_of->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(part_of), count * sizeof(int));
        *ret_fd_count = count;
    }
    bool cut = header.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
    if (got > 0 && !cut)
        return got;
    /* A message of no bytes may carry descriptors as well: whoever hears that the
     * peer is gone does not look for them. */
    bool too_long = header.msg_flags & MSG_TRUNC || *ret_fd_count == FD_PASS_MAX;
    for (size_t i = 0; i < *ret_fd_count; i++)
        fd_close(&fds[i]);
    *ret_fd_count = 0;
    if (!cut)
        return 0;
    return too_long ? -EMSGSIZE : -EMFILE;
}

int fd_from_bytes(const char *name, const void *bytes, size_t size)
{
    auto_close int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    int rc = fd_write_full(fd, bytes, size);
    if (rc < 0)
        return rc;
    if (lseek(fd, 0, SEEK_SET) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        return -errno;
    return take_fd(&fd);
}
