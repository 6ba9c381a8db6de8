/* SPDX-License-Identifier: MIT */
/* spawner_requests.c — the closed table of what can be asked, checked again.
 *
 * A handler returns 1 when the request was carried out, or was right and failed
 * (which its stage will say), and -errno when no front of ours would have sent
 * it: an id that is in use, a descriptor of the wrong kind, a plan that does not
 * parse.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "os/fd.h"
#include "sandbox/spawner.h"

/* A run has one workspace, and in it one stage at a time: those that have ended count
 * until the front was told. */
enum { PIPE_FILES = 0x50495045, TERMINAL_FILES = 0x1cd1, WORKSPACES_A_BOX = 4 };

static char message_space[MESSAGE_SIZE_MAX];
static const char *text_space[2 * (TEXTS_MAX + 1)];

struct request {
    uint32_t id;
    struct message_reader *from;
    int *fds; /* as many as the table says; what a handler takes it sets to -1 */
};

static size_t workspaces_max(const struct spawner *spawner)
{
    return (size_t)spawner->settings.max_boxes * WORKSPACES_A_BOX;
}

/* Only what can be sealed, a memfd or a file of a tmpfs: reading it waits for nothing. */
static bool is_in_memory(int fd)
{
    return fcntl(fd, F_GET_SEALS) >= 0;
}

static int open_workspace(struct spawner *spawner, const struct request *request)
{
    struct workspace_open_message message;
    int rc = read_workspace_open(request->from, &message);
    if (rc < 0)
        return rc;
    if (spawner_find_workspace(spawner, request->id) || !is_in_memory(request->fds[0]) ||
        spawner->workspace_count >= workspaces_max(spawner))
        return -EINVAL;
    return spawner_make_workspace(spawner, request->id, &message, request->fds[0]) ? 1 : -ENOMEM;
}

static int close_workspace(struct spawner *spawner, const struct request *request)
{
    struct spawner_workspace *workspace = spawner_find_workspace(spawner, request->id);
    if (!workspace || read_end(request->from) < 0)
        return -EINVAL;
    workspace->closed = true;
    spawner_release_workspace(spawner, workspace);
    return 1;
}

static int collect_workspace(struct spawner *spawner, const struct request *request)
{
    struct workspace_collect_message message;
    int rc = read_workspace_collect(request->from, &message);
    if (rc < 0)
        return rc;
    struct spawner_workspace *workspace = spawner_find_workspace(spawner, request->id);
    if (!workspace || workspace->stages > 0 || workspace->collected ||
        !workspace_path_is_plain(message.folder))
        return -EINVAL;
    rc = spawner_collect(spawner, workspace, &message);
    return rc < 0 ? rc : 1;
}

/* A pipe or a terminal of the front's own making, which become the box's; never
 * a file, a socket or the operator's terminal, whose owner must not change
 * because a front says so. A front that is our parent is the operator. 1, 0, or
 * -ENOMEM: it is not known. */
static int is_program_stream(const struct spawner *spawner, int fd, bool tty)
{
    struct statfs files;
    struct stat status;
    if (fstatfs(fd, &files) < 0 || fstat(fd, &status) < 0)
        return errno == ENOMEM ? -ENOMEM : 0;
    if (spawner->front >= 0 && spawner->privileged && status.st_uid != spawner->report.front_uid)
        return 0;
    if (tty)
        return files.f_type == TERMINAL_FILES && S_ISCHR(status.st_mode);
    return files.f_type == PIPE_FILES && S_ISFIFO(status.st_mode);
}

