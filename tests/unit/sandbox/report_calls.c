/* SPDX-License-Identifier: MIT */
/* report_calls REPORT COMMAND… — runs a command under the box's policy, and says which of its
 * calls the policy refused: tests/languages/refusals.py knows which ones runtimes may make.
 *
 * The filter is the box's, but where that answers with an error, this one asks us. We answer what
 * the box would have answered, worked out by the evaluator from the call's arguments, so the
 * command cannot tell the difference; and write it down. A line in REPORT for each:
 *
 *     TIMES ERROR CALL [ARGUMENT of what decides, in hexadecimal]
 *
 * Ends as the command ended, once all that it started has ended. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "bpf_eval.h"

enum { REFUSALS_MAX = 512 };

struct refusal {
    int number;
    uint32_t argument;
    uint32_t action;
    unsigned times;
};

static struct refusal refusals[REFUSALS_MAX];
static size_t refusal_count;

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(125);
}

/* The argument by which the policy tells one use of a call from another; -1: none does. */
static int deciding_argument(int number)
{
    switch (number) {
    case SYS_ioctl:
    case SYS_prlimit64:
    case SYS_sched_setscheduler:
        return 1;
    case SYS_setsockopt:
        return 2;
    case SYS_clone:
    case SYS_prctl:
    case SYS_personality:
    case SYS_setrlimit:
    case SYS_socket:
    case SYS_socketpair:
        return 0;
    default:
        return -1;
    }
}

static void note(const struct seccomp_data *call, uint32_t action)
{
    int at = deciding_argument(call->nr);
    struct refusal seen = {
        .number = call->nr,
        .argument = at < 0 ? 0 : (uint32_t)call->args[at],
        .action = action,
        .times = 1,
    };
    for (size_t i = 0; i < refusal_count; i++) {
        struct refusal *known = &refusals[i];
        if (known->number == seen.number && known->argument == seen.argument &&
            known->action == seen.action) {
            known->times++;
            return;
        }
    }
    if (refusal_count == REFUSALS_MAX) {
        (void)fprintf(stderr, "too many kinds of refusals\n");
        exit(125);
    }
    refusals[refusal_count++] = seen;
}

static void write_report(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file)
        fail(path);
    for (size_t i = 0; i < refusal_count; i++) {
        const struct refusal *refusal = &refusals[i];
        const char *name = seccomp_call_name(refusal->number);
        (void)fprintf(file, "%u %s ", refusal->times, bpf_action_name(refusal->action));
        (void)(name ? fputs(name, file) : fprintf(file, "%d", refusal->number));
        if (deciding_argument(refusal->number) >= 0)
            (void)fprintf(file, " %#x", (unsigned)refusal->argument);
        (void)fputc('\n', file);
    }
    if (fclose(file) != 0)
        fail(path);
}

/* The same program, which asks where it would have answered with an error. What is answered as
 * if it were done is no refusal. */
static struct seccomp_program ask_instead(const struct seccomp_program *program)
{
    struct seccomp_program asking = {.count = program->count};
    asking.instructions = calloc(program->count, sizeof *asking.instructions);
    if (!asking.instructions)
        fail("memory");
    memcpy(asking.instructions, program->instructions,
           program->count * sizeof *program->instructions);
    for (size_t i = 0; i < asking.count; i++) {
        struct sock_filter *instruction = &asking.instructions[i];
        if (instruction->code == (BPF_RET | BPF_K) &&
            (instruction->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO &&
            (instruction->k & SECCOMP_RET_DATA) != 0)
            instruction->k = SECCOMP_RET_USER_NOTIF;
    }
    return asking;
}

/* In the child. The listener is closed by exec, so that waits until the parent has its own. */
static _Noreturn void run(const struct seccomp_program *program, char **command, int to, int from)
{
    struct sock_fprog filter = {(unsigned short)program->count, program->instructions};
    char go = 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        fail("no new privileges");
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
    if (listener < 0)
        fail("load the filter");
    if (write(to, &listener, sizeof listener) != sizeof listener || read(from, &go, 1) != 1)
        _exit(125);
    execv(command[0], command);
    fail(command[0]);
}

static int take_listener(pid_t child, int from)
{
    int number = -1;
    if (read(from, &number, sizeof number) != sizeof number)
        fail("no filter in the child");
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    int listener = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
    if (listener < 0)
        fail("take the listener");
    (void)close(pidfd);
    return listener;
}

/* Until nobody lives under the filter any more. */
static void answer_all(const struct seccomp_program *program, int listener)
{
    struct pollfd watch = {.fd = listener, .events = POLLIN};
    while (poll(&watch, 1, -1) >= 0 || errno == EINTR) {
        struct seccomp_notif call = {0};
        struct seccomp_notif_resp answer = {0};
        if (!(watch.revents & POLLIN)) {
            if (watch.revents & (POLLHUP | POLLERR))
                return;
            continue;
        }
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
            continue; /* it died, or a signal called it away: then it asks again */
        uint32_t action = bpf_eval(program, &call.data);
        note(&call.data, action);
        answer.id = call.id;
        answer.error = -(int)(action & SECCOMP_RET_DATA);
        (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
    fail("wait for calls");
}

int main(int argc, char **argv)
{
    struct seccomp_program program;
    struct err err = {0};
    int up[2];
    int down[2];
    int status = 0;
    if (argc < 3)
        return 64;
    if (seccomp_compile("box.policy", slice_of(seccomp_builtin_policy("box")),
                        SECCOMP_REFUSE_ENOSYS, &program, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 125;
    }
    struct seccomp_program asking = ask_instead(&program);
    if (pipe2(up, O_CLOEXEC) < 0 || pipe2(down, O_CLOEXEC) < 0)
        fail("pipe");
    pid_t child = fork();
    if (child == 0)
        run(&asking, argv + 2, up[1], down[0]);
    (void)close(up[1]);
    int listener = child < 0 ? -1 : take_listener(child, up[0]);
    if (listener < 0 || write(down[1], "", 1) != 1)
        fail("start");
    answer_all(&program, listener);
    if (waitpid(child, &status, 0) != child)
        fail("wait");
    write_report(argv[1]);
    seccomp_program_fini(&asking);
    seccomp_program_fini(&program);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
