/* SPDX-License-Identifier: MIT */
/* inject.c — makes system calls of a live program fail: of any program, however it is linked.
 *
 *     inject self|children|all FAULT N TIMES PID          until SIGTERM
 *     inject self|children|all FAULT N TIMES -- COMMAND…  until it ends
 *
 * Counts the calls that FAULT may meet (calls.c) and lets number N and the TIMES - 1 behind it
 * fail. "self" are the threads of one process, "children" all that it starts, up to the programs
 * of strangers: a box is ours until it executes. The last lines say what came of it:
 *
 *     fired CALL TARGET
 *     crashed SIGNAL       one of those whose calls count died of a mistake
 *     ended STATUS         of the command, or less than 0: its signal
 *     calls COUNT
 *     mains COUNT          of programs that were executed, those that got as far
 *
 * Behind the first two stands "before main" where that was in the loader, or in what it starts.
 *
 * A chosen call becomes getpid, which every filter allows, and answers what was chosen.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

enum { PID_ROOM = 4 * 1024 * 1024, GROUP_OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE };
enum {
    ALL_OPTIONS = GROUP_OPTIONS | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC
};
enum who { WHO_SELF, WHO_CHILDREN, WHO_ALL };

static enum who who;
static enum fault fault;
static unsigned long first, times, calls, mains;
static pid_t root;    /* the process that was named, or the command */
static bool spares;   /* memory of the process: a sanitizer does not bear that */
static bool begun;    /* the command is executed */
static bool leaving;  /* everything is let go at its next stop */
static size_t traced; /* tasks */

/* By task. */
static unsigned char known[PID_ROOM];    /* we trace it */
static unsigned char counted[PID_ROOM];  /* its calls count */
static unsigned char inside[PID_ROOM];   /* the next stop is the end of a call */
static unsigned char answered[PID_ROOM]; /* at that end our answer is put in */
static unsigned char loading[PID_ROOM];  /* executed, and its main is not reached */
/* An argument that we changed is at that end what it was: compilers count on it. */
static struct {
    size_t offset; /* 0: none */
    unsigned long value;
} changed[PID_ROOM];

static void die(const char *what)
{
    (void)fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
    exit(70);
}

static bool is_thread_of(pid_t task, pid_t process)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d", process, task);
    return access(path, F_OK) == 0;
}

static bool is_ours(pid_t task)
{
    char path[64];
    char target[256];
    (void)snprintf(path, sizeof path, "/proc/%d/exe", task);
    ssize_t len = readlink(path, target, sizeof target - 1);
    target[len < 0 ? 0 : len] = '\0';
    return strstr(target, "runnel") != NULL;
}

static void learn(pid_t task)
{
    if (known[task])
        return;
    known[task] = 1;
    inside[task] = answered[task] = loading[task] = 0;
    changed[task].offset = 0;
    counted[task] = who == WHO_ALL || is_thread_of(task, root) == (who == WHO_SELF);
    traced++;
}

static void forget(pid_t task)
{
    traced -= known[task];
    known[task] = 0;
}

static void let_go(pid_t task, int signal)
{
    if (ptrace(PTRACE_DETACH, task, 0, signal) == 0)
        forget(task);
}

static bool is_memory(unsigned long number)
{
    return number == SYS_mmap || number == SYS_mremap || number == SYS_brk ||
           number == SYS_mprotect;
}

static void set_register(pid_t task, size_t offset, unsigned long value)
{
    (void)ptrace(PTRACE_POKEUSER, task, offset, value);
}

static void change_argument(const struct call *call, int which, unsigned long value)
{
    static const size_t offsets[] = {
        offsetof(struct user, regs.rdi),
        offsetof(struct user, regs.rsi),
        offsetof(struct user, regs.rdx),
        offsetof(struct user, regs.r10),
    };
    changed[call->pid].offset = offsets[which];
    changed[call->pid].value = call->args[which];
    set_register(call->pid, offsets[which], value);
}

/* Half of the bytes, or the first of several pieces. */
static void shorten(const struct call *call)
{
    bool pieces = call->number == SYS_readv || call->number == SYS_writev;
    int length = call_length(call->number);
    change_argument(call, length, pieces ? 1 : call->args[length] / 2);
}

/* Every program of ours begins with it, and no loader or library does. */
static bool is_first_of_main(const struct call *call)
{
    char path[sizeof "/dev/null"] = "";
    struct iovec here = {path, sizeof path};
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): of another process */
    struct iovec there = {(void *)call->args[1], sizeof path};
    return call->number == SYS_openat &&
           process_vm_readv(call->pid, &here, 1, &there, 1, 0) == (ssize_t)sizeof path &&
           memcmp(path, "/dev/null", sizeof path) == 0;
}

static const char *where(pid_t task)
{
    return loading[task] ? " before main" : "";
}

static void consider(const struct call *call)
{
    char target[256];
    if (!begun || !counted[call->pid] || (spares && is_memory(call->number)) ||
        !call_may_fail(call, fault))
        return;
    calls++;
    if (calls < first || calls >= first + times)
        return;
    call_target(call, target, sizeof target);
    (void)printf("fired %s %s%s\n", call_name(call->number), target, where(call->pid));
    if (fault == FAULT_SHORT) {
        shorten(call);
        return;
    }
    if (call->number == SYS_brk) { /* which says no by answering where the break is: brk(2) */
        change_argument(call, 0, 0);
        return;
    }
    set_register(call->pid, offsetof(struct user, regs.orig_rax), SYS_getpid);
    answered[call->pid] = 1;
}

