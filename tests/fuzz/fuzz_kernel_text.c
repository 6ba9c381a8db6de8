/* SPDX-License-Identifier: MIT */
/* What the kernel writes of us: /proc/self/cgroup and, behind an empty line, the mounts; all of
 * it once more as a file of figures, as the map of our users, and as the count of a network's
 * sockets, which is that of an unused one until a figure of its own changes. Places end and lie
 * below their mount point; what is found stands there. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "os/fd.h"
#include "sandbox/cgroup_driver.h"
#include "sandbox/host_ids.h"
#include "sandbox/netns_figures.h"

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

static bool has_word(const char *text, const char *word)
{
    for (const char *at = text; *at;) {
        size_t len = strcspn(at, " \n");
        if (slice_is((struct slice){at, len}, word))
            return true;
        at += len;
        at += strspn(at, " \n");
    }
    return false;
}

static struct netns_figures sockstat_of(const char *text)
{
    struct netns_figures figures;
    netns_figures_init(&figures);
    figures.fds[0] = fd_from_bytes("sockstat", text, strlen(text));
    assert(figures.fds[0] >= 0);
    return figures;
}

static bool looks_unused(const char *text, struct netns_pristine *pristine)
{
    struct netns_figures figures = sockstat_of(text);
    bool is = netns_figures_are(&figures, pristine);
    netns_figures_close(&figures);
    return is;
}

static void look_at_network(const char *text)
{
    static struct netns_pristine pristine;
    struct netns_figures figures = sockstat_of(text);
    int rc = netns_figures_remember(&figures, &pristine);
    netns_figures_close(&figures);
    assert(rc == 0 || rc == -E2BIG);
    if (rc < 0)
        return;
    assert(!has_word(pristine.text, "orphan") && !has_word(pristine.text, "mem"));
    assert(looks_unused(text, &pristine));
    char *used = NULL;
    int len = asprintf(&used, "%s\nUDP: inuse 1\n", text);
    assert(len > 0 && !looks_unused(used, &pristine));
    free(used);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = fuzz_text(bytes, size);
    read_figures(bytes, size, text);
    look_at_network(text);
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
