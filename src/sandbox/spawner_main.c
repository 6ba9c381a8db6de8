/* SPDX-License-Identifier: MIT */
/* spawner_main.c — the spawner's program: static, libc only, started by launch.c. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/spawner.h"
#include "sandbox/spawner_fds.h"

enum { SETTINGS_TEXTS = 3 * TEXTS_MAX, EXIT_UNSENT = 71, EXIT_CONFIG = 78 };

#ifdef RUNNEL_SANITIZED
/* The check for leaks reads /proc, which is not in the tree of boxes. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
#endif

/* The settings' bytes stay mapped for good: the texts point into them. */
static int read_settings_file(struct spawner *spawner)
{
    static const char *texts[SETTINGS_TEXTS];
    struct stat status;
    if (fstat(SPAWNER_FD_SETTINGS, &status) < 0 || status.st_size == 0)
        return -EBADMSG;
    size_t size = (size_t)status.st_size;
    const char *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, SPAWNER_FD_SETTINGS, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    (void)close(SPAWNER_FD_SETTINGS);
    struct message_reader from = {
        .at = bytes, .end = bytes + size, .texts = texts, .texts_room = SETTINGS_TEXTS};
    return read_settings(&from, &spawner->settings);
}

/* Received descriptors are 3 or more, so that moving them to 0, 1 and 2 in a
 * box never meets itself. */
static int occupy_standard_descriptors(void)
{
    for (;;) {
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd < 0)
            return -errno;
        if (fd > STDERR_FILENO)
            return close(fd) < 0 ? -errno : 0;
        (void)fcntl(fd, F_SETFD, 0);
    }
}

/* Two dozen descriptors a box on v1, and each pooled thing has its own. Boxes have a
 * limit of core dumps of 1, which hosts that allow none would not let them set. */
static void raise_limits(void)
{
    const struct rlimit one = {1, 1};
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max < one.rlim_max)
        (void)setrlimit(RLIMIT_CORE, &one);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int watch_signals(struct spawner *spawner)
{
    sigset_t watched;
    /* What is ignored outlives exec: a program must find nothing ignored, though
     * whoever started us (nohup, a shell's background) had reasons to. */
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    sigemptyset(&watched);
    sigaddset(&watched, SIGTERM);
    sigaddset(&watched, SIGINT);
    sigaddset(&watched, SIGHUP);
    sigset_t blocked = watched;
    sigaddset(&blocked, SIGPIPE);
    if (sigprocmask(SIG_SETMASK, &blocked, NULL) < 0)
        return -errno;
    spawner->signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    return spawner->signals < 0 ? -errno : 0;
}

/* When the front is our parent: it also has the terminal, whose Ctrl-C is its
 * affair, and its stdin and stdout must not stay open because of us. */
static int become_child(struct spawner *spawner)
{
    spawner->socket = SPAWNER_FD_SOCKET;
    (void)fcntl(SPAWNER_FD_SOCKET, F_SETFD, FD_CLOEXEC);
    (void)close(SPAWNER_FD_BINARY);
    (void)setsid();
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0 || dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
        return -errno;
    (void)close(fd);
    return spawner_set_up_socket(spawner->socket);
}

static int prepare_process(struct spawner *spawner)
{
    int rc = occupy_standard_descriptors();
    if (rc == 0)
        rc = read_settings_file(spawner);
    if (rc == 0)
        rc = watch_signals(spawner);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it takes -errno for 0 */
    if (rc == 0 && !spawner->settings.front_argv[0])
        rc = become_child(spawner);
    raise_limits();
    /* Boxes cannot ask for keys: behind that, those of whoever started us are not there. A kernel
     * may have no keyrings, and this user as many as it may. */
    (void)sys_join_new_session_keyring();
    return rc;
}

/* No box looked: what was made ready is not known to hold. */
static void forget_what_was_not_tried(struct layer_report *report)
{
    for (int i = 0; i < LAYER_COUNT; i++) {
        if (report->layer[i].status == LAYER_HOLDS)
            report->layer[i].status = LAYER_UNTRIED;
    }
}

int main(void)
{
    static struct spawner spawner = {.self = -1,
                                     .proc_fd = -1,
                                     .home_mntns = -1,
                                     .home_root = -1,
                                     .home_folder = -1,
                                     .front = -1,
                                     .signals = -1,
                                     .socket = -1,
                                     .ids = {.lock = -1}};
    struct err err = {0};
    list_init(&spawner.workspaces);
    list_init(&spawner.stages);
    list_init(&spawner.looks);
    list_init(&spawner.collections);
    int rc = prepare_process(&spawner);
    if (rc < 0) {
        spawner_log("error", "spawner_unusable", strerror(-rc));
        return EXIT_CONFIG;
    }
    bool ready = spawner_prepare_host(&spawner, &err) == 0;
    /* Not before: a user namespace is mapped through /proc/self. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (!ready)
        (void)snprintf(spawner.refusal, sizeof spawner.refusal, "%.*s",
                       (int)sizeof spawner.refusal - 1, err.text);
    else
        spawner_probe(&spawner);
    if (!spawner.probed)
        forget_what_was_not_tried(&spawner.report);
    if (spawner.socket >= 0) /* a front that we start gets it when it starts */
        rc = spawner_send_report(&spawner);
    bool unsent = spawner_must_wait(rc); /* the front would wait for it, and for us */
    if (unsent)
        spawner_log("error", "report_unsent", strerror(-rc));
    int status = unsent ? EXIT_UNSENT : spawner_loop(&spawner);
    spawner_drop_all(&spawner);
    spawner_leave_host(&spawner);
    return status;
}
