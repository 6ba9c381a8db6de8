/* SPDX-License-Identifier: MIT */
/* Where in the one hierarchy of version 2 ours goes.
 *
 * A cgroup whose children are controlled may hold no process itself (the root
 * excepted), so before ours can be made the processes beside it must be gone:
 *
 *   the root, or one that the operator names    ours goes below it
 *   one that holds only us (systemd Delegate=)  we move into <ours>/self
 *   one that others share (a login shell)       ours goes beside it
 *   the same, and nothing above it (container)  all of them move into `init` */
#include "sandbox/cgroup_v2_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/fd.h"

static const char *const controllers[] = {"memory", "pids", "cpu"};

static int open_dir(int dir_fd, const char *path)
{
    int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static bool is_hierarchy_root(int dir_fd)
{
    return faccessat(dir_fd, "cgroup.type", F_OK, 0) < 0;
}

/* How many processes does it hold besides this one? */
static int count_others(int dir_fd)
{
    auto_free char *listed = cgroup_read_whole(dir_fd, "cgroup.procs");
    if (!listed)
        return -errno;
    int others = 0;
    for (char *line = listed; *line;) {
        char *end = NULL;
        others += strtol(line, &end, 10) != getpid();
        line = end + strcspn(end, "\n");
        line += *line == '\n';
    }
    return others;
}

static const char *missing_controller(int dir_fd, const char *file)
{
    char text[512];
    if (fd_read_text_at(dir_fd, file, text, sizeof text) < 0)
        return controllers[0];
    for (size_t i = 0; i < ARRAY_LEN(controllers); i++)
        if (!cgroup_word_in(text, controllers[i]))
            return controllers[i];
    return NULL;
}

static int move_everyone(int from_fd, int to_fd)
{
    auto_free char *listed = cgroup_read_whole(from_fd, "cgroup.procs");
    if (!listed)
        return -errno;
    char *rest = listed;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        if (*line)
            (void)fd_write_text_at(to_fd, "cgroup.procs", line); /* it may be gone already */
    return 0;
}

/* Sets parent_fd. `*ret_move_into_self`: we have to leave it. */
static int choose_parent(struct v2_tree *tree, const struct cgroup_host *host,
                         struct cgroup_place *place, bool *ret_move_into_self)
{
    *ret_move_into_self = false;
    tree->parent_fd = open_dir(AT_FDCWD, place->path);
    if (tree->parent_fd < 0)
        return tree->parent_fd;
    if (host->root || is_hierarchy_root(tree->parent_fd))
        return 0;
    int others = count_others(tree->parent_fd);
    if (others < 0)
        return others;
    if (others == 0) {
        *ret_move_into_self = true;
        return 0;
    }
    char *slash = strrchr(place->path, '/');
    if (slash && (size_t)(slash - place->path) >= place->mount_len) {
        *slash = '\0';
        fd_close(&tree->parent_fd);
        tree->parent_fd = open_dir(AT_FDCWD, place->path);
        return MIN(tree->parent_fd, 0);
    }
    auto_close int leaf_fd = cgroup_make_directory(tree->parent_fd, "init");
    return leaf_fd < 0 ? leaf_fd : move_everyone(tree->parent_fd, leaf_fd);
}

static int move_into_self(struct v2_tree *tree)
{
    auto_close int leaf_fd = cgroup_make_directory(tree->own_fd, "self");
    if (leaf_fd < 0)
        return leaf_fd;
    int rc = fd_write_text_at(leaf_fd, "cgroup.procs", "0");
    tree->moved_us = rc == 0;
    return rc;
}

static int enable_controllers(int dir_fd)
{
    if (!missing_controller(dir_fd, "cgroup.subtree_control"))
        return 0;
    int rc = fd_write_text_at(dir_fd, "cgroup.subtree_control", "+memory +pids +cpu");
    return rc < 0 ? rc : 1;
}

static int make_own(struct v2_tree *tree, const struct cgroup_host *host,
                    struct cgroup_place *place, struct err *err)
{
    bool into_self = false;
    int rc = choose_parent(tree, host, place, &into_self);
    if (rc < 0)
        return err_set(err, ERR_UNAVAILABLE, "use %s: %s", place->path, strerror(-rc));
    const char *missing = missing_controller(tree->parent_fd, "cgroup.controllers");
    if (missing)
        return err_set(err, ERR_UNAVAILABLE, "%s offers no %s controller", place->path, missing);
    cgroup_reap_leftovers(tree->parent_fd);
    tree->own_fd = cgroup_make_directory(tree->parent_fd, tree->own_name);
    if (tree->own_fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "make a group below %s: %s", place->path,
                       strerror(-tree->own_fd));
    rc = into_self ? move_into_self(tree) : 0;
    if (rc < 0)
        return err_set(err, ERR_UNAVAILABLE, "leave %s: %s", place->path, strerror(-rc));
    rc = enable_controllers(tree->parent_fd);
    tree->enabled_parents = rc == 1;
    if (rc >= 0)
        rc = enable_controllers(tree->own_fd);
    if (rc < 0)
        return err_set(err, ERR_UNAVAILABLE, "enable controllers below %s: %s", place->path,
                       strerror(-rc));
    return 0;
}

/* Back to where we came from, so that nothing of ours stays. Best effort: what
 * is left is the next spawner's to remove. */
static void move_back(struct v2_tree *tree)
{
    (void)fd_write_text_at(tree->own_fd, "cgroup.subtree_control", "-memory -pids -cpu");
    if (tree->enabled_parents)
        (void)fd_write_text_at(tree->parent_fd, "cgroup.subtree_control", "-memory -pids -cpu");
    auto_close int leaf_fd = open_dir(tree->own_fd, "self");
    if (leaf_fd >= 0)
        (void)move_everyone(leaf_fd, tree->parent_fd);
}

void v2_tree_close(struct cgroup_tree *base)
{
    struct v2_tree *tree = v2_tree_of(base);
    if (tree->moved_us) {
        cgroup_remove_groups(tree->own_fd);
        move_back(tree);
        (void)unlinkat(tree->own_fd, "self", AT_REMOVEDIR);
        (void)unlinkat(tree->parent_fd, tree->own_name, AT_REMOVEDIR);
    } else if (tree->own_fd >= 0) {
        (void)cgroup_remove_tree(tree->parent_fd, tree->own_name);
    }
    fd_close(&tree->own_fd);
    fd_close(&tree->parent_fd);
    free(tree);
}

/* until Linux 6.12: memory.peak cannot be opened for writing */
static bool peak_can_be_reset(int dir_fd)
{
    auto_close int fd = openat(dir_fd, "memory.peak", O_RDWR | O_CLOEXEC);
    return fd >= 0 && write(fd, "0", 1) == 1;
}

int v2_tree_open(const struct cgroup_host *host, struct cgroup_tree **ret_tree, struct err *err)
{
    struct cgroup_place place;
    int rc = cgroup_find(host, NULL, &place);
    if (rc < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s",
                       rc == -ENXIO ? "its mount does not show this process's cgroup"
                                    : "not mounted");
    struct v2_tree *tree = calloc(1, sizeof *tree);
    if (!tree)
        return err_sys(err, ENOMEM, "open cgroups");
    tree->parent_fd = tree->own_fd = -1;
    (void)snprintf(tree->own_name, sizeof tree->own_name, "%s", host->own_name);
    if (make_own(tree, host, &place, err) < 0) {
        v2_tree_close(&tree->base);
        return -1;
    }
    tree->base.reuses = peak_can_be_reset(tree->own_fd);
    (void)snprintf(tree->base.about, sizeof tree->base.about, "v2: memory, pids, cpu");
    *ret_tree = &tree->base;
    return 0;
}
