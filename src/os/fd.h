/* SPDX-License-Identifier: MIT */
/* fd.h — descriptors: release by scope, whole reads and writes, passing on.
 *
 * Every descriptor is CLOEXEC at birth and -1 when unset. All functions return
 * >= 0 or -errno, retry EINTR, and never log.
 */
#ifndef RUNNEL_OS_FD_H
#define RUNNEL_OS_FD_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"

#define auto_close auto_cleanup(fd_close)
#define auto_close_dir auto_cleanup(dir_close)

void fd_close(int *fd); /* closes if >= 0, sets -1, keeps errno */

static inline int take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* Read until `size` bytes or end of file; returns the bytes read. */
ssize_t fd_read_full(int fd, void *buffer, size_t size);
int fd_write_full(int fd, const void *buffer, size_t size);

/* A whole small file as NUL-terminated text, relative to dir_fd (AT_FDCWD).
 * Returns its length; -E2BIG when it does not fit. For /proc and cgroup files. */
ssize_t fd_read_text_at(int dir_fd, const char *path, char *text, size_t size);
int fd_write_text_at(int dir_fd, const char *path, const char *text);

/* For readdir. NULL with errno; a link is not followed. */
DIR *dir_open_at(int dir_fd, const char *name);
void dir_close(DIR **directory); /* closes unless NULL, sets NULL, keeps errno */

int fd_set_nonblocking(int fd);

/* Would a write of up to PIPE_BUF bytes go through at once, now or within this time? True also
 * when that cannot be told: then the write finds out. */
bool fd_takes_a_line(int fd, int patience_ms);

/* One message with up to FD_PASS_MAX descriptors over a SOCK_SEQPACKET socket.
 * fd_receive never waits; it returns the message's length (0: the peer is gone, or
 * sent nothing) and sets
 * *ret_fd_count; received descriptors are CLOEXEC and the caller's. A message that
 * is longer than `size`, or has more descriptors, is -EMSGSIZE. One with more of them
 * than this process has room for is -EMFILE: its bytes have come, its descriptors are
 * closed. */
enum { FD_PASS_MAX = 8 };
int fd_send(int socket, const void *message, size_t size, const int *fds, size_t fd_count);
ssize_t fd_receive(int socket, void *message, size_t size, int *fds, size_t *ret_fd_count);

/* An anonymous sealed file that holds these bytes, positioned at 0. */
int fd_from_bytes(const char *name, const void *bytes, size_t size);

#endif
