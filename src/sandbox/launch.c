/* SPDX-License-Identifier: MIT */
/* launch.c — how the spawner's program gets to run.
 *
 * It lies inside this binary as bytes, is written into an anonymous file and
 * executed from there: one file to install, and yet a process image of its own
 * (docs/adr/0001-the-spawner-is-a-program-of-its-own.md). It finds three
 * descriptors: its settings, this binary (to start fronts), the socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/kernel_abi.h"
#include "os/sys.h"
#include "sandbox/client.h"
#include "sandbox/host_ids.h"
#include "sandbox/message.h"
#include "sandbox/spawner_fds.h"

extern const char spawner_image_start[];
extern const char spawner_image_end[];

enum {
    SETTINGS_SIZE_MAX = 1024 * 1024,
    /* Seen on version 1 of cgroups, where a group has a descriptor for each of its
     * files in each hierarchy: 34 a box, and 80 of the pools. Before Linux 6.15 its
     * workspace has clones (workspace.h), too. */
    FDS_A_BOX = 40 + COMMANDS_MAX,
    FDS_BESIDE = 128,
};

unsigned sandbox_boxes_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return UINT_MAX;
    uint64_t boxes = limit.rlim_max > FDS_BESIDE ? (limit.rlim_max - FDS_BESIDE) / FDS_A_BOX : 0;
    return (unsigned)MIN(boxes, UINT_MAX);
}

unsigned sandbox_host_users_max(uint32_t uid_base)
{
    return host_ids_usable(uid_base) > 0 ? HOST_IDS_BLOCK - 1 : UINT_MAX; /* one is the front's */
}

static int image_file(struct err *err)
{
    auto_close int fd = memfd_create("runnel-spawner", MFD_CLOEXEC | MFD_EXEC);
    /* until Linux 6.3: the flag is unknown and every such file is executable */
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("runnel-spawner", MFD_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno,
                       "the spawner needs an executable anonymous file (sysctl vm.memfd_noexec "
                       "must be 0 or 1)");
    size_t size = (size_t)(spawner_image_end - spawner_image_start);
    int rc = fd_write_full(fd, spawner_image_start, size);
    if (rc < 0)
        return err_sys(err, -rc, "write the spawner's program");
    return take_fd(&fd);
}

static int settings_file(const struct sandbox_settings *settings, char *const *front_argv,
                         struct err *err)
{
    auto_free char *space = malloc(SETTINGS_SIZE_MAX);
    if (!space)
        return err_sys(err, ENOMEM, "write the spawner's settings");
    struct settings_message message = {
        .ceiling = settings->ceiling,
        .max_boxes = settings->max_boxes,
        .allow_missing = settings->allow_missing,
        .uid_base = settings->uid_base,
        .front_uid = settings->front_uid,
        .cgroup_root = settings->cgroup_root,
        .etc = settings->etc,
        .rootfs = settings->rootfs,
        .seccomp_program = {settings->seccomp_program, settings->seccomp_size},
        .front_argv = (const char *const *)front_argv,
    };
    struct message_writer to = {.at = space, .room = SETTINGS_SIZE_MAX};
    write_settings(&to, &message);
    if (to.failed)
        return err_set(err, ERR_CONFIG, "the settings are longer than %d bytes", SETTINGS_SIZE_MAX);
    int fd = fd_from_bytes("settings", space, to.len);
    return fd < 0 ? err_sys(err, -fd, "write the spawner's settings") : fd;
}

struct launch {
    int image;
    int settings;
    int binary;
    int socket; /* -1: the spawner makes one for each front it starts */
};

static void launch_close(struct launch *launch)
{
    fd_close(&launch->image);
    fd_close(&launch->settings);
    fd_close(&launch->binary);
    fd_close(&launch->socket);
}

static int launch_prepare(const struct sandbox_settings *settings, char *const *front_argv,
                          struct launch *launch, struct err *err)
{
    *launch = (struct launch){-1, -1, -1, -1};
    launch->image = image_file(err);
    if (launch->image < 0)
        return -1;
    launch->settings = settings_file(settings, front_argv, err);
    if (launch->settings < 0)
        return -1;
    launch->binary = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    if (launch->binary < 0)
        return err_sys(err, errno, "open this program's own file (is /proc mounted?)");
    return 0;
}

/* Puts the descriptors where the spawner looks for them and becomes it. Uses
 * system calls only: it also runs in a forked child. Returns -errno. */
static int launch_exec(const struct launch *launch)
{
    int fds[SPAWNER_FDS];
    const int from[SPAWNER_FDS] = {
        [SPAWNER_FD_SETTINGS - SPAWNER_FD_FIRST] = launch->settings,
        [SPAWNER_FD_BINARY - SPAWNER_FD_FIRST] = launch->binary,
        [SPAWNER_FD_SOCKET - SPAWNER_FD_FIRST] = launch->socket,
    };
    /* First above all targets, so that no target overwrites a source. */
    int image = fcntl(launch->image, F_DUPFD_CLOEXEC, SPAWNER_FD_FIRST + SPAWNER_FDS);
    if (image < 0)
        return -errno;
    for (int i = 0; i < SPAWNER_FDS; i++)
        fds[i] = from[i] < 0 ? -1 : fcntl(from[i], F_DUPFD_CLOEXEC, SPAWNER_FD_FIRST + SPAWNER_FDS);
    for (int i = 0; i < SPAWNER_FDS; i++) {
        if (fds[i] >= 0 && dup2(fds[i], SPAWNER_FD_FIRST + i) < 0)
            return -errno;
        if (fds[i] < 0)
            (void)close(SPAWNER_FD_FIRST + i);
    }
    char *argv[] = {(char *)"runnel: spawner", NULL};
    return sys_execveat(image, argv, environ);
}

int sandbox_become_spawner(const struct sandbox_settings *settings, char *const *front_argv,
                           struct err *err)
{
    auto_cleanup(launch_close) struct launch launch;
    if (launch_prepare(settings, front_argv, &launch, err) < 0)
        return -1;
    int rc = launch_exec(&launch);
    return err_sys(err, -rc, "start the spawner");
}

static pid_t spawner_child = -1;

int sandbox_start_spawner(const struct sandbox_settings *settings, int *ret_socket, struct err *err)
{
    auto_cleanup(launch_close) struct launch launch;
    char *no_front[] = {NULL};
    if (launch_prepare(settings, no_front, &launch, err) < 0)
        return -1;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_sys(err, errno, "make the spawner's socket");
    auto_close int ours = pair[0];
    launch.socket = pair[1];
    pid_t child = fork();
    if (child < 0)
        return err_sys(err, errno, "start the spawner");
    if (child == 0) {
        (void)launch_exec(&launch);
        _exit(127);
    }
    spawner_child = child;
    *ret_socket = take_fd(&ours);
    return 0;
}

void sandbox_stop_spawner(int socket)
{
    fd_close(&socket);
    if (spawner_child < 0)
        return;
    while (waitpid(spawner_child, NULL, 0) < 0 && errno == EINTR)
        ;
    spawner_child = -1;
}
