/* SPDX-License-Identifier: MIT */
/* spawner_waiting.c — does the program of a box wait for its input?
 *
 * What a look of spawner_look.c does. It reads it off the kernel and never guesses
 * from silence: /proc/TID/syscall tells in which call each task of the box sleeps, and
 * with which arguments. The program waits when none of its tasks runs and one sleeps in
 * a call that ends when the box's stdin can be read. A descriptor is known by the file
 * behind it, which spawner_note_input() kept: programs pass stdin on under any number.
 *
 * What is read here, a program arranges: how many tasks it has, how large its
 * epoll set is, which locks the kernel must wait for to tell. So nothing is taken
 * but numbers, and all counts are bounded. What cannot be told for certain (too
 * many tasks, no right to look) is "does not wait".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/spawner.h"

enum {
    TASKS_MAX = 256,
    DESCRIPTORS_MAX = 64, /* that a poll, a select or an epoll set is searched for */
    LOOK_MAX_NS = 10 * 1000 * 1000,
    CALL_ARGUMENTS = 6,
    TTY_MAJOR = 5, /* and minor 0: /dev/tty, whichever terminal the box has */
};

/* A task that sleeps in a call. */
struct task {
    pid_t tid;
    long number;
    uint64_t args[CALL_ARGUMENTS];
};

struct look {
    int proc_fd;
    const struct spawner_stage *stage;
    uint64_t until_ns;
    pid_t processes[TASKS_MAX]; /* found so far */
    size_t process_count;
    size_t task_count;
    struct task asleep[TASKS_MAX];
    size_t asleep_count;
};

void spawner_note_input(struct spawner_stage *stage, int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return;
    stage->input_device = status.st_dev;
    stage->input_inode = status.st_ino;
    stage->input_is_tty = S_ISCHR(status.st_mode);
}

/* Asked without opening anything and without touching a file system: what is
 * behind the descriptor is the program's choice. */
static bool is_input(const struct look *look, pid_t tid, uint64_t fd)
{
    const struct spawner_stage *stage = look->stage;
    char path[64];
    struct statx status;
    (void)snprintf(path, sizeof path, "%d/fd/%u", tid, (unsigned)fd);
    if (statx(look->proc_fd, path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &status) < 0)
        return false;
    if (stage->input_is_tty && S_ISCHR(status.stx_mode) && status.stx_rdev_major == TTY_MAJOR &&
        status.stx_rdev_minor == 0)
        return true;
    return status.stx_ino == stage->input_inode &&
           makedev(status.stx_dev_major, status.stx_dev_minor) == stage->input_device;
}

/* --- the calls in which a program can wait for its input --- */

static bool waits_in_read(const struct look *look, const struct task *task)
{
    return is_input(look, task->tid, task->args[0]);
}

/* /proc/PID/fdinfo lists the set too, but at a length that the program chooses:
 * 36000 members took 60 ms. */
static bool waits_in_epoll(const struct look *look, const struct task *task)
{
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
        if (is_input(look, task->tid, (uint64_t)fd) &&
            sys_epoll_holds(task->tid, (int)task->args[0], fd) == 1)
            return true;
    }
    return false;
}

/* `at` is the program's word: what is not there is an error. A box has no means
 * (userfaultfd, FUSE) to make who reads its memory wait. */
static bool read_memory(const struct task *task, uint64_t at, void *bytes, size_t len)
{
    struct iovec to = {.iov_base = bytes, .iov_len = len};
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): it is another process's address */
    struct iovec from = {.iov_base = (void *)(uintptr_t)at, .iov_len = len};
    return process_vm_readv(task->tid, &to, 1, &from, 1, 0) == (ssize_t)len;
}

static bool waits_in_poll(const struct look *look, const struct task *task)
{
    struct pollfd fds[DESCRIPTORS_MAX];
    size_t count = (size_t)MIN(task->args[1], (uint64_t)DESCRIPTORS_MAX);
    if (count == 0 || !read_memory(task, task->args[0], fds, count * sizeof *fds))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (fds[i].fd >= 0 && (fds[i].events & (POLLIN | POLLRDNORM)) &&
            is_input(look, task->tid, (uint64_t)fds[i].fd))
            return true;
    }
    return false;
}

static bool waits_in_select(const struct look *look, const struct task *task)
{
    uint64_t read_set; /* the first word: descriptors 0 to 63 */
    uint64_t count = MIN(task->args[0], (uint64_t)DESCRIPTORS_MAX);
    if (count == 0 || task->args[1] == 0 ||
        !read_memory(task, task->args[1], &read_set, sizeof read_set))
        return false;
    for (uint64_t fd = 0; fd < count; fd++) {
        if ((read_set >> fd & 1) && is_input(look, task->tid, fd))
            return true;
    }
    return false;
}

static const struct {
    long number;
    bool (*waits)(const struct look *look, const struct task *task);
} calls[] = {
    {SYS_read, waits_in_read},          {SYS_readv, waits_in_read},
    {SYS_preadv2, waits_in_read},       {SYS_splice, waits_in_read},
    {SYS_tee, waits_in_read},           {SYS_epoll_pwait, waits_in_epoll},
    {SYS_epoll_pwait2, waits_in_epoll}, {SYS_ppoll, waits_in_poll},
    {SYS_pselect6, waits_in_select},
#ifdef SYS_epoll_wait /* not on newer architectures */
    {SYS_epoll_wait, waits_in_epoll},   {SYS_poll, waits_in_poll},
    {SYS_select, waits_in_select},
#endif
};