static void at_call(pid_t task)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, task, sizeof info, &info) < 0)
        return;
    inside[task] = info.op == PTRACE_SYSCALL_INFO_ENTRY;
    if (inside[task]) {
        struct call call = {.pid = task, .number = info.entry.nr};
        for (int i = 0; i < 6; i++)
            call.args[i] = info.entry.args[i];
        if (loading[task] && is_first_of_main(&call)) {
            loading[task] = 0;
            mains++;
        }
        consider(&call);
    } else if (answered[task]) {
        set_register(task, offsetof(struct user, regs.rax), (unsigned long)-fault_errno(fault));
        answered[task] = 0;
    } else if (changed[task].offset != 0) {
        set_register(task, changed[task].offset, changed[task].value);
        changed[task].offset = 0;
    }
}

static void go_on(pid_t task, int signal)
{
    if (leaving && !inside[task])
        let_go(task, signal);
    else
        (void)ptrace(PTRACE_SYSCALL, task, 0, signal);
}

static void at_stop(pid_t task, int status)
{
    int event = status >> 16;
    int signal = WSTOPSIG(status);
    learn(task);
    begun = begun || (event == PTRACE_EVENT_EXEC && task == root);
    loading[task] |= event == PTRACE_EVENT_EXEC;
    if (signal == (SIGTRAP | 0x80)) {
        at_call(task);
        go_on(task, 0);
    } else if (event == PTRACE_EVENT_EXEC && !is_ours(task)) {
        let_go(task, 0);
    } else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
        (void)ptrace(PTRACE_LISTEN, task, 0, 0); /* stopped as a whole: that is its own business */
    } else {
        go_on(task, event != 0 ? 0 : signal);
    }
}

/* The kernel, libc or a sanitizer ended it: nobody sends these. */
static bool is_crash(int signal)
{
    static const int crashes[] = {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGTRAP};
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        if (crashes[i] == signal)
            return true;
    }
    return false;
}

static void at_end(pid_t task, int status)
{
    if (WIFSIGNALED(status) && counted[task] && is_crash(WTERMSIG(status)))
        (void)printf("crashed SIG%s%s\n", sigabbrev_np(WTERMSIG(status)), where(task));
    if (task == root)
        (void)printf("ended %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    forget(task);
}

/* All that has happened by now. */
static void take_events(void)
{
    int status = 0;
    pid_t task;
    while ((task = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
        if (WIFSTOPPED(status))
            at_stop(task, status);
        else
            at_end(task, status);
    }
}

static void seize(pid_t process)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *folder = opendir(path);
    struct dirent *entry;
    long options = who == WHO_SELF ? GROUP_OPTIONS : ALL_OPTIONS;
    while (folder && (entry = readdir(folder))) {
        pid_t task = (pid_t)atoi(entry->d_name);
        if (task <= 0 || ptrace(PTRACE_SEIZE, task, 0, options) < 0)
            continue;
        learn(task);
        if (ptrace(PTRACE_INTERRUPT, task, 0, 0) < 0)
            die("interrupt");
    }
    if (folder)
        (void)closedir(folder);
    if (traced == 0)
        die("nothing to trace");
}

/* Stopped at its exec until it is seized. */
static pid_t start(char **command)
{
    int gate[2];
    char go = 0;
    if (pipe(gate) < 0)
        die("pipe");
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)close(gate[1]);
        (void)!read(gate[0], &go, 1);
        (void)close(gate[0]);
        (void)dup2(STDERR_FILENO, STDOUT_FILENO); /* ours is for what we say */
        /* By it alone, and not by us. */
        if (getenv("FAULTS_PRELOAD"))
            (void)setenv("LD_PRELOAD", getenv("FAULTS_PRELOAD"), 1);
        execv(command[0], command);
        _exit(127);
    }
    root = child;
    seize(child);
    (void)close(gate[0]);
    (void)!write(gate[1], &go, 1);
    (void)close(gate[1]);
    return child;
}

static void leave(void)
{
    leaving = true;
    for (pid_t task = 1; task < PID_ROOM; task++) {
        if (known[task])
            (void)ptrace(PTRACE_INTERRUPT, task, 0, 0);
    }
}

static void parse(int argc, char **argv)
{
    static const char *const names[] = {"self", "children", "all"};
    if (argc < 6)
        exit(64);
    for (who = WHO_SELF; who <= WHO_ALL && strcmp(argv[1], names[who]) != 0; who++)
        ;
    int kind = fault_by_name(argv[2]);
    if (who > WHO_ALL || kind < 0)
        exit(64);
    fault = (enum fault)kind;
    first = strtoul(argv[3], NULL, 10);
    times = strtoul(argv[4], NULL, 10);
    spares = getenv("FAULTS_SPARE_MEMORY") != NULL;
}

int main(int argc, char **argv)
{
    sigset_t ours;
    parse(argc, argv);
    sigemptyset(&ours);
    sigaddset(&ours, SIGCHLD);
    sigaddset(&ours, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &ours, NULL);
    int signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    bool command = strcmp(argv[5], "--") == 0;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (command) {
        (void)start(argv + 6);
    } else {
        root = (pid_t)atoi(argv[5]);
        begun = true;
        seize(root);
    }
    (void)printf("ready %d\n", root);
    while (traced > 0) {
        struct pollfd ready = {.fd = signals, .events = POLLIN};
        struct signalfd_siginfo info;
        take_events();
        if (traced > 0)
            (void)poll(&ready, 1, -1);
        while (read(signals, &info, sizeof info) > 0) {
            if (info.ssi_signo == SIGTERM && !leaving)
                leave();
        }
    }
    (void)printf("calls %lu\nmains %lu\n", calls, mains);
    return 0;
}
