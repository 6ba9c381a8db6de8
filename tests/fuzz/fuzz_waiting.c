/* SPDX-License-Identifier: MIT */
/* What the spawner reads of a box to tell whether its program waits for input: files of /proc,
 * whose text a program arranges, and its memory. The folder here is one of our own, with an init
 * and four tasks; lines of the input are its files, in the order of `files`, and what is left is
 * the memory. It reads no more than it may, and a box in which it saw a task run does not wait. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sandbox/message.h"
#include "sandbox/spawner.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { INIT = 1, AT_STATE = 8, MEMORY_MAX = 64 * 8, FILE_MAX = 8192 };

static const char *const files[] = {
    "1/task/1/children",  "2/task/2/syscall", "2/task/2/children", "2/task/20/syscall",
    "2/task/20/children", "3/task/3/syscall", "3/task/3/children", "3/task/30/syscall",
    "2/task/2/stat",      "2/task/20/stat",   "3/task/3/stat",     "3/task/30/stat",
};
/* Of its tasks, what is open there: the input, and something else. */
static const int tasks[] = {2, 20, 3, 30};
static const struct {
    int fd;
    bool is_input;
} descriptors[] = {{0, true}, {1, false}, {7, true}, {63, true}, {64, true}};

static char ground[] = "/tmp/runnel-fuzz-XXXXXX";
static int proc_fd = -1;
static int fds[ARRAY_LEN(files)];
static struct spawner_stage box;
static uint64_t now_ns;
static struct slice memory; /* of the program */

uint64_t spawner_now_ns(void)
{
    return now_ns += NS_PER_MS / 100;
}

/* Linked in place of the real ones (--wrap). */
ssize_t __wrap_process_vm_readv(pid_t pid, const struct iovec *to, unsigned long to_count,
                                const struct iovec *from, unsigned long from_count,
                                unsigned long flags);
int __wrap_sys_epoll_holds(pid_t pid, int epoll_fd, int fd);

ssize_t __wrap_process_vm_readv(pid_t pid, const struct iovec *to, unsigned long to_count,
                                const struct iovec *from, unsigned long from_count,
                                unsigned long flags)
{
    assert(pid > 0 && to_count == 1 && from_count == 1 && flags == 0);
    assert(to->iov_len == from->iov_len && to->iov_len <= MEMORY_MAX);
    if (memory.len == 0) {
        errno = EFAULT;
        return -1;
    }
    size_t len = MIN(memory.len, to->iov_len);
    memcpy(to->iov_base, memory.at, len);
    return (ssize_t)len;
}

int __wrap_sys_epoll_holds(pid_t pid, int epoll_fd, int fd)
{
    assert(pid > 0 && fd >= 0 && fd < 64);
    return epoll_fd < 0 ? -EBADF : epoll_fd == fd;
}

/* ---- the folder ---- */

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind, (void)where;
    return remove(path);
}

static void leave_ground(void)
{
    (void)nftw(ground, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* With the folders that lead there. */
static int make(const char *name)
{
    char path[64];
    int len = snprintf(path, sizeof path, "%s", name);
    assert(len > 0 && (size_t)len < sizeof path);
    for (char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        (void)mkdirat(proc_fd, path, 0700);
        *at = '/';
    }
    int fd = openat(proc_fd, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert(fd >= 0);
    return fd;
}

static void make_descriptors(int tid)
{
    char path[64];
    for (size_t i = 0; i < ARRAY_LEN(descriptors); i++) {
        (void)snprintf(path, sizeof path, "%d/fd", tid);
        (void)mkdirat(proc_fd, path, 0700);
        (void)snprintf(path, sizeof path, "%d/fd/%d", tid, descriptors[i].fd);
        int rc = symlinkat(descriptors[i].is_input ? "../../input" : "../../other", proc_fd, path);
        assert(rc == 0);
    }
}

static void set_up(void)
{
    char *made = mkdtemp(ground);
    assert(made);
    (void)atexit(leave_ground);
    proc_fd = open(ground, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        fds[i] = make(files[i]);
    int input = make("input");
    (void)close(make("other"));
    box = (struct spawner_stage){.pid = INIT};
    spawner_note_input(&box, input);
    (void)close(input);
    for (size_t i = 0; i < ARRAY_LEN(tasks); i++) {
        char path[16];
        (void)snprintf(path, sizeof path, "%d", tasks[i]);
        (void)mkdirat(proc_fd, path, 0700);
        make_descriptors(tasks[i]);
    }
}

/* ---- one input ---- */

static void write_file(int fd, struct slice text)
{
    ssize_t written = pwrite(fd, text.at, text.len, 0);
    int rc = ftruncate(fd, (off_t)text.len);
    assert(written == (ssize_t)text.len && rc == 0);
}

static struct slice take_line(struct slice *rest)
{
    const char *end = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;
    struct slice line = {rest->at, end ? (size_t)(end - rest->at) : rest->len};
    size_t taken = line.len + (end != NULL);
    *rest = (struct slice){rest->at + taken, rest->len - taken};
    line.len = MIN(line.len, (size_t)FILE_MAX);
    return line;
}

/* Behind the last bracket: those before are in its name. */
static bool tells_that_it_runs(struct slice stat)
{
    const char *end = memchr(stat.at, '\0', stat.len);
    size_t len = end ? (size_t)(end - stat.at) : stat.len;
    while (len > 0 && stat.at[len - 1] != ')')
        len--;
    return len > 0 && len + 2 <= stat.len && memcmp(stat.at + len, " R", 2) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice rest = {(const char *)bytes, size};
    bool runs = false; /* the first of its processes, if it has no other */
    bool is_alone = false;
    if (proc_fd < 0)
        set_up();
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct slice text = take_line(&rest);
        write_file(fds[i], text);
        if (i == 0)
            is_alone = slice_is(text, "2");
        if (i == 1)
            runs = slice_is(text, "running");
        if (i == AT_STATE)
            runs |= tells_that_it_runs(text);
    }
    memory = rest;
    bool waiting = spawner_sees_waiting(proc_fd, &box);
    assert(!(waiting && is_alone && runs));
    return 0;
}
