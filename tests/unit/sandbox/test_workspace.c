/* SPDX-License-Identifier: MIT */
/* How a workspace's mount is cloned for its stages, on kernels that are played. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "sandbox/workspace.h"

static const char *const no_paths[] = {NULL};
static const struct workspace_open_message message = {
    .bytes = MIB, .inodes = 64, .paths = no_paths};

static bool is_old;    /* until Linux 6.15: only a mount that is attached can be cloned */
static int error_once; /* of the next clone */
static unsigned detached_clones;

int __wrap_sys_fsopen(const char *type);
int __wrap_sys_fsconfig_text(int fs, const char *key, const char *value);
int __wrap_sys_fsconfig_create(int fs);
int __wrap_sys_fsmount(int fs, unsigned mount_attributes);
int __wrap_sys_open_tree(int dir_fd, const char *path, unsigned flags);
int __wrap_sys_move_mount(int mount_fd, int to_dir_fd, const char *to_path);
int __wrap_umount2(const char *path, int flags);

int __wrap_sys_fsopen(const char *type)
{
    (void)type;
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int __wrap_sys_fsconfig_text(int fs, const char *key, const char *value)
{
    (void)fs, (void)key, (void)value;
    return 0;
}

int __wrap_sys_fsconfig_create(int fs)
{
    (void)fs;
    return 0;
}

int __wrap_sys_fsmount(int fs, unsigned mount_attributes)
{
    (void)fs, (void)mount_attributes;
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int __wrap_sys_open_tree(int dir_fd, const char *path, unsigned flags)
{
    (void)dir_fd, (void)flags;
    bool detached = *path == '\0';
    detached_clones += detached;
    int error = error_once != 0 ? error_once : EINVAL;
    if (error_once != 0 || (detached && is_old)) {
        error_once = 0;
        return -error;
    }
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int __wrap_sys_move_mount(int mount_fd, int to_dir_fd, const char *to_path)
{
    (void)mount_fd, (void)to_dir_fd, (void)to_path;
    return 0;
}

int __wrap_umount2(const char *path, int flags)
{
    (void)path, (void)flags;
    return 0;
}

/* All its stages get one. */
static void use(struct workspace_mount *mount)
{
    for (int stage = 0; stage < COMMANDS_MAX; stage++) {
        int clone = workspace_clone(mount);
        assert_true(clone >= 0);
        (void)close(clone);
    }
    workspace_unmake(mount);
}

/* What is found out holds for the process. */
static void in_a_process_of_its_own(void (*test)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        test();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void try_new_kernel(void)
{
    struct workspace_mount mount;
    assert_int_equal(workspace_make(&message, -1, 0, 0, &mount), 0);
    use(&mount);
    assert_int_equal(detached_clones, COMMANDS_MAX);
    assert_int_equal(workspace_make(&message, -1, 0, 0, &mount), 0);
    assert_int_equal(detached_clones, COMMANDS_MAX);
    use(&mount);
}

static void try_old_kernel(void)
{
    is_old = true;
    for (int i = 0; i < 3; i++) {
        struct workspace_mount mount;
        assert_int_equal(workspace_make(&message, -1, 0, 0, &mount), 0);
        assert_int_equal(detached_clones, 1);
        use(&mount);
    }
}

static void try_want_of_the_moment(void)
{
    struct workspace_mount mount;
    error_once = ENOMEM;
    assert_int_equal(workspace_make(&message, -1, 0, 0, &mount), -ENOMEM);
    assert_int_equal(workspace_make(&message, -1, 0, 0, &mount), 0);
    use(&mount);
    assert_int_equal(detached_clones, 1 + COMMANDS_MAX);
}

static void no_clone_is_made_but_for_a_stage(void **state)
{
    (void)state;
    in_a_process_of_its_own(try_new_kernel);
}

static void an_old_kernel_has_clones_for_all_stages(void **state)
{
    (void)state;
    in_a_process_of_its_own(try_old_kernel);
}

static void an_error_of_the_moment_decides_nothing(void **state)
{
    (void)state;
    in_a_process_of_its_own(try_want_of_the_moment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_clone_is_made_but_for_a_stage),
        cmocka_unit_test(an_old_kernel_has_clones_for_all_stages),
        cmocka_unit_test(an_error_of_the_moment_decides_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
