/* SPDX-License-Identifier: MIT */
/* spawner_host.c — what all boxes share, made once: the user namespace of a
 * spawner without privilege, the cgroup tree, host ids, network namespaces, and
 * the tree that boxes see.
 *
 * The order: cgroups are found by the paths that this process sees, so they
 * come before the tree of boxes replaces them; the user namespace comes before
 * everything that it gives the right to.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/rootfs.h"
#include "sandbox/spawner.h"

static void set_layer(struct spawner *spawner, enum layer layer, enum layer_status status,
                      const char *detail)
{
    spawner->report.layer[layer].status = status;
    size_t len = MIN(strlen(detail), sizeof spawner->report.layer[layer].detail - 1);
    memcpy(spawner->report.layer[layer].detail, detail, len);
    spawner->report.layer[layer].detail[len] = '\0';
    if (status == LAYER_MISSING)
        spawner->skip |= 1U << layer;
}

/* Who cannot be told from others is not taken for less than root: its boxes would be weaker than
 * they could be. */
static int find_privilege(struct spawner *spawner, struct err *err)
{
    int rc = host_ids_usable(spawner->settings.uid_base);
    if (rc < 0)
        return err_sys(err, -rc, "find out which rights and users there are");
    spawner->privileged = rc > 0;
    spawner->report.privileged = spawner->privileged;
    return 0;
}

static int write_id_map(const char *path, unsigned id)
{
    char text[32];
    (void)snprintf(text, sizeof text, "0 %u 1", id);
    return fd_write_text_at(AT_FDCWD, path, text);
}

/* In it this user is root; over nothing but what is made in it. */
static int enter_user_namespace(struct err *err)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        return err_sys(err, errno,
                       "make a user namespace (run as root, or allow them: "
                       "kernel.unprivileged_userns_clone, user.max_user_namespaces, "
                       "kernel.apparmor_restrict_unprivileged_userns)");
    int rc = fd_write_text_at(AT_FDCWD, "/proc/self/setgroups", "deny");
    if (rc == 0)
        rc = write_id_map("/proc/self/uid_map", uid);
    if (rc == 0)
        rc = write_id_map("/proc/self/gid_map", gid);
    return rc < 0 ? err_sys(err, -rc, "map this user into its user namespace") : 0;
}

/* Boxes are looked for in it, and signalled by the numbers that it tells. */
static int check_proc(struct err *err)
{
    char shown[24];
    char own[24];
    ssize_t len = readlink("/proc/self", shown, sizeof shown - 1);
    if (len < 0)
        return err_sys(err, errno, "read /proc (is it mounted?)");
    shown[len] = '\0';
    (void)snprintf(own, sizeof own, "%d", getpid());
    if (strcmp(shown, own) != 0)
        return err_set(err, ERR_UNAVAILABLE,
                       "/proc is that of another process namespace: mount one for ours "
                       "(unshare --mount-proc)");
    return 0;
}

static int remember_home(struct spawner *spawner, struct err *err)
{
    spawner->self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (spawner->self < 0)
        return err_sys(err, errno, "open this process");
    spawner->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    spawner->home_mntns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    spawner->home_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (spawner->proc_fd < 0 || spawner->home_mntns < 0 || spawner->home_root < 0)
        return err_sys(err, errno, "open /proc (is it mounted?)");
    /* A folder that was deleted, or may not be searched, is not where fronts must be. */
    spawner->home_folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return 0;
}

static void open_groups(struct spawner *spawner)
{
    struct err err = {0};
    const char *root = spawner->settings.cgroup_root;
    if (cgroup_tree_open(root[0] != '\0' ? root : NULL, &spawner->groups, &err) < 0)
        set_layer(spawner, LAYER_CGROUP, LAYER_MISSING, err.text);
    else
        set_layer(spawner, LAYER_CGROUP, LAYER_HOLDS, cgroup_tree_describe(spawner->groups));
}

