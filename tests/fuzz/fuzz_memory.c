/* SPDX-License-Identifier: MIT */
/* How much memory there is for us: what the kernel writes of the machine, of our groups and of
 * their limits, in steps, one for each that is asked for. It is never more than the machine has. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "base/util.h"
#include "lines.h"
#include "os/fd.h"
#include "os/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
ssize_t __wrap_fd_read_text_at(int dir_fd, const char *path, char *text, size_t size);

static struct slice machine;
static struct slice groups;
static struct slice limits;

static bool ends_with(const char *path, const char *end)
{
    size_t len = strlen(path);
    size_t end_len = strlen(end);
    return len >= end_len && strcmp(path + len - end_len, end) == 0;
}

static struct slice text_of(const char *path)
{
    struct slice step = {0};
    if (strcmp(path, "/proc/meminfo") == 0)
        return machine;
    if (strcmp(path, "/proc/self/cgroup") == 0)
        return groups;
    assert(strncmp(path, "/sys/fs/cgroup", strlen("/sys/fs/cgroup")) == 0);
    assert(ends_with(path, "/memory.max") || ends_with(path, "/memory.limit_in_bytes"));
    (void)fuzz_next_step(&limits, &step);
    return step;
}

ssize_t __wrap_fd_read_text_at(int dir_fd, const char *path, char *text, size_t size)
{
    assert(dir_fd == AT_FDCWD && strlen(path) < 2 * 4096);
    struct slice found = text_of(path);
    if (found.len == 0)
        return -ENOENT;
    if (found.len >= size)
        return -E2BIG;
    memcpy(text, found.at, found.len);
    text[found.len] = '\0';
    return (ssize_t)found.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice left = {(const char *)bytes, size};
    machine = groups = limits = (struct slice){0};
    (void)fuzz_next_step(&left, &machine);
    (void)fuzz_next_step(&left, &groups);
    struct slice none = {0};
    limits = left;
    uint64_t limited = memory_usable("");
    groups = none;
    assert(limited <= memory_usable(""));
    return 0;
}
