/* SPDX-License-Identifier: MIT */
#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/fd.h"

static int read_all(int fd, const char *path, struct buf *bytes, struct err *err)
{
    for (;;) {
        char *room = buf_reserve(bytes, 64 * KIB);
        if (!room)
            return err_set(err, ERR_TOO_LARGE, "%s: larger than %d MiB", path, FILE_MAX / (int)MIB);
        ssize_t got = fd_read_full(fd, room, 64 * KIB);
        if (got < 0) {
            (void)err_sys(err, (int)-got, "%s", path);
            if (err)
                err->code = ERR_NOT_FOUND;
            return -1;
        }
        if (got == 0)
            return 0;
        buf_commit(bytes, (size_t)got);
    }
}

int file_load(const char *path, struct buf *ret_bytes, struct err *err)
{
    buf_init(ret_bytes, FILE_MAX + 64 * KIB);
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, "stdin", ret_bytes, err);
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        (void)err_sys(err, errno, "%s", path);
        if (err)
            err->code = ERR_NOT_FOUND;
        return -1;
    }
    return read_all(fd, path, ret_bytes, err);
}
