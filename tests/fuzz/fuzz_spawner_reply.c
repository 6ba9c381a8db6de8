/* SPDX-License-Identifier: MIT */
/* What comes over the front's socket from its spawner, to the executor that has two stages and a
 * workspace that is collected. A message is two bytes of length, one that says how many
 * descriptors go with it (and, in its highest bit, whether the bytes are a reply as it lies or
 * short for one), and its bytes. The first is the spawner's report. A stage ends once and says
 * nothing after that; what was found is the run's; and no descriptor stays. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "executor/native.h"
#include "loop/loop.h"
#include "os/fd.h"
#include "sandbox/client.h"
#include "sandbox/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum {
    STAGES = 2,
    HEAD = 3,
    SHORT = 0x80,
    SHORT_SIZE = 8,
    TURNS = 3,
    ITEM_PATH_MAX = 4096,
    DESCRIPTORS_MAX = 64
};

struct played {
    struct stage *stage;
    bool has_ended;
};

static struct world {
    struct loop *loop;
    struct loop_task *turn;
    int turns;
    struct executor *executor;
    struct workspace *workspace; /* of the stages */
    struct workspace *collected;
    struct played stages[STAGES];
    int spawner; /* its end of the socket */
    unsigned lost;
    bool is_collected;
} world;

/* ---- the owner ---- */

static void on_started(void *context)
{
    assert(!((struct played *)context)->has_ended);
}

static void on_output(void *context, enum stage_stream stream, struct slice bytes)
{
    assert(!((struct played *)context)->has_ended && stream < STAGE_STREAMS && bytes.len > 0);
}

static void on_sampled(void *context, const struct stage_usage *usage)
{
    (void)usage;
    assert(!((struct played *)context)->has_ended);
}

static void on_probed(void *context, bool waiting)
{
    (void)waiting;
    assert(!((struct played *)context)->has_ended);
}

static void on_ended(void *context, const struct stage_end *end)
{
    struct played *played = context;
    assert(!played->has_ended && (!end->failed || end->failure.text[0]));
    played->has_ended = true;
}

static void on_item(void *context, const struct collect_item *item)
{
    (void)context;
    assert(!world.is_collected && strlen(item->path) < ITEM_PATH_MAX);
    assert((item->fd < 0) == (item->refusal != NULL));
    if (item->fd >= 0)
        (void)close(item->fd);
}

static void on_collected(void *context, uint64_t unlisted, const struct err *failure)
{
    (void)context, (void)unlisted;
    assert(!world.is_collected && (!failure || failure->text[0]));
    world.is_collected = true;
}

static void on_lost(void *context, const struct err *why)
{
    (void)context;
    assert(world.lost++ == 0 && why->text[0]);
}

/* ---- the loop ---- */

static void on_turn(void *context)
{
    (void)context;
    if (++world.turns < TURNS)
        loop_task_schedule(world.turn);
    else
        loop_stop(world.loop);
}

static void turn(void)
{
    world.turns = 0;
    loop_task_schedule(world.turn);
    loop_run(world.loop);
}

/* ---- the spawner ---- */

/* Whatever it is asked for. */
static void read_requests(void)
{
    static char request[MESSAGE_SIZE_MAX];
    int fds[FD_PASS_MAX];
    size_t count = 0;
    while (fd_receive(world.spawner, request, sizeof request, fds, &count) > 0) {
        for (size_t i = 0; i < count; i++)
            (void)close(fds[i]);
    }
}

/* Kind, id, and what counts; then the path. */
static size_t write_short(const uint8_t *bytes, size_t size, struct sandbox_reply *reply)
{
    uint8_t head[SHORT_SIZE] = {0};
    size_t taken = MIN(size, (size_t)SHORT_SIZE);
    memcpy(head, bytes, taken);
    size_t path = MIN(size - taken, (size_t)SANDBOX_PATH_MAX);
    *reply = (struct sandbox_reply){
        .kind = (enum sandbox_reply_kind)head[0],
        .id = head[1],
        .failed_errno = head[2],
        .exit_code = head[3],
        .signal = head[4],
        .refusal = (enum sandbox_refusal)head[5],
        .size = (uint64_t)head[6] << 56,
        .waiting = head[7] & 1,
        .out_of_memory = head[7] & 2,
        .starved = head[7] & 4,
    };
    if (head[7] & 8)
        memcpy(reply->failed_step, "exec", sizeof "exec");
    if (path > 0)
        memcpy(reply->path, bytes + taken, path);
    return offsetof(struct sandbox_reply, path) + path + 1;
}

