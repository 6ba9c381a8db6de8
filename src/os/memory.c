/* SPDX-License-Identifier: MIT */
#include "os/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "os/fd.h"

enum { PATH_SIZE = 4096, TEXT_SIZE = 8192 };

/* False when it is not there, or too long to be what we look for. */
static bool read_text(const char *root, const char *path, const char *name, char text[TEXT_SIZE])
{
    char full[2 * PATH_SIZE];
    int len = snprintf(full, sizeof full, "%s%s%s", root, path, name);
    return len > 0 && (size_t)len < sizeof full &&
           fd_read_text_at(AT_FDCWD, full, text, TEXT_SIZE) > 0;
}

static uint64_t machine_bytes(const char *root)
{
    static const char key[] = "MemTotal:";
    char text[TEXT_SIZE];
    if (!read_text(root, "/proc", "/meminfo", text))
        return 0;
    const char *line = strstr(text, key);
    return line ? strtoull(line + sizeof key - 1, NULL, 10) * KIB : 0;
}

/* That of one group and of all above it; "max" is none, as v1's largest number is. */
static uint64_t least_limit(const char *root, const char *hierarchy, const char *group,
                            const char *file, uint64_t bytes)
{
    char text[TEXT_SIZE];
    char path[PATH_SIZE];
    int len = snprintf(path, sizeof path, "%s%s", hierarchy, group);
    if (len < 0 || (size_t)len >= sizeof path)
        return bytes;
    size_t shortest = strlen(hierarchy);
    for (char *end = path + len; end; end = strrchr(path + shortest, '/')) {
        uint64_t limit = 0;
        *end = '\0';
        if (!read_text(root, path, file, text))
            continue; /* in a container the groups above are not shown */
        text[strcspn(text, "\n")] = '\0';
        if (parse_u64(text, &limit) == 0)
            bytes = MIN(bytes, limit);
    }
    return bytes;
}

/* Is `name` one of those, as in "cpu,memory"? */
static bool is_named(const char *names, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = names; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, len) == 0 && (at[len] == ',' || at[len] == '\0'))
            return true;
    }
    return false;
}

/* A line is NUMBER:CONTROLLERS:GROUP; of version 2 it has none, and of version 1 it is
 * the hierarchy with this controller that counts. */
static uint64_t limit_of_line(const char *root, char *line, uint64_t bytes)
{
    char *names = strchr(line, ':');
    char *group = names ? strchr(names + 1, ':') : NULL;
    if (!group)
        return bytes;
    *group++ = '\0';
    if (*++names == '\0')
        return least_limit(root, "/sys/fs/cgroup", group, "/memory.max", bytes);
    if (is_named(names, "memory"))
        return least_limit(root, "/sys/fs/cgroup/memory", group, "/memory.limit_in_bytes", bytes);
    return bytes;
}

uint64_t memory_usable(const char *root)
{
    char text[TEXT_SIZE];
    uint64_t bytes = machine_bytes(root);
    if (!read_text(root, "/proc", "/self/cgroup", text))
        return bytes;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        bytes = limit_of_line(root, line, bytes);
    return bytes;
}
