/* SPDX-License-Identifier: MIT */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name;
    int number;
} faults[FAULTS] = {
    [FAULT_EINTR] = {"EINTR", EINTR},    [FAULT_ENOSPC] = {"ENOSPC", ENOSPC},
    [FAULT_EMFILE] = {"EMFILE", EMFILE}, [FAULT_EAGAIN] = {"EAGAIN", EAGAIN},
    [FAULT_ENOMEM] = {"ENOMEM", ENOMEM}, [FAULT_EIO] = {"EIO", EIO},
    [FAULT_EBUSY] = {"EBUSY", EBUSY},    [FAULT_SHORT] = {"SHORT", 0},
};

enum {
    I = 1 << FAULT_EINTR,
    S = 1 << FAULT_ENOSPC,
    F = 1 << FAULT_EMFILE,
    A = 1 << FAULT_EAGAIN,
    M = 1 << FAULT_ENOMEM,
    O = 1 << FAULT_EIO,
    B = 1 << FAULT_EBUSY,
    H = 1 << FAULT_SHORT,
};

/* epoll_ctl is not here: libuv ends the process when it cannot watch a descriptor, and the spawner
 * starts the next. Some of it depends on what the descriptor is: see call_may_fail. Not here: calls
 * that cannot fail (as limits, a session and a host's name cannot, nor closing a range), and those
 * whose failure libc itself does not bear (futex). mmap and its like are here, and left out where a
 * sanitizer needs them (inject.c). */
#define ROW(call, how)         \
    {                          \
        SYS_##call, #call, how \
    }
static const struct {
    long number;
    const char *name;
    int how;
} rows[] = {
    ROW(open, F | M | S),
    ROW(openat, F | M | S),
    ROW(openat2, F | M),
    ROW(creat, F | M | S),
    ROW(memfd_create, F | M),
    ROW(socket, F | M),
    ROW(socketpair, F | M),
    ROW(pipe, F),
    ROW(pipe2, F),
    ROW(accept, F | M | I),
    ROW(accept4, F | M | I),
    ROW(eventfd2, F | M),
    ROW(timerfd_create, F | M),
    ROW(signalfd4, F | M),
    ROW(epoll_create1, F | M),
    ROW(inotify_init1, F | M),
    ROW(dup, F),
    ROW(pidfd_open, F | M),
    ROW(fsopen, F | M),
    ROW(fsmount, F | M),
    ROW(open_tree, F | M),
    ROW(landlock_create_ruleset, F | M),
    ROW(landlock_add_rule, M),
    ROW(seccomp, M),
    ROW(setns, M),
    ROW(unshare, M | S),
    ROW(read, I | A | M | O | H),
    ROW(readv, I | A | M | O | H),
    ROW(pread64, M | O | H),
    ROW(write, I | A | M | O | S | H),
    ROW(writev, I | A | M | O | S | H),
    ROW(pwrite64, M | O | S | H),
    ROW(sendfile, M | O | S | H),
    ROW(sendto, I | A | M | H),
    ROW(sendmsg, I | A | M),
    ROW(recvfrom, I | A | M | H),
    ROW(recvmsg, I | A | M),
    ROW(connect, I),
    ROW(poll, I | M),
    ROW(ppoll, I | M),
    ROW(epoll_wait, I),
    ROW(epoll_pwait, I),

    ROW(mmap, M),
    ROW(mremap, M),
    ROW(brk, M),
    ROW(mprotect, M),
    ROW(clone, A | M),
    ROW(clone3, A | M),
    ROW(fork, A | M),
    ROW(vfork, A | M),
    ROW(mount, M),
    ROW(move_mount, M),
    ROW(fsconfig, M),
    ROW(umount2, M),
    ROW(pivot_root, M),
    ROW(mount_setattr, M),
    ROW(mkdir, S | M),
    ROW(mkdirat, S | M),
    ROW(rename, S | M | O),
    ROW(renameat, S | M | O),
    ROW(link, S | M),
    ROW(linkat, S | M),
    ROW(unlink, M | O),
    ROW(unlinkat, M | O | B),
    ROW(rmdir, M | B),
    ROW(symlink, S | M),
    ROW(symlinkat, S | M),
    ROW(ftruncate, I | S | O),
    ROW(fallocate, I | S | O),
    ROW(fsync, S | O),
    ROW(fdatasync, S | O),
    ROW(wait4, I),
    ROW(waitid, I),
    ROW(stat, M),
    ROW(lstat, M),
    ROW(newfstatat, M),
    ROW(statx, M),
    ROW(getdents64, M),
    ROW(statfs, M),
    ROW(readlink, M),
    ROW(readlinkat, M),
    ROW(mknodat, S | M),
    ROW(chmod, M),
    ROW(fchown, M),
    ROW(fchownat, M),
    ROW(fchmod, M),
    ROW(setresuid, A | M),
    ROW(setresgid, M),
    ROW(setgroups, M),
    ROW(capset, M),
    ROW(prctl, M),
    ROW(landlock_restrict_self, M),
    ROW(dup2, M),
    ROW(dup3, M),
    ROW(chdir, M),
    ROW(fchdir, M),
    ROW(chroot, M),
    ROW(bind, M),
    ROW(listen, M),
    ROW(setsockopt, M),
    ROW(execve, A | M),
    ROW(execveat, A | M),
    ROW(kcmp, M),
    ROW(fcntl, F),
};

