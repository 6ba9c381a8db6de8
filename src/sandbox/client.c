/* SPDX-License-Identifier: MIT */
#include "sandbox/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/util.h"
#include "os/fd.h"
#include "sandbox/message.h"

/* One request at a time is written here: the front has one thread. */
static char message_space[MESSAGE_SIZE_MAX];

static struct message_writer start_request(enum request_kind kind, uint32_t id)
{
    struct message_writer to = {.at = message_space, .room = sizeof message_space};
    write_header(&to, kind, id);
    return to;
}

/* A kernel that has no memory for a message may have it in a moment. Till then the front stands
 * still: of what it has to say, that a box must end or a workspace is to go, nothing may be lost.
 */
static int send_patiently(int socket, const struct message_writer *message, const int *fds,
                          size_t fd_count)
{
    enum { TRIES = 100 };
    const struct timespec nap = {.tv_nsec = 10 * (long)NS_PER_MS};
    int rc = 0;
    for (int i = 0; i < TRIES; i++) {
        rc = fd_send(socket, message->at, message->len, fds, fd_count);
        if (rc != -ENOMEM && rc != -ENOBUFS)
            return rc;
        (void)nanosleep(&nap, NULL);
    }
    return rc;
}

static int send_request(int socket, const struct message_writer *message, const int *fds,
                        size_t fd_count, struct err *err)
{
    if (message->failed)
        return err_set(err, ERR_TOO_LARGE,
                       "arguments, environment and file names are longer than %d bytes together",
                       MESSAGE_SIZE_MAX);
    int rc = send_patiently(socket, message, fds, fd_count);
    return rc < 0 ? err_sys(err, -rc, "cannot reach the spawner") : 0;
}

static int send_bare(int socket, enum request_kind kind, uint32_t id, struct err *err)
{
    struct message_writer to = start_request(kind, id);
    return send_request(socket, &to, NULL, 0, err);
}

