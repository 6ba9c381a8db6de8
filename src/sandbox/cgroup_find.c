/* SPDX-License-Identifier: MIT */
/* Where is our cgroup? /proc/self/cgroup names it within its hierarchy,
 *
 *     4:memory:/process_api/9d4f        0::/user.slice/session-1.scope
 *
 * and /proc/self/mountinfo says which part of a hierarchy is mounted where:
 *
 *     35 31 0:32 /process_api /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
 *                ^ root       ^ mount point              ^ type        ^ options
 *
 * The directory is the mount point and what the name has after the root. Both
 * are shown as seen from our cgroup namespace, so inside a container the pair
 * is "/" and "/" (own namespace) or twice the container's path (without one). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "sandbox/cgroup_driver.h"

static struct slice next_line(const char **text)
{
    struct slice line = {*text, strcspn(*text, "\n")};
    *text += line.len + ((*text)[line.len] == '\n');
    return line;
}

/* Cuts the part of `rest` before `separator` off; all of it when there is none. */
static struct slice cut(struct slice *rest, char separator)
{
    const char *end = memchr(rest->at, separator, rest->len);
    struct slice part = {rest->at, end ? (size_t)(end - rest->at) : rest->len};
    size_t used = part.len + (end != NULL);
    rest->at += used;
    rest->len -= used;
    return part;
}

static bool list_has(struct slice list, struct slice word)
{
    while (list.len > 0)
        if (slice_equal(cut(&list, ','), word))
            return true;
    return false;
}

static bool own_path(const char *self, const char *controller, struct slice *ret_path)
{
    while (*self) {
        struct slice line = next_line(&self);
        (void)cut(&line, ':'); /* the hierarchy's number */
        struct slice controllers = cut(&line, ':');
        bool wanted =
            controller ? list_has(controllers, slice_of(controller)) : controllers.len == 0;
        if (!wanted)
            continue;
        *ret_path = line;
        return true;
    }
    return false;
}

struct mount {
    struct slice root;
    struct slice point;
    struct slice type;
    struct slice options;
};

static struct mount parse_mount(struct slice line)
{
    struct mount mount = {0};
    for (int i = 0; i < 3; i++)
        (void)cut(&line, ' ');
    mount.root = cut(&line, ' ');
    mount.point = cut(&line, ' ');
    while (line.len > 0 && !slice_is(cut(&line, ' '), "-"))
        ; /* options of the mount, and fields whose number varies */
    mount.type = cut(&line, ' ');
    (void)cut(&line, ' '); /* source */
    mount.options = line;
    return mount;
}

/* What `path` has below `root`: "" for itself. False when it is not below. */
static bool below(struct slice path, struct slice root, struct slice *ret_rest)
{
    if (slice_is(root, "/"))
        root.len = 0;
    if (slice_is(path, "/"))
        path.len = 0;
    if (path.len < root.len || (root.len > 0 && memcmp(path.at, root.at, root.len) != 0))
        return false;
    *ret_rest = (struct slice){path.at + root.len, path.len - root.len};
    return ret_rest->len == 0 || ret_rest->at[0] == '/';
}

/* Blanks in a mount point are written as \040. */
static size_t unescape(char *text, size_t size, struct slice raw)
{
    size_t len = 0;
    for (size_t i = 0; i < raw.len && len < size; len++) {
        const char *at = raw.at + i;
        bool escaped = at[0] == '\\' && raw.len - i >= 4;
        text[len] = escaped ? (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + at[3] - '0') : at[0];
        i += escaped ? 4 : 1;
    }
    return len;
}

static int place_at(struct slice point, struct slice rest, struct cgroup_place *ret_place)
{
    size_t len = unescape(ret_place->path, sizeof ret_place->path, point);
    if (len + rest.len >= sizeof ret_place->path)
        return -ENAMETOOLONG;
    if (rest.len > 0)
        memcpy(ret_place->path + len, rest.at, rest.len);
    ret_place->path[len + rest.len] = '\0';
    ret_place->mount_len = len;
    return 0;
}

int cgroup_find(const struct cgroup_host *host, const char *controller,
                struct cgroup_place *ret_place)
{
    struct slice path;
    if (!own_path(host->self, controller, &path))
        return -ENOENT;
    if (host->root)
        path = slice_of(host->root);
    int rc = -ENOENT;
    for (const char *text = host->mounts; *text;) {
        struct mount mount = parse_mount(next_line(&text));
        if (!slice_is(mount.type, controller ? "cgroup" : "cgroup2") ||
            (controller && !list_has(mount.options, slice_of(controller))))
            continue;
        struct slice rest;
        if (below(path, mount.root, &rest))
            return place_at(mount.point, rest, ret_place);
        rc = -ENXIO;
    }
    return rc;
}
