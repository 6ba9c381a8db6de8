/* SPDX-License-Identifier: MIT */
/* Clients of a program that runs: the real server, dialects and engine, over an executor that
 * is played. A step a line:
 *
 *     s BODY      POST /session             a         a socket at the newest run, as a session's
 *     n BODY      a run of our own          o, b      … as a run's: text, or bytes
 *     i ID, f N   the run's events, from a  t, B, r   a text, some bytes, or anything at all, into
 *                 Last-Event-ID, or ?from=            the newest socket
 *     p TEXT      the program prints        e         it ends
 *     x           the newest client leaves
 *
 * What is asked is answered, and not with 500; numbers of events rise, from the one that was
 * asked for; in the end nothing runs. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dialect/runs.h"
#include "dialect/session.h"
#include "fake_executor.h"
#include "language/language.h"
#include "loop/loop.h"
#include "observe/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum {
    QUIET_TURNS = 8,
    CLIENTS_MAX = 6,
    RUNS_MAX = 4,
    HEARD_MAX = 64 * 1024,
    HEAD_MAX = 8192,
    STEPS_MAX = 64
};

struct client {
    int fd;
    struct loop_watch *watch;
    uint64_t from; /* of events; else UINT64_MAX */
    size_t heard;
    char text[HEARD_MAX + 1];
};

static struct world {
    struct loop *loop;
    struct http_server *server;
    struct loop_task *turn;
    unsigned quiet; /* turns of the loop since something came */
    struct executor *executor;
    struct engine *engine;
    struct catalogue *catalogue;
    struct session_dialect session;
    struct runs runs;
    size_t started; /* stages that were told so */
    struct run *made[RUNS_MAX];
    size_t made_count;
    struct client clients[CLIENTS_MAX];
    size_t client_count;
} world;

/* ---- the loop's turns ---- */

static struct fake_stage *stage(void)
{
    struct fake_stage *newest = fake_stage_newest(world.executor);
    return newest && !newest->ended && !newest->killed ? newest : NULL;
}

static void start_stage(void)
{
    size_t started = CONTAINER_OF(world.executor, struct fake_executor, executor)->stages_started;
    if (started == world.started)
        return;
    world.started = started;
    world.quiet = 0;
    if (stage())
        fake_stage_start(stage());
}

static void on_turn(void *context)
{
    (void)context;
    start_stage();
    if (++world.quiet < QUIET_TURNS)
        loop_task_schedule(world.turn);
    else
        loop_stop(world.loop);
}

static void turn(void)
{
    world.quiet = 0;
    loop_task_schedule(world.turn);
    loop_run(world.loop);
}

/* ---- clients ---- */

static void on_readable(void *context, unsigned ready)
{
    struct client *client = context;
    char rest[16 * 1024];
    size_t room = HEARD_MAX - client->heard;
    (void)ready;
    ssize_t got = room > 0 ? recv(client->fd, client->text + client->heard, room, MSG_DONTWAIT)
                           : recv(client->fd, rest, sizeof rest, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) { /* and so for ever */
        loop_watch_set(client->watch, 0);
        return;
    }
    world.quiet = 0;
    client->heard += room > 0 ? (size_t)got : 0;
}

/* The numbers in "id: N" lines, each behind the one before. */
static void look_at_events(const struct client *client)
{
    uint64_t before = 0;
    const char *at = strstr(client->text, "\r\n\r\n");
    while (at && (at = strstr(at + 1, "\nid: "))) {
        uint64_t number = strtoull(at + 5, NULL, 10);
        assert(number > before);
        before = number;
    }
}

/* The answer's status; 0: none has come. */
static int look_at_answer(struct client *client)
{
    client->text[client->heard] = '\0';
    if (client->heard < sizeof "HTTP/1.1 200" - 1)
        return 0;
    assert(strncmp(client->text, "HTTP/1.1 ", 9) == 0);
    int status = (int)strtol(client->text + 9, NULL, 10);
    assert(status != 500);
    if (client->from != UINT64_MAX && status == 200)
        look_at_events(client);
    return status;
}

static void leave(void)
{
    struct client *client = &world.clients[--world.client_count];
    (void)look_at_answer(client);
    loop_watch_free(client->watch);
    (void)close(client->fd);
    turn();
}

