/* SPDX-License-Identifier: MIT */
#include "native_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/fd.h"

static struct fixture *now; /* the fakes below have no context of their own */

int sandbox_workspace_open(int socket, uint32_t workspace, const struct sandbox_workspace *spec,
                           struct err *err)
{
    (void)socket, (void)workspace, (void)spec, (void)err;
    return 0;
}

int sandbox_workspace_close(int socket, uint32_t workspace, struct err *err)
{
    (void)socket, (void)workspace, (void)err;
    now->closed_workspaces++;
    return 0;
}

int sandbox_workspace_collect(int socket, uint32_t workspace, const struct sandbox_collect *spec,
                              struct err *err)
{
    (void)socket, (void)spec;
    if (now->lost > 0)
        return err_set(err, ERR_UNAVAILABLE, "gone");
    now->workspace_id = workspace;
    return 0;
}

int sandbox_stage_start(int socket, uint32_t stage, uint32_t workspace,
                        const struct sandbox_stage *spec, const int stdio[3], struct err *err)
{
    (void)socket, (void)workspace;
    if (now->lost > 0)
        return err_set(err, ERR_UNAVAILABLE, "gone");
    now->stage_id = stage;
    now->rootfs = spec->rootfs;
    for (int i = 0; i < 3; i++)
        now->program[i] = fcntl(stdio[i], F_DUPFD_CLOEXEC, 3);
    return 0;
}

int sandbox_stage_kill(int socket, uint32_t stage, struct err *err)
{
    (void)socket, (void)stage, (void)err;
    now->kills++;
    return 0;
}

int sandbox_stage_signal(int socket, uint32_t stage, int signal, struct err *err)
{
    (void)socket, (void)stage, (void)signal, (void)err;
    return 0;
}

int sandbox_stage_sample(int socket, uint32_t stage, struct err *err)
{
    (void)socket, (void)stage, (void)err;
    return 0;
}

int sandbox_stage_probe(int socket, uint32_t stage, struct err *err)
{
    (void)socket, (void)stage, (void)err;
    now->probes++;
    return 0;
}

int sandbox_receive(int socket, struct sandbox_reply *ret_reply, struct err *err)
{
    ssize_t got = recv(socket, ret_reply, sizeof *ret_reply, MSG_DONTWAIT);
    if (got == (ssize_t)sizeof *ret_reply)
        return 1;
    if (got < 0 && errno == EAGAIN)
        return 0;
    return err_set(err, ERR_UNAVAILABLE, "the spawner is gone");
}

static void on_started(void *context)
{
    ((struct fixture *)context)->started++;
}

static void on_output(void *context, enum stage_stream stream, struct slice bytes)
{
    struct fixture *fixture = context;
    buf_add_slice(&fixture->out[stream], bytes);
    fixture->largest = MAX(fixture->largest, bytes.len);
    if (fixture->pause_in_output)
        fixture->executor->ops->stage_pause(fixture->stage, true);
    if (fixture->free_in_output) {
        executor_stage_free(fixture->stage);
        fixture->stage = NULL;
    }
}

static void on_input_ready(void *context)
{
    ((struct fixture *)context)->input_ready++;
}

static void on_probed(void *context, bool waiting)
{
    struct fixture *fixture = context;
    fixture->probed++;
    fixture->waiting = waiting;
}

static void on_ended(void *context, const struct stage_end *end)
{
    struct fixture *fixture = context;
    fixture->ended++;
    fixture->end = *end;
    executor_stage_free(fixture->stage);
    fixture->stage = NULL;
}

static void on_lost(void *context, const struct err *why)
{
    assert_string_not_equal(why->text, "");
    ((struct fixture *)context)->lost++;
}

const struct stage_events events = {
    .started = on_started,
    .output = on_output,
    .input_ready = on_input_ready,
    .probed = on_probed,
    .ended = on_ended,
};

static void on_late(void *context)
{
    struct fixture *fixture = context;
    fixture->late = true;
    loop_stop(fixture->loop);
}

void turn(struct fixture *fixture)
{
    loop_timer_start(fixture->timer, 20);
    loop_run(fixture->loop);
}

int set_up(void **state)
{
    static const char *const trees[] = {"/srv/one", "/srv/two", NULL};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    int ends[2];
    struct err err;
    *state = now = fixture;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    fixture->spawner = ends[1];
    for (int i = 0; i < 3; i++)
        fixture->program[i] = -1;
    for (int i = 0; i < STAGE_STREAMS; i++)
        buf_init(&fixture->out[i], 64 * MIB);
    fixture->loop = loop_new();
    fixture->timer = loop_timer_new(fixture->loop, on_late, fixture);
    struct native_config config = {
        .isolation = "full", .rootfs = trees, .lost = on_lost, .lost_context = fixture};
    assert_int_equal(native_executor_new(fixture->loop, ends[0], &config, &fixture->executor, &err),
                     0);
    struct workspace_spec spec = {.bytes = MIB, .inodes = 16};
    fixture->workspace = executor_workspace_open(fixture->executor, &spec, &err);
    assert_non_null(fixture->workspace);
    return 0;
}

int tear_down(void **state)
{
    struct fixture *fixture = *state;
    executor_stage_free(fixture->stage);
    executor_workspace_close(fixture->workspace);
    fixture->executor->ops->executor_free(fixture->executor);
    loop_timer_free(fixture->timer);
    loop_free(fixture->loop);
    fd_close(&fixture->spawner);
    for (int i = 0; i < 3; i++)
        fd_close(&fixture->program[i]);
    for (int i = 0; i < STAGE_STREAMS; i++)
        buf_fini(&fixture->out[i]);
    free(fixture);
    return 0;
}

void start_with(struct fixture *fixture, const char *program, bool tty)
{
    const char *argv[] = {program, NULL};
    const char *env[] = {NULL};
    struct stage_spec spec = {.argv = argv, .env = env, .tty = tty};
    struct err err = {0};
    fixture->stage = executor_stage_start(fixture->workspace, &spec, &events, fixture, &err);
    assert_string_equal(err.text, "");
    assert_non_null(fixture->stage);
}

void start(struct fixture *fixture)
{
    start_with(fixture, "/usr/bin/program", false);
}

void reply(struct fixture *fixture, struct sandbox_reply reply)
{
    reply.id = fixture->stage_id;
    assert_int_equal(send(fixture->spawner, &reply, sizeof reply, 0), sizeof reply);
}

void say(struct fixture *fixture, enum stage_stream stream, const char *text)
{
    ssize_t len = (ssize_t)strlen(text);
    assert_int_equal(write(fixture->program[stream + 1], text, (size_t)len), len);
}

size_t flood(struct fixture *fixture, enum stage_stream stream)
{
    static const char block[4096];
    size_t sum = 0;
    ssize_t put;
    int fd = fixture->program[stream + 1];
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    while ((put = write(fd, block, sizeof block)) > 0)
        sum += (size_t)put;
    return sum;
}

void die(struct fixture *fixture)
{
    for (int i = 0; i < 3; i++)
        fd_close(&fixture->program[i]);
    reply(fixture, (struct sandbox_reply){.kind = REPLY_ENDED, .exit_code = 3});
}
