/* SPDX-License-Identifier: MIT */
/* What the kernel writes of us: /proc/self/cgroup and, behind an empty line, the mounts; all of
 * it once more as a file of figures, and as the map of our users. Places end and lie below their
 * mount point; what is found stands there. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "os/fd.h"
#include "sandbox/cgroup_driver.h"
#include "sandbox/host_ids.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void find_places(const char *self, const char *mounts)
{
    static const char *const controllers[] = {NULL, "memory", "pids", "cpu"};
    static const char *const roots[] = {NULL, "/", "/a", "/user.slice/session-1.scope"};
    for (size_t i = 0; i < ARRAY_LEN(controllers) * ARRAY_LEN(roots); i++) {
        const struct cgroup_host host = {
            .self = self, .mounts = mounts, .root = roots[i / ARRAY_LEN(controllers)]};
        struct cgroup_place place;
        int rc = cgroup_find(&host, controllers[i % ARRAY_LEN(controllers)], &place);
        assert(rc == 0 || rc == -ENOENT || rc == -ENXIO || rc == -ENAMETOOLONG);
        if (rc < 0)
            continue;
        assert(memchr(place.path, '\0', sizeof place.path));
        assert(place.mount_len < sizeof place.path);
    }
}

static void read_figures(const uint8_t *bytes, size_t size, const char *text)
{
    static const char *const keys[] = {"oom_kill", "max", "usage_usec", "a"};
    uint64_t value = 0;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (cgroup_key_in(text, keys[i], &value) == 0)
            assert(strstr(text, keys[i]));
        if (cgroup_word_in(text, keys[i]))
            assert(strstr(text, keys[i]));
    }
    int fd = fd_from_bytes("figures", bytes, size);
    struct cgroup_file file = {.dir_fd = -1, .name = "figures", .fd = fd, .mode = O_RDONLY};
    assert(fd >= 0);
    (void)cgroup_file_read(&file, "oom_kill", &value);
    (void)cgroup_file_read(&file, NULL, &value);
    fd_close(&fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = fuzz_text(bytes, size);
    read_figures(bytes, size, text);
    (void)host_ids_mapped(text, host_ids_base(0));
    char *middle = strstr(text, "\n\n");
    if (middle) /* what stands behind it is an allocation of its own */
        middle[1] = '\0';
    char *mounts = strdup(middle ? middle + 2 : "");
    assert(mounts);
    find_places(text, mounts);
    free(mounts);
    free(text);
    return 0;
}
