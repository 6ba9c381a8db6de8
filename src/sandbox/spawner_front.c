/* SPDX-License-Identifier: MIT */
/* spawner_front.c — starts the front of `runnel serve`, and starts it again.
 *
 * A front runs where we came from: in the host's mount namespace, at the folder
 * that we were started in. A front that exits has decided to (a mistake in the
 * configuration, a shutdown): we end with its status. One that is killed, by
 * whatever, is started again, at once the first time and then ever more slowly;
 * unless we were told to stop: then that is no clean end of ours either.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/spawner.h"
#include "sandbox/spawner_fds.h"

static const uint64_t steady_ns = 10 * NS_PER_S; /* lived this long: it is no crash loop */
static const uint64_t slowest_ns = 1 * NS_PER_S;
enum { ENVIRONMENT_MAX = 1024, SOCKET_BUFFER = 1024 * 1024, EXIT_FRONT_DIED = 70 };

/* Replies of a thousand boxes fit, and neither end of it can hold us up. */
int spawner_set_up_socket(int socket)
{
    int size = SOCKET_BUFFER;
    (void)setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return fd_set_nonblocking(socket);
}

static int go_home(const struct spawner *spawner)
{
    if (setns(spawner->home_mntns, CLONE_NEWNS) < 0 || fchdir(spawner->home_root) < 0 ||
        chroot(".") < 0)
        return -errno;
    if (spawner->home_folder >= 0 && fchdir(spawner->home_folder) < 0)
        (void)!chdir("/");
    return 0;
}

/* Its socket is the first descriptor behind 0, 1 and 2. */
static int exec_front(const struct spawner *spawner, int socket)
{
    enum { FRONT_SOCKET = 3, FRONT_BINARY = 4 };
    static char variable[64];
    static char *environment[ENVIRONMENT_MAX + 2];
    size_t count = 0;
    for (size_t i = 0; environ[i] && count < ENVIRONMENT_MAX; i++) {
        if (strncmp(environ[i], SPAWNER_SOCKET_VARIABLE "=", sizeof SPAWNER_SOCKET_VARIABLE) != 0)
            environment[count++] = environ[i];
    }
    (void)snprintf(variable, sizeof variable, SPAWNER_SOCKET_VARIABLE "=%d", FRONT_SOCKET);
    environment[count] = variable;

    int binary = dup(SPAWNER_FD_BINARY); /* the numbers below may be their sources' */
    int ours = dup(socket);
    if (binary < 0 || ours < 0 || dup2(ours, FRONT_SOCKET) < 0 ||
        dup3(binary, FRONT_BINARY, O_CLOEXEC) < 0)
        return -errno;
    int rc = sys_close_range(FRONT_BINARY + 1, ~0U, 0);
    return rc < 0 ? rc
                  : sys_execveat(FRONT_BINARY, (char *const *)spawner->settings.front_argv,
                                 environment);
}

static void be_front(const struct spawner *spawner, pid_t parent, int socket)
{
    sigset_t none;
    sigemptyset(&none);
    int rc = go_home(spawner);
    if (rc == 0 && sigprocmask(SIG_SETMASK, &none, NULL) < 0)
        rc = -errno;
    /* Holds until it changes its user; it asks again then. */
    if (rc == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        rc = -errno;
    if (rc == 0 && getppid() == parent)
        rc = exec_front(spawner, socket);
    spawner_log("error", "front_unstartable", strerror(-rc));
    _exit(EXIT_FRONT_DIED);
}

int spawner_send_report(const struct spawner *spawner)
{
    struct report_message message = {.report = spawner->report};
    memcpy(message.refusal, spawner->refusal, sizeof message.refusal);
    return fd_send(spawner->socket, &message, sizeof message, NULL, 0);
}

int spawner_start_front(struct spawner *spawner, struct err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_sys(err, errno, "make the front's socket");
    auto_close int theirs = pair[1];
    spawner->socket = pair[0];
    (void)spawner_set_up_socket(spawner->socket);
    pid_t parent = getpid();
    struct clone_args args = {.flags = CLONE_PIDFD,
                              .pidfd = (uint64_t)(uintptr_t)&spawner->front,
                              .exit_signal = SIGCHLD};
    pid_t child = sys_clone3(&args);
    if (child == 0)
        be_front(spawner, parent, theirs);
    if (child < 0) {
        spawner->front = -1;
        fd_close(&spawner->socket);
        return err_sys(err, -child, "start the front");
    }
    spawner->front_pid = child;
    spawner->front_since_ns = spawner_now_ns();
    spawner->front_due_ns = 0;
    int rc = spawner_send_report(spawner);
    return rc < 0 ? err_sys(err, -rc, "tell the front") : 0;
}

/* 0, 0.1, 0.2, 0.4 … 1 s */
static uint64_t pause_ns(unsigned restarts)
{
    if (restarts == 0)
        return 0;
    return MIN(100 * NS_PER_MS << MIN(restarts - 1, 6U), slowest_ns);
}

/* While we are told to stop. The signals that say so end a front that could not ask for them yet.
 */
static int died_stopping(int signal)
{
    char detail[64];
    if (signal == SIGTERM || signal == SIGINT)
        return EXIT_SUCCESS;
    (void)snprintf(detail, sizeof detail, "signal %d, while it was stopping", signal);
    spawner_log("error", "front_died", detail);
    return EXIT_FRONT_DIED;
}

int spawner_front_ended(struct spawner *spawner)
{
    siginfo_t how = {0};
    while (waitid(P_PIDFD, (id_t)spawner->front, &how, WEXITED) < 0) {
        if (errno != EINTR)
            return EXIT_FAILURE;
    }
    fd_close(&spawner->front);
    fd_close(&spawner->socket);
    if (how.si_code == CLD_EXITED)
        return how.si_status;
    if (spawner->stopping)
        return died_stopping(how.si_status);
    uint64_t now = spawner_now_ns();
    if (now - spawner->front_since_ns > steady_ns)
        spawner->front_restarts = 0;
    char detail[64];
    (void)snprintf(detail, sizeof detail, "signal %d; starting it again", how.si_status);
    spawner_log("error", "front_died", detail);
    spawner_drop_all(spawner);
    uint64_t due_ns = now + pause_ns(spawner->front_restarts++);
    spawner->front_due_ns = MAX(due_ns, 1);
    return -1;
}