static int start_stage(struct spawner *spawner, const struct request *request)
{
    struct stage_start_message message;
    int rc = read_stage_start(request->from, &message);
    if (rc < 0)
        return rc;
    struct spawner_workspace *workspace = spawner_find_workspace(spawner, message.workspace);
    if (!workspace || workspace->collected || spawner_find_stage(spawner, request->id) ||
        !message.argv[0] || message.rootfs > spawner->tree_count ||
        (message.flags & ~(unsigned)STAGE_FLAGS_ALL) ||
        spawner->stage_count >= workspaces_max(spawner))
        return -EINVAL;
    for (int i = 0; i < 3; i++) {
        rc = is_program_stream(spawner, request->fds[i], message.flags & STAGE_FLAG_TTY);
        if (rc == 0)
            return -EINVAL;
        if (rc < 0) /* no stage of this run is started any more, and that is how it is told */
            workspace->error = rc;
    }
    return spawner_start_stage(spawner, request->id, workspace, &message, request->fds, NULL)
               ? 1
               : -ENOMEM;
}

/* About a stage that has just ended there is nothing left to ask: its front
 * could not know yet. */
static int kill_stage(struct spawner *spawner, const struct request *request)
{
    struct spawner_stage *stage = spawner_find_stage(spawner, request->id);
    if (read_end(request->from) < 0)
        return -EINVAL;
    if (stage)
        spawner_kill_stage(stage);
    return 1;
}

static int signal_stage(struct spawner *spawner, const struct request *request)
{
    struct stage_signal_message message;
    int rc = read_stage_signal(request->from, &message);
    if (rc < 0 || message.signal == 0 || message.signal > SIGNALS_MAX)
        return -EINVAL;
    struct spawner_stage *stage = spawner_find_stage(spawner, request->id);
    if (stage)
        spawner_signal_stage(spawner, stage, (int)message.signal);
    return 1;
}

static int sample_stage(struct spawner *spawner, const struct request *request)
{
    struct spawner_stage *stage = spawner_find_stage(spawner, request->id);
    if (read_end(request->from) < 0)
        return -EINVAL;
    if (stage)
        spawner_sample_stage(stage);
    return 1;
}

static int probe_stage(struct spawner *spawner, const struct request *request)
{
    struct spawner_stage *stage = spawner_find_stage(spawner, request->id);
    if (read_end(request->from) < 0)
        return -EINVAL;
    if (stage)
        spawner_probe_stage(spawner, stage);
    return 1;
}

static int (*const handlers[])(struct spawner *spawner, const struct request *request) = {
    [REQUEST_WORKSPACE_OPEN] = open_workspace,
    [REQUEST_WORKSPACE_CLOSE] = close_workspace,
    [REQUEST_WORKSPACE_COLLECT] = collect_workspace,
    [REQUEST_STAGE_START] = start_stage,
    [REQUEST_STAGE_KILL] = kill_stage,
    [REQUEST_STAGE_SIGNAL] = signal_stage,
    [REQUEST_STAGE_SAMPLE] = sample_stage,
    [REQUEST_STAGE_PROBE] = probe_stage,
};
_Static_assert(ARRAY_LEN(handlers) == REQUEST_KINDS, "a request without a handler");

static int handle(struct spawner *spawner, size_t size, int *fds, size_t fd_count)
{
    struct message_reader from = {.at = message_space,
                                  .end = message_space + size,
                                  .texts = text_space,
                                  .texts_room = ARRAY_LEN(text_space)};
    struct request_header header;
    int rc = read_header(&from, &header);
    if (rc < 0)
        return rc;
    if (request_fd_count((enum request_kind)header.kind) != fd_count)
        return -EINVAL;
    struct request request = {.id = header.id, .from = &from, .fds = fds};
    return handlers[header.kind](spawner, &request);
}

int spawner_take_request(struct spawner *spawner)
{
    int fds[FD_PASS_MAX] = {-1, -1, -1, -1, -1, -1, -1, -1};
    size_t fd_count = 0;
    if (spawner->socket < 0)
        return -EAGAIN;
    ssize_t got = fd_receive(spawner->socket, message_space, sizeof message_space, fds, &fd_count);
    if (got == 0 || got == -ECONNRESET)
        return 0;
    if (got == -ENOMEM || got == -ENOBUFS) /* it is still there, and may be had the next time */
        return -EAGAIN;
    int rc = got < 0 ? (int)got : handle(spawner, (size_t)got, fds, fd_count);
    for (size_t i = 0; i < fd_count; i++)
        fd_close(&fds[i]);
    return rc;
}
