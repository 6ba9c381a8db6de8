/* SPDX-License-Identifier: MIT */
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/kernel_abi.h"

/* libc's headers of Debian 12 have the mount API; older ones do not. */
#ifndef FSOPEN_CLOEXEC
#define FSOPEN_CLOEXEC 1
#define FSMOUNT_CLOEXEC 1
#define FSCONFIG_SET_STRING 1
#define FSCONFIG_CMD_CREATE 6
#define MOVE_MOUNT_F_EMPTY_PATH 4
#endif

static int result(long returned)
{
    return returned < 0 ? -errno : (int)returned;
}

pid_t sys_clone3(struct clone_args *args)
{
    return result(syscall(SYS_clone3, args, sizeof *args));
}

int sys_pidfd_send_signal(int pidfd, int signal)
{
    return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int sys_epoll_holds(pid_t pid, int epoll_fd, int fd)
{
    struct kcmp_epoll_slot slot = {.efd = (unsigned)epoll_fd, .tfd = (unsigned)fd};
    long order = syscall(SYS_kcmp, pid, pid, KCMP_EPOLL_TFD, (unsigned long)fd, &slot);
    if (order < 0)
        return errno == ENOENT ? 0 : -errno;
    return order == 0;
}

int sys_fsopen(const char *type)
{
    return result(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}

int sys_fsconfig_text(int fs, const char *key, const char *value)
{
    return result(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0));
}

int sys_fsconfig_create(int fs)
{
    return result(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
}

int sys_fsmount(int fs, unsigned mount_attributes)
{
    return result(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, mount_attributes));
}

int sys_open_tree(int dir_fd, const char *path, unsigned flags)
{
    return result(syscall(SYS_open_tree, dir_fd, path, flags));
}

int sys_move_mount(int mount_fd, int to_dir_fd, const char *to_path)
{
    return result(
        syscall(SYS_move_mount, mount_fd, "", to_dir_fd, to_path, MOVE_MOUNT_F_EMPTY_PATH));
}

int sys_mount_setattr(int dir_fd, const char *path, unsigned flags, uint64_t set)
{
    struct mount_attr attributes = {.attr_set = set};
    return result(syscall(SYS_mount_setattr, dir_fd, path, flags, &attributes, sizeof attributes));
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
    return result(syscall(SYS_pivot_root, new_root, put_old));
}

int sys_open_beneath(int dir_fd, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
        .mode = mode,
        .resolve = (uint64_t)RESOLVE_BENEATH | (uint64_t)RESOLVE_NO_SYMLINKS |
                   (uint64_t)RESOLVE_NO_MAGICLINKS | (uint64_t)RESOLVE_NO_XDEV,
    };
    return result(syscall(SYS_openat2, dir_fd, path, &how, sizeof how));
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    return result(syscall(SYS_close_range, first, last, flags));
}

int sys_execveat(int fd, char *const *argv, char *const *environment)
{
    return result(syscall(SYS_execveat, fd, "", argv, environment, AT_EMPTY_PATH));
}

int sys_landlock_abi(void)
{
    return result(syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION));
}

int sys_landlock_create_ruleset(uint64_t access_fs, uint64_t scoped)
{
    struct landlock_ruleset_abi6 attributes = {.handled_access_fs = access_fs, .scoped = scoped};
    /* until Linux 6.12: the struct had no `scoped`; a longer one with a zero tail is taken. */
    return result(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
}

int sys_landlock_allow_path(int ruleset, int path_fd, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = path_fd};
    return result(syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
}

int sys_landlock_restrict_self(int ruleset)
{
    return result(syscall(SYS_landlock_restrict_self, ruleset, 0));
}

int sys_seccomp_filter(const struct sock_filter *program, size_t count)
{
    struct sock_fprog filter = {.len = (unsigned short)count,
                                .filter = (struct sock_filter *)program};
    return result(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
}

int sys_join_new_session_keyring(void)
{
    return result(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
}

static struct __user_cap_header_struct capability_header(void)
{
    return (struct __user_cap_header_struct){.version = _LINUX_CAPABILITY_VERSION_3};
}

int sys_capabilities_drop(void)
{
    struct __user_cap_header_struct header = capability_header();
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return result(syscall(SYS_capset, &header, none));
}

int sys_capabilities_raise(void)
{
    struct __user_cap_header_struct header = capability_header();
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};
    int rc = result(syscall(SYS_capget, &header, sets));
    if (rc < 0)
        return rc;
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        sets[i].effective = sets[i].permitted;
    return result(syscall(SYS_capset, &header, sets));
}

int sys_capabilities_have(uint64_t wanted)
{
    struct __user_cap_header_struct header = capability_header();
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};
    int rc = result(syscall(SYS_capget, &header, sets));
    if (rc < 0)
        return rc;
    uint64_t effective = (uint64_t)sets[1].effective << 32 | sets[0].effective;
    return (effective & wanted) == wanted;
}

int sys_loopback_up(void)
{
    auto_close int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sock < 0)
        return -errno;
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    return result(ioctl(sock, SIOCSIFFLAGS, &request));
}
