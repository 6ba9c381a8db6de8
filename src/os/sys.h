/* SPDX-License-Identifier: MIT */
/* sys.h — raw system calls that libc has no name for.
 *
 * Each returns >= 0 or -errno and does nothing else. Safe between clone and
 * exec: no allocation, no lock, no libc state.
 */
#ifndef RUNNEL_OS_SYS_H
#define RUNNEL_OS_SYS_H

#include <linux/filter.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The child returns 0 on a copy of this stack, as from fork. */
pid_t sys_clone3(struct clone_args *args);
int sys_pidfd_send_signal(int pidfd, int signal);

/* Is descriptor `fd` of that process in its epoll set `epoll_fd`? 1, 0 or -errno. */
int sys_epoll_holds(pid_t pid, int epoll_fd, int fd);

int sys_fsopen(const char *type);
int sys_fsconfig_text(int fs, const char *key, const char *value);
int sys_fsconfig_create(int fs);
int sys_fsmount(int fs, unsigned mount_attributes);
int sys_open_tree(int dir_fd, const char *path, unsigned flags);
/* Moves the detached mount to a path. */
int sys_move_mount(int mount_fd, int to_dir_fd, const char *to_path);
/* Sets MOUNT_ATTR_* on a mount, with AT_RECURSIVE on those below too. */
int sys_mount_setattr(int dir_fd, const char *path, unsigned flags, uint64_t set);
int sys_pivot_root(const char *new_root, const char *put_old);

/* openat2: never above dir_fd, no symbolic or magic link followed, no other mount. */
int sys_open_beneath(int dir_fd, const char *path, int flags, mode_t mode);

int sys_close_range(unsigned first, unsigned last, unsigned flags);
int sys_execveat(int fd, char *const *argv, char *const *environment);

/* The ABI version, or -errno where Landlock is absent or disabled. */
int sys_landlock_abi(void);
int sys_landlock_create_ruleset(uint64_t access_fs, uint64_t scoped);
int sys_landlock_allow_path(int ruleset, int path_fd, uint64_t access);
int sys_landlock_restrict_self(int ruleset);

int sys_seccomp_filter(const struct sock_filter *program, size_t count);

/* An empty one in place of the session's, for this process and all that it starts. */
int sys_join_new_session_keyring(void);

/* Brings up the loopback of the network namespace that we are in. */
int sys_loopback_up(void);

/* Empties the permitted, effective and inheritable sets of this process. */
int sys_capabilities_drop(void);
/* Makes effective what is permitted. */
int sys_capabilities_raise(void);
/* Are all of these (bits of CAP_*) in the effective set? 1, 0 or -errno. */
int sys_capabilities_have(uint64_t wanted);

#endif
