/* SPDX-License-Identifier: MIT */
#include "sandbox/core_handler.h"

#include <errno.h>

#include "os/fd.h"

int core_handler_is_socket(int proc_fd)
{
    char pattern[512]; /* the kernel takes 127 */
    ssize_t len = fd_read_text_at(proc_fd, "sys/kernel/core_pattern", pattern, sizeof pattern);
    if (len == -ENOENT) /* a kernel without core dumps */
        return 0;
    return len < 0 ? (int)len : pattern[0] == '@';
}