int fault_by_name(const char *name)
{
    for (int i = 0; i < FAULTS; i++) {
        if (strcmp(faults[i].name, name) == 0)
            return i;
    }
    return -1;
}

int fault_errno(enum fault fault)
{
    return faults[fault].number;
}

const char *call_name(unsigned long number)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if ((unsigned long)rows[i].number == number)
            return rows[i].name;
    }
    return "?";
}

static int how_it_fails(unsigned long number)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if ((unsigned long)rows[i].number == number)
            return rows[i].how;
    }
    return 0;
}

/* --- what a descriptor is --- */

static bool takes_descriptor(unsigned long number)
{
    switch (number) {
    case SYS_read:
    case SYS_readv:
    case SYS_pread64:
    case SYS_write:
    case SYS_writev:
    case SYS_pwrite64:
    case SYS_sendfile:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_accept4:
    case SYS_fcntl:
        return true;
    default:
        return false;
    }
}

static int socket_option(const struct call *call, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    int process = (int)syscall(SYS_pidfd_open, call->pid, 0);
    int fd = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, (int)call->args[0], 0);
    if (fd >= 0)
        (void)getsockopt(fd, SOL_SOCKET, option, &value, &size);
    if (fd >= 0)
        (void)close(fd);
    if (process >= 0)
        (void)close(process);
    return value;
}

void call_target(const struct call *call, char *text, size_t size)
{
    char path[64];
    text[0] = '\0';
    if (call->number == SYS_mmap && call->args[3] & MAP_STACK)
        (void)snprintf(text, size, "of a thread's stack");
    if (!takes_descriptor(call->number))
        return;
    (void)snprintf(path, sizeof path, "/proc/%d/fd/%d", call->pid, (int)call->args[0]);
    ssize_t len = readlink(path, text, size - 1);
    text[len < 0 ? 0 : len] = '\0';
    if (strncmp(text, "socket:", 7) == 0)
        (void)snprintf(text, size, "%s",
                       socket_option(call, SO_DOMAIN) == AF_UNIX ? "unix" : "inet");
}

static bool is_nonblocking(const struct call *call)
{
    char path[64];
    char line[64];
    unsigned flags = 0;
    if (call->number == SYS_recvmsg || call->number == SYS_sendmsg)
        flags = call->args[2] & MSG_DONTWAIT ? O_NONBLOCK : 0;
    if (call->number == SYS_recvfrom || call->number == SYS_sendto)
        flags = call->args[3] & MSG_DONTWAIT ? O_NONBLOCK : 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", call->pid, (int)call->args[0]);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "flags:", 6) == 0)
            flags |= (unsigned)strtoul(line + 6, NULL, 8);
    }
    if (file)
        (void)fclose(file);
    return flags & O_NONBLOCK;
}

/* Which argument says how many bytes, or pieces of them. */
int call_length(unsigned long number)
{
    return number == SYS_sendfile ? 3 : 2;
}