static bool waits(const struct look *look, const struct task *task)
{
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        if (calls[i].number == task->number)
            return calls[i].waits(look, task);
    }
    return false;
}

/* --- the tasks of a box: what its init started, and what these started --- */

/* A file of a task; `tasks` is /proc/PID/task. */
static ssize_t read_of(int tasks, pid_t tid, const char *file, char *text, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%d/%s", tid, file);
    return fd_read_text_at(tasks, path, text, size);
}

static int take_children(struct look *look, int tasks, pid_t tid)
{
    char text[4096];
    char *at = text;
    ssize_t len = read_of(tasks, tid, "children", text, sizeof text);
    if (len < 0)
        return len == -ENOENT || len == -ESRCH ? 0 : (int)len;
    for (;;) {
        char *end = at;
        long child = strtol(at, &end, 10);
        if (end == at)
            return 0;
        if (look->process_count == TASKS_MAX)
            return -E2BIG;
        look->processes[look->process_count++] = (pid_t)child;
        at = end;
    }
}

/* Its letter stands behind its name, which is the program's choice and may have any
 * signs in it, and before it come numbers only. */
static int state_of(int tasks, pid_t tid)
{
    char text[1024];
    ssize_t len = read_of(tasks, tid, "stat", text, sizeof text);
    if (len < 0)
        return (int)len;
    const char *name_end = strrchr(text, ')');
    return name_end && strncmp(name_end, ") ", 2) == 0 ? name_end[2] : -EINVAL;
}

/* "0 0x0 0x7f… …" in a call, "-1 SP PC" at work on a page, "-1 0x0 0x0" a
 * zombie, "running" else. -EBUSY when it does something, 0 when it does not. */
static int take_call(struct look *look, int tasks, pid_t tid)
{
    char text[256];
    char *at = text;
    ssize_t len = read_of(tasks, tid, "syscall", text, sizeof text);
    if (len < 0)
        return len == -ENOENT || len == -ESRCH ? 0 : (int)len;
    struct task task = {.tid = tid, .number = strtol(text, &at, 10)};
    if (at == text)
        return -EBUSY;
    for (int i = 0; i < CALL_ARGUMENTS; i++)
        task.args[i] = strtoull(at, &at, 16); /* 0 at the end of the text */
    if (task.number < 0)
        return task.args[0] == 0 ? 0 : -EBUSY;
    look->asleep[look->asleep_count++] = task;
    return 0;
}

/* The call of one that sleeps, and of no other: to tell it the kernel waits for an
 * execve of that task, as long as that takes, and the letter it tells at once. */
static int take_task(struct look *look, int tasks, pid_t tid)
{
    int state = state_of(tasks, tid);
    switch (state) {
    case 'S':
        return take_call(look, tasks, tid);
    case -ENOENT:
    case -ESRCH:
    case 'Z':
    case 'X':
    case 'T': /* stopped: a line of input would not wake it */
    case 't':
        return 0;
    default:
        return state < 0 ? state : -EBUSY;
    }
}

static int open_tasks(const struct look *look, pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%d/task", pid);
    int fd = openat(look->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int take_process(struct look *look, pid_t pid)
{
    auto_close int tasks = open_tasks(look, pid);
    if (tasks < 0)
        return tasks == -ENOENT ? 0 : tasks;
    auto_close_dir DIR *directory = fdopendir(tasks);
    if (!directory)
        return -errno;
    (void)take_fd(&tasks);
    const struct dirent *entry;
    int rc = 0;
    while (rc == 0 && (entry = readdir(directory))) {
        pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (tid <= 0)
            continue;
        if (look->task_count++ == TASKS_MAX)
            return -E2BIG;
        if (spawner_now_ns() > look->until_ns)
            return -ETIME;
        rc = take_task(look, dirfd(directory), tid);
        if (rc == 0)
            rc = take_children(look, dirfd(directory), tid);
    }
    return rc;
}

/* All tasks come before the first call is looked into: only a box in which
 * nothing runs holds no lock for which that would have to wait. */
static bool program_waits(struct look *look)
{
    auto_close int init = open_tasks(look, look->stage->pid);
    int rc = init < 0 ? init : take_children(look, init, look->stage->pid);
    for (size_t i = 0; rc == 0 && i < look->process_count; i++)
        rc = take_process(look, look->processes[i]);
    for (size_t i = 0; rc == 0 && i < look->asleep_count; i++) {
        if (spawner_now_ns() > look->until_ns)
            return false;
        if (waits(look, &look->asleep[i]))
            return true;
    }
    return false;
}

bool spawner_sees_waiting(int proc_fd, const struct spawner_stage *stage)
{
    struct look look = {
        .proc_fd = proc_fd, .stage = stage, .until_ns = spawner_now_ns() + LOOK_MAX_NS};
    return program_waits(&look);
}