/* The files' bytes, one behind the other, in an anonymous file. */
static int files_content(const struct sandbox_workspace *spec, struct err *err)
{
    auto_close int fd = memfd_create("files", MFD_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno, "make a file for the sources");
    for (size_t i = 0; i < spec->file_count; i++) {
        int rc = fd_write_full(fd, spec->files[i].content.at, spec->files[i].content.len);
        if (rc < 0)
            return err_sys(err, -rc, "copy the sources");
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_sys(err, errno, "copy the sources");
    return take_fd(&fd);
}

int sandbox_workspace_open(int socket, uint32_t workspace, const struct sandbox_workspace *spec,
                           struct err *err)
{
    if (spec->file_count > TEXTS_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d files", TEXTS_MAX);
    auto_free const char **paths = calloc(spec->file_count + 1, sizeof *paths);
    auto_free uint64_t *sizes = calloc(spec->file_count + 1, sizeof *sizes);
    if (!paths || !sizes)
        return err_sys(err, ENOMEM, "open a workspace");
    for (size_t i = 0; i < spec->file_count; i++) {
        paths[i] = spec->files[i].path;
        sizes[i] = spec->files[i].content.len;
    }
    auto_close int content = files_content(spec, err);
    if (content < 0)
        return -1;
    struct workspace_open_message message = {
        .bytes = spec->bytes,
        .inodes = spec->inodes,
        .paths = paths,
        .sizes = {(const char *)sizes, spec->file_count * sizeof *sizes},
    };
    struct message_writer to = start_request(REQUEST_WORKSPACE_OPEN, workspace);
    write_workspace_open(&to, &message);
    return send_request(socket, &to, &content, 1, err);
}

int sandbox_workspace_close(int socket, uint32_t workspace, struct err *err)
{
    return send_bare(socket, REQUEST_WORKSPACE_CLOSE, workspace, err);
}

int sandbox_workspace_collect(int socket, uint32_t workspace, const struct sandbox_collect *spec,
                              struct err *err)
{
    struct workspace_collect_message message = {
        .folder = spec->folder, .max_files = spec->max_files, .max_bytes = spec->max_bytes};
    struct message_writer to = start_request(REQUEST_WORKSPACE_COLLECT, workspace);
    write_workspace_collect(&to, &message);
    return send_request(socket, &to, NULL, 0, err);
}

int sandbox_stage_start(int socket, uint32_t stage, uint32_t workspace,
                        const struct sandbox_stage *spec, const int stdio[3], struct err *err)
{
    struct stage_start_message message = {
        .workspace = workspace,
        .rootfs = spec->rootfs,
        .flags =
            (spec->tty ? STAGE_FLAG_TTY : 0U) | (spec->whole_proc ? STAGE_FLAG_WHOLE_PROC : 0U),
        .limits = spec->limits,
        .argv = spec->argv,
        .env = spec->env,
    };
    struct message_writer to = start_request(REQUEST_STAGE_START, stage);
    write_stage_start(&to, &message);
    return send_request(socket, &to, stdio, 3, err);
}

int sandbox_stage_kill(int socket, uint32_t stage, struct err *err)
{
    return send_bare(socket, REQUEST_STAGE_KILL, stage, err);
}

int sandbox_stage_signal(int socket, uint32_t stage, int signal, struct err *err)
{
    struct stage_signal_message message = {.signal = (uint32_t)signal};
    struct message_writer to = start_request(REQUEST_STAGE_SIGNAL, stage);
    write_stage_signal(&to, &message);
    return send_request(socket, &to, NULL, 0, err);
}

int sandbox_stage_sample(int socket, uint32_t stage, struct err *err)
{
    return send_bare(socket, REQUEST_STAGE_SAMPLE, stage, err);
}

int sandbox_stage_probe(int socket, uint32_t stage, struct err *err)
{
    return send_bare(socket, REQUEST_STAGE_PROBE, stage, err);
}

/* What was found comes with one descriptor, and nothing else with any. */
static int only_descriptor(const struct sandbox_reply *reply, int *fds, size_t count)
{
    int kept = reply->kind == REPLY_FOUND && count > 0 ? fds[0] : -1;
    for (size_t i = kept >= 0 ? 1 : 0; i < count; i++)
        fd_close(&fds[i]);
    return kept;
}

int sandbox_receive(int socket, struct sandbox_reply *ret_reply, struct err *err)
{
    int fds[FD_PASS_MAX];
    size_t fd_count = 0;
    memset(ret_reply, 0, sizeof *ret_reply);
    ssize_t got = fd_receive(socket, ret_reply, sizeof *ret_reply, fds, &fd_count);
    if (got == -EAGAIN || got == -ENOMEM || got == -ENOBUFS) /* it stays there for the next time */
        return 0;
    ret_reply->fd = only_descriptor(ret_reply, fds, fd_count);
    ret_reply->path[sizeof ret_reply->path - 1] = '\0';
    if (got >= (ssize_t)offsetof(struct sandbox_reply, path) || got == -EMFILE)
        return 1;
    fd_close(&ret_reply->fd);
    if (got <= 0)
        return err_set(err, ERR_INTERNAL, "the spawner has ended");
    return err_set(err, ERR_INTERNAL, "a reply of %zd bytes came from the spawner", got);
}

int sandbox_receive_report(int socket, struct layer_report *ret_report, struct err *err)
{
    enum { REPORT_WAIT_MS = 30000 };
    struct pollfd ready = {.fd = socket, .events = POLLIN};
    int rc = 0;
    do {
        rc = poll(&ready, 1, REPORT_WAIT_MS);
    } while (rc < 0 && errno == EINTR);
    memset(ret_report, 0, sizeof *ret_report);
    struct report_message message;
    ssize_t got = rc > 0 ? recv(socket, &message, sizeof message, 0) : 0;
    if (got != (ssize_t)sizeof message)
        return err_set(err, ERR_UNAVAILABLE, "the spawner did not start");
    *ret_report = message.report;
    message.refusal[sizeof message.refusal - 1] = '\0';
    if (message.refusal[0] != '\0')
        return err_set(err, ERR_UNAVAILABLE, "%s", message.refusal);
    return 0;
}

int sandbox_inherited_socket(void)
{
    const char *number = getenv(SPAWNER_SOCKET_VARIABLE);
    uint64_t fd = 0;
    if (!number || parse_u64(number, &fd) < 0 || fd > 1024 || fcntl((int)fd, F_GETFD) < 0)
        return -1;
    (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    return (int)fd;
}