/* Of a stream of the network. libmicrohttpd asks its epoll for edges, so it is told only once that
 * there is something to read, or room: after less than all that has come it waits for more, and
 * after an EAGAIN that is not true, to read or to send, for ever. Its calls have no MSG_DONTWAIT.
 * All of ours have it (an upgraded WebSocket's, and what is done beside it on its own connections),
 * and ask again whenever the socket is ready. */
static bool is_told_once(const struct call *call, const char *target)
{
    bool flagged = call->number == SYS_recvfrom || call->number == SYS_sendto;
    return strcmp(target, "inet") == 0 && !(flagged && call->args[3] & MSG_DONTWAIT);
}

/* A pipe, a stream, a file on a disk: half of the bytes is an answer. One packet, one event, what
 * a pipe takes as one and one line for a file of the kernel's come whole or not at all. */
static bool may_be_short(const struct call *call, const char *target)
{
    if (call->args[call_length(call->number)] < 2)
        return false;
    if (call->number == SYS_recvfrom && is_told_once(call, target))
        return false;
    if (strncmp(target, "anon_inode:", 11) == 0 || strncmp(target, "/sys/", 5) == 0 ||
        strncmp(target, "/proc/", 6) == 0)
        return false;
    if (strcmp(target, "unix") == 0 || strcmp(target, "inet") == 0)
        return socket_option(call, SO_TYPE) == SOCK_STREAM;
    return target[0] == '/' || (strncmp(target, "pipe:", 5) == 0 && call->args[2] > PIPE_BUF);
}

/* Reading and writing: EINTR and EAGAIN are for what may wait, EIO and ENOSPC for files. No kernel
 * says EAGAIN when an eventfd is written to, unless it is full, and then whoever looks at it has
 * been woken already (libuv counts on that). */
static bool may_fail_on(const struct call *call, enum fault fault, const char *target)
{
    bool file = target[0] == '/' && strncmp(target, "/dev/", 5) != 0;
    bool kernels = strncmp(target, "/sys/", 5) == 0 || strncmp(target, "/proc/", 6) == 0;
    if (fault == FAULT_SHORT)
        return may_be_short(call, target);
    if (fault == FAULT_EINTR)
        return !file;
    if (fault == FAULT_EAGAIN)
        return !file && !is_told_once(call, target) &&
               strcmp(target, "anon_inode:[eventfd]") != 0 && is_nonblocking(call);
    if (fault == FAULT_EIO || fault == FAULT_ENOSPC)
        return file && !kernels;
    if (fault == FAULT_ENOMEM)
        return kernels || strcmp(target, "unix") == 0 || strcmp(target, "inet") == 0;
    return true;
}

static bool is_duplication(unsigned long command)
{
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC;
}

/* What changes credentials makes a copy of them, and a filter takes memory; the rest are bits. */
static bool takes_memory(unsigned long option)
{
    return option == PR_CAPBSET_DROP || option == PR_CAP_AMBIENT || option == PR_SET_KEEPCAPS ||
           option == PR_SET_SECUREBITS || option == PR_SET_SECCOMP;
}

bool call_may_fail(const struct call *call, enum fault fault)
{
    char target[256];
    if (!(how_it_fails(call->number) & 1 << fault))
        return false;
    if (call->number == SYS_fcntl)
        return is_duplication(call->args[1]);
    if (call->number == SYS_prctl)
        return takes_memory(call->args[0]);
    if (fault == FAULT_EIO && call->number == SYS_unlinkat && call->args[2] & AT_REMOVEDIR)
        return false; /* a group's: it lies on no disk */
    if (fault == FAULT_ENOSPC && call->number == SYS_openat)
        return call->args[2] & O_CREAT;
    if (fault == FAULT_ENOSPC && call->number == SYS_open)
        return call->args[1] & O_CREAT;
    if (call->number == SYS_signalfd4)
        return (int)call->args[0] == -1;
    if (!takes_descriptor(call->number) || call->number == SYS_accept4)
        return true;
    call_target(call, target, sizeof target);
    return may_fail_on(call, fault, target);
}