static struct client *come(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(world.server, 0)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct linger at_once = {1, 0}; /* or its port would rest for a minute */
    if (world.client_count == CLIENTS_MAX)
        leave();
    struct client *client = &world.clients[world.client_count++];
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    client->heard = 0;
    client->from = UINT64_MAX;
    int rc = connect(client->fd, (struct sockaddr *)&address, sizeof address);
    assert(rc == 0);
    (void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    client->watch = loop_watch_new(world.loop, client->fd, LOOP_READ, on_readable, client);
    return client;
}

static void say(const struct client *client, const void *bytes, size_t len)
{
    (void)send(client->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- what they ask for ---- */

static const char *newest_run(void)
{
    return run_id(world.made[world.made_count - 1]);
}

static void note_run(void *context, struct run *run)
{
    (void)context;
    for (size_t i = 0; i < world.made_count; i++)
        if (world.made[i] == run)
            return;
    assert(world.made_count < RUNS_MAX);
    world.made[world.made_count++] = run;
}

static void post_session(struct slice body)
{
    char head[256];
    if (world.made_count == RUNS_MAX)
        return;
    size_t before = world.made_count;
    struct client *client = come();
    int len = snprintf(head, sizeof head,
                       "POST /session HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n"
                       "Content-Type: application/json\r\n\r\n",
                       body.len);
    say(client, head, (size_t)len);
    say(client, body.at, body.len);
    turn();
    engine_each(world.engine, note_run, NULL);
    int status = look_at_answer(client);
    assert(status == (world.made_count > before ? 200 : 400));
    leave();
}

static void new_run(struct slice source)
{
    struct err err;
    const struct run_spec spec = {.language = catalogue_at(world.catalogue, 0),
                                  .profile = PROFILE_LIVE,
                                  .source = source,
                                  .input_stays_open = true,
                                  .streaming = true,
                                  .tty = source.len > 0 && source.at[0] == 't'};
    if (world.made_count == RUNS_MAX)
        return;
    world.made[world.made_count] = engine_submit(world.engine, &spec, &err);
    assert(world.made[world.made_count]);
    world.made_count++;
    turn();
}

static void open_socket(const char *path, const char *end, const char *header)
{
    char head[512];
    struct client *client = come();
    int len = snprintf(head, sizeof head,
                       "GET %s%s%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                       path, newest_run(), end, header);
    say(client, head, (size_t)len);
    turn();
}

/* As the request's line, or its header; what is no HTTP any more is refused. */
static void ask_for_events(bool by_header, struct slice where)
{
    char head[HEAD_MAX];
    struct client *client = come();
    int len = snprintf(head, sizeof head,
                       "GET /v1/runs/%s/events%s%.*s HTTP/1.1\r\nHost: localhost\r\n%s%.*s%s\r\n",
                       newest_run(), by_header ? "" : "?from=", by_header ? 0 : (int)where.len,
                       where.at, by_header ? "Last-Event-ID: " : "", by_header ? (int)where.len : 0,
                       where.at, by_header ? "\r\n" : "");
    if (len < 0 || len >= (int)sizeof head)
        return;
    client->from = 0;
    say(client, head, (size_t)len);
    turn();
}

static void send_frame(uint8_t opcode, struct slice payload)
{
    uint8_t head[14] = {(uint8_t)(0x80 | opcode)};
    size_t len = 2;
    if (payload.len < 126) {
        head[1] = (uint8_t)(0x80 | payload.len);
    } else {
        head[1] = 0x80 | 127;
        for (int i = 0; i < 8; i++)
            head[2 + i] = (uint8_t)((uint64_t)payload.len >> (56 - 8 * i));
        len = 10;
    }
    const struct client *client = &world.clients[world.client_count - 1];
    say(client, head, len + 4); /* with a mask of zeros */
    say(client, payload.at, payload.len);
    turn();
}

/* ---- steps ---- */

static void program_step(char letter, struct slice rest)
{
    struct fake_stage *live = stage();
    if (!live)
        return;
    if (letter == 'e')
        fake_stage_exit(live, (int)(rest.len % 3));
    else if (!live->paused)
        fake_stage_print(live, rest.len % 2, rest);
    turn();
}

static void socket_step(char letter, struct slice rest)
{
    if (world.client_count == 0)
        return;
    if (letter == 't' || letter == 'B') {
        send_frame(letter == 't' ? 1 : 2, rest);
        return;
    }
    if (letter == 'x') {
        leave();
        return;
    }
    say(&world.clients[world.client_count - 1], rest.at, rest.len);
    turn();
}

static void take_step(char letter, struct slice rest)
{
    if (world.made_count == 0 && strchr("aobif", letter))
        return; /* of runs that the engine has not, the store would be asked */
    switch (letter) {
    case 's':
        post_session(rest);
        break;
    case 'n':
        new_run(rest);
        break;
    case 'a':
        open_socket("/ws/session/", "", "");
        break;
    case 'o':
    case 'b':
        open_socket("/v1/runs/", "/stream",
                    letter == 'b' ? "Sec-WebSocket-Protocol: runnel.bytes\r\n" : "");
        break;
    case 'i':
    case 'f':
        ask_for_events(letter == 'i', rest);
        break;
    case 'p':
    case 'e':
        program_step(letter, rest);
        break;
    default:
        socket_step(letter, rest);
    }
}

/* ---- one input ---- */

static void make_engine(void)
{
    static const char language[] =
        "name = python\ntitle = Python\nextensions = py\nsource = main.py\n"
        "execute = /bin/sh {source} {args}\nrequires = /bin/sh\npackages = dash\n";
    const struct engine_config config = {
        .concurrency = RUNS_MAX, .queue_length = RUNS_MAX, .keep_ms = 3600000};
    struct err err = {0};
    world.executor = fake_executor_new(world.loop);
    world.engine = engine_new(world.loop, &config, world.executor, &err);
    world.catalogue = catalogue_new();
    int rc = catalogue_load_text(world.catalogue, "python.lang", slice_of(language), &err);
    assert(rc == 0 && world.engine);
    world.session = (struct session_dialect){world.engine, world.catalogue};
    world.runs =
        (struct runs){.loop = world.loop, .engine = world.engine, .catalogue = world.catalogue};
}

static void ignore_line(const char *line, unsigned long len)
{
    (void)line, (void)len;
}

static void set_up(void)
{
    static const struct http_listener listener = {"127.0.0.1", 0, NULL};
    static const struct http_mount mounts[] = {{SESSION_NAME, session_routes, &world.session},
                                               {RUNS_NAME, runs_routes, &world.runs}};
    static const struct http_config config = {.listeners = &listener,
                                              .listener_count = 1,
                                              .mounts = mounts,
                                              .mount_count = 2,
                                              .max_connections = 1024,
                                              .timeout_s = 60};
    struct err err = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    log_set_sink(ignore_line);
    world.loop = loop_new();
    make_engine();
    world.server = http_server_new(world.loop, &config, &err);
    int rc = world.server ? http_server_start(world.server, &err) : -1;
    assert(rc == 0);
    world.turn = loop_task_new(world.loop, on_turn, NULL);
}

static void end_all(void)
{
    const struct fake_executor *executor =
        CONTAINER_OF(world.executor, struct fake_executor, executor);
    while (world.client_count > 0)
        leave();
    for (size_t i = 0; i < world.made_count; i++)
        run_cancel(world.made[i], "the input has ended");
    turn();
    while (world.made_count > 0) {
        assert(run_result(world.made[world.made_count - 1]));
        run_forget(world.made[--world.made_count]);
    }
    turn();
    assert(engine_running(world.engine) == 0 && engine_queued(world.engine) == 0);
    assert(executor->stages_live == 0 && executor->workspaces == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *at = (const char *)bytes;
    const char *end = at + size;
    if (!world.loop)
        set_up();
    for (int steps = 0; at < end && steps < STEPS_MAX; steps++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct slice line = {at, (size_t)((newline ? newline : end) - at)};
        if (line.len > 0)
            take_step(line.at[0], (struct slice){line.at + 1, line.len - 1});
        at += line.len + 1;
    }
    end_all();
    return 0;
}