/* It is the same build as we are: what is true or false there is nothing else. */
static size_t write_raw(const uint8_t *bytes, size_t size, char *message)
{
    static const size_t flags[] = {offsetof(struct sandbox_reply, waiting),
                                   offsetof(struct sandbox_reply, out_of_memory),
                                   offsetof(struct sandbox_reply, starved)};
    memcpy(message, bytes, size);
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (flags[i] < size)
            message[flags[i]] &= 1;
    }
    return size;
}

static void say(uint8_t with, const uint8_t *bytes, size_t size)
{
    union {
        struct sandbox_reply reply;
        char bytes[2 * sizeof(struct sandbox_reply)];
    } message;
    int fds[FD_PASS_MAX];
    size_t count = with & 7;
    size = MIN(size, sizeof message);
    size = with & SHORT ? write_short(bytes, size, &message.reply)
                        : write_raw(bytes, size, message.bytes);
    for (size_t i = 0; i < count; i++)
        fds[i] = world.spawner; /* any will do */
    (void)fd_send(world.spawner, &message, size, fds, count);
    turn();
    read_requests();
}

/* ---- one input ---- */

static void set_up(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    world.loop = loop_new();
    world.turn = loop_task_new(world.loop, on_turn, NULL);
    turn(); /* what the loop keeps open */
}

static struct workspace *make_workspace(void)
{
    struct err err = {0};
    struct workspace *workspace =
        executor_workspace_open(world.executor, &(struct workspace_spec){0}, &err);
    assert(workspace);
    return workspace;
}

/* Ids are 1 and 2 for the workspaces, then come those of the stages. */
static void begin(int front)
{
    static const struct stage_events events = {.started = on_started,
                                               .output = on_output,
                                               .sampled = on_sampled,
                                               .probed = on_probed,
                                               .ended = on_ended};
    static const struct collect_events found = {on_item, on_collected};
    static const char *const argv[] = {"./program", NULL};
    const struct stage_spec spec = {.argv = argv, .env = argv + 1};
    const struct native_config config = {.isolation = "full", .lost = on_lost};
    struct err err = {0};
    int rc = native_executor_new(world.loop, front, &config, &world.executor, &err);
    assert(rc == 0);
    world.workspace = make_workspace();
    world.collected = make_workspace();
    executor_workspace_collect(world.collected, &(struct collect_spec){"outputs", 4, 4096}, &found,
                               NULL);
    for (size_t i = 0; i < STAGES; i++) {
        struct played *played = &world.stages[i];
        played->has_ended = false;
        played->stage = executor_stage_start(world.workspace, &spec, &events, played, &err);
        assert(played->stage);
    }
    read_requests();
}

static void end(void)
{
    for (size_t i = 0; i < STAGES; i++)
        executor_stage_free(world.stages[i].stage);
    executor_workspace_close(world.workspace);
    executor_workspace_close(world.collected);
    world.executor->ops->executor_free(world.executor);
    turn();
}

/* Of those that an input may have opened. */
static unsigned open_descriptors(void)
{
    unsigned count = 0;
    for (int fd = 3; fd < DESCRIPTORS_MAX; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* What a spawner says first. */
static void hear_report(int front, const uint8_t *bytes, size_t size)
{
    struct layer_report report;
    struct err err = {0};
    if (send(world.spawner, bytes, MIN(size, 2 * sizeof(struct report_message)), 0) < 0)
        return;
    if (size > 0 && sandbox_receive_report(front, &report, &err) < 0)
        assert(err.text[0] && memchr(err.text, '\0', sizeof err.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int pair[2];
    bool is_first = true;
    if (!world.loop)
        set_up();
    world.lost = 0;
    world.is_collected = false;
    unsigned before = open_descriptors();
    int rc = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
    assert(rc == 0);
    world.spawner = pair[1];
    for (; size > HEAD; is_first = false) {
        size_t len = MIN((size_t)bytes[0] | (size_t)bytes[1] << 8, size - HEAD);
        if (is_first) {
            hear_report(pair[0], bytes + HEAD, len);
            begin(pair[0]);
        } else {
            say(bytes[2], bytes + HEAD, len);
        }
        bytes += HEAD + len;
        size -= HEAD + len;
    }
    if (is_first)
        (void)close(pair[0]);
    else
        end();
    (void)close(pair[1]);
    assert(open_descriptors() == before);
    return 0;
}