/* Without a pool each box makes its own, which is as good and takes longer. */
static void open_networks(struct spawner *spawner)
{
    size_t reserve = (size_t)spawner->settings.max_boxes + 2;
    if (spawner->privileged &&
        netns_open_pool(spawner->proc_fd, MIN(reserve, 16), &spawner->networks, NULL) < 0)
        spawner->networks = NULL;
    set_layer(spawner, LAYER_NETWORK, LAYER_HOLDS,
              spawner->networks ? "from a pool" : "made for each box");
}

static int open_ids(struct spawner *spawner, struct err *err)
{
    char detail[96];
    if (!spawner->privileged) {
        set_layer(spawner, LAYER_IDENTITY, LAYER_WEAKER,
                  "all boxes share one host user, the one that started this");
        return 0;
    }
    uid_t base = host_ids_base(spawner->settings.uid_base);
    int rc = host_ids_open(&spawner->ids, base, spawner->settings.front_uid);
    if (rc < 0)
        return err_sys(err, -rc, "reserve host users from %u", base);
    spawner->report.front_uid = spawner->ids.first;
    (void)snprintf(detail, sizeof detail, "host users %u to %u", spawner->ids.first + 1,
                   spawner->ids.first + HOST_IDS_BLOCK - 1);
    set_layer(spawner, LAYER_IDENTITY, LAYER_HOLDS, detail);
    return 0;
}

/* A language's own tree is a mount namespace that boxes of it enter. */
static int add_tree(struct spawner *spawner, const char *directory, struct err *err)
{
    struct rootfs_plan plan = {
        .toolchains = directory, .etc = spawner->settings.etc, .privileged = spawner->privileged};
    if (spawner->tree_count == ROOTFS_MAX)
        return err_set(err, ERR_CONFIG, "rootfs %s: more than %d trees", directory, ROOTFS_MAX);
    if (rootfs_enter(&plan, err) < 0)
        return err_wrap(err, "rootfs %s", directory);
    /* The new root shows no /proc: ours leads there all the same. */
    int tree = openat(spawner->proc_fd, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (tree < 0 || setns(spawner->home_mntns, CLONE_NEWNS) < 0)
        return err_sys(err, errno, "make the tree %s", directory);
    if (fchdir(spawner->home_root) < 0 || chroot(".") < 0)
        return err_sys(err, errno, "come back from the tree %s", directory);
    spawner->trees[spawner->tree_count++] = tree;
    return 0;
}

static int make_trees(struct spawner *spawner, struct err *err)
{
    for (size_t i = 0; spawner->settings.rootfs[i]; i++) {
        if (add_tree(spawner, spawner->settings.rootfs[i], err) < 0)
            return -1;
    }
    struct rootfs_plan plan = {
        .toolchains = "/", .etc = spawner->settings.etc, .privileged = spawner->privileged};
    return rootfs_enter(&plan, err);
}

static void find_landlock(struct spawner *spawner)
{
    char detail[32];
    int abi = sys_landlock_abi();
    if (abi <= 0) {
        set_layer(spawner, LAYER_LANDLOCK, LAYER_MISSING, "this kernel does not offer it");
        return;
    }
    spawner->landlock_abi = abi;
    (void)snprintf(detail, sizeof detail, "ABI %d", abi);
    set_layer(spawner, LAYER_LANDLOCK, LAYER_HOLDS, detail);
}

int spawner_prepare_host(struct spawner *spawner, struct err *err)
{
    if (check_proc(err) < 0 || find_privilege(spawner, err) < 0)
        return -1;
    for (int layer = 0; layer < LAYER_COUNT; layer++)
        set_layer(spawner, (enum layer)layer, LAYER_HOLDS, "");
    open_groups(spawner);
    if (!spawner->privileged && enter_user_namespace(err) < 0)
        return -1;
    if (remember_home(spawner, err) < 0 || open_ids(spawner, err) < 0)
        return -1;
    open_networks(spawner);
    find_landlock(spawner);
    return make_trees(spawner, err);
}

void spawner_leave_host(struct spawner *spawner)
{
    if (spawner->networks)
        netns_close_pool(spawner->networks);
    cgroup_tree_close(spawner->groups);
    host_ids_close(&spawner->ids);
}
