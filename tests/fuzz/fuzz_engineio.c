/* SPDX-License-Identifier: MIT */
/* A client and an owner that do anything in any order, on a clock that the input
 * moves. Each input is a list of steps: a letter, and for some of them a byte or
 * a text that ends with a newline. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fake_loop.h"
#include "server/engineio.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* ---- both sides of a session ---- */

static struct world {
    struct loop *loop;
    struct engineio *engineio;
    char sid[21];
    struct engineio_session *polling; /* whose poll waits, else NULL */
    struct engineio_session *framing; /* whose socket is open, else NULL */
    struct engineio_session *owned;   /* whose client is connected, else NULL */
    bool answered;
    bool ws_full;
    bool refuses;
    bool leaves;
    bool pumps;
} world;

static int the_poll;
static int the_other_poll; /* one too many */
static int the_ws;

static void answer_poll(void *poll, const struct engineio_answer *answer)
{
    static const char start[] = "0{\"sid\":\"";
    if (poll == &the_other_poll) {
        assert(!world.polling && answer->status == 400);
        return;
    }
    assert(poll == &the_poll && !world.answered);
    world.answered = true;
    world.polling = NULL;
    if (answer->body.len > 100 && memcmp(answer->body.at, start, sizeof start - 1) == 0)
        memcpy(world.sid, answer->body.at + sizeof start - 1, 20);
}

static bool ws_send(void *ws, struct slice packet)
{
    assert(ws == &the_ws && world.framing);
    assert(packet.len > 0 && !memchr(packet.at, '\x1e', packet.len));
    return !world.ws_full;
}

static void ws_close(void *ws)
{
    assert(ws == &the_ws && world.framing);
    world.framing = NULL;
}

static void emit(void)
{
    static const char argument[] = "\"0123456789012345678901234567890123456789\"";
    (void)engineio_emit(world.owned, "output", (struct slice){argument, sizeof argument - 1});
}

static void *connected(void *context, struct engineio_session *session)
{
    assert(context == &world && !world.owned);
    if (world.refuses)
        return NULL;
    world.owned = session;
    emit();
    return &world;
}

static void leave(void)
{
    struct engineio_session *session = world.owned;
    world.owned = NULL;
    engineio_disconnect(session);
}

static void event(void *owner, struct slice name, const json_t *argument)
{
    (void)argument;
    assert(owner == &world && world.owned && name.at);
    emit();
    if (world.leaves)
        leave();
}

static void writable(void *owner)
{
    assert(owner == &world && world.owned);
    if (world.pumps)
        emit();
}

static void closed(void *owner)
{
    assert(owner == &world && world.owned);
    world.owned = NULL;
}

/* ---- steps ---- */

static struct engineio_query query_of(const char *method, const char *transport)
{
    return (struct engineio_query){.eio = "4",
                                   .transport = transport,
                                   .sid = world.sid,
                                   .method = slice_of(method),
                                   .upgrade = transport[0] == 'w'};
}

/* One session at a time: another starts only when this one has ended. */
static void poll(void)
{
    struct engineio_query query = query_of("GET", "polling");
    if (world.polling) {
        (void)engineio_poll_arrived(world.engineio, &query, &the_other_poll);
        assert(!world.polling);
        return;
    }
    if (engineio_count(world.engineio) == 0)
        world.sid[0] = '\0';
    world.answered = false;
    world.polling = engineio_poll_arrived(world.engineio, &query, &the_poll);
    assert((world.polling != NULL) != world.answered);
}

static void post(struct slice text)
{
    struct engineio_query query = query_of("POST", "polling");
    struct engineio_answer answer = engineio_post_arrived(world.engineio, &query, text);
    assert(answer.status == 200 || answer.status == 400);
}

static void arrive(void)
{
    struct engineio_query query = query_of("GET", "websocket");
    struct engineio_answer answer;
    if (engineio_count(world.engineio) == 0)
        world.sid[0] = '\0';
    else if (world.sid[0] == '\0')
        return; /* of a session that has only a socket */
    struct engineio_session *session = engineio_ws_arrived(world.engineio, &query, &answer);
    if (!session)
        return;
    assert(!world.framing);
    world.framing = session;
    engineio_ws_opened(session, &the_ws);
}

static void lose(void)
{
    struct engineio_session *session = world.framing;
    world.framing = NULL;
    engineio_ws_closed(session);
}

static void leave_poll(void)
{
    struct engineio_session *session = world.polling;
    world.polling = NULL;
    engineio_poll_gone(session);
}

/* What the step needs is there, or it is left out. */
static void step(char letter, struct slice text)
{
    switch (letter) {
    case 'p':
        poll();
        break;
    case 'P':
        post(text);
        break;
    case 'w':
        arrive();
        break;
    case 'W':
        if (world.framing)
            engineio_ws_text(world.framing, text);
        break;
    case 'b':
        if (world.framing)
            engineio_ws_binary(world.framing);
        break;
    case 'd':
        if (world.framing)
            engineio_ws_drained(world.framing);
        break;
    case 'c':
        if (world.framing)
            lose();
        break;
    case 'g':
        if (world.polling)
            leave_poll();
        break;
    case 'e':
        if (world.owned)
            emit();
        break;
    case 'l':
        if (world.owned)
            leave();
        break;
    case 't':
        fake_loop_advance(world.loop, (text.len + 1) * 5000);
        break;
    case 's':
        fake_loop_settle(world.loop);
        break;
    case 'F':
        world.ws_full = !world.ws_full;
        break;
    case 'R':
        world.refuses = !world.refuses;
        break;
    case 'L':
        world.leaves = !world.leaves;
        break;
    case 'U':
        world.pumps = !world.pumps;
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct engineio_transport_ops transport = {answer_poll, ws_send, ws_close};
    static const struct engineio_owner_ops owner = {connected, event, writable, closed};
    world = (struct world){0};
    world.loop = loop_new();
    world.engineio = engineio_new(world.loop,
                                  &(struct engineio_config){.transport = &transport,
                                                            .owner = &owner,
                                                            .context = &world,
                                                            .max_sessions = 1,
                                                            .max_payload = 300,
                                                            .queue_bytes = 200},
                                  NULL);
    assert(world.engineio);
    struct slice rest = {(const char *)bytes, size};
    while (rest.len > 0) {
        const char *end = memchr(rest.at, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.at) : rest.len;
        if (len > 0 && len < 300)
            step(rest.at[0], (struct slice){rest.at + 1, len - 1});
        rest = (struct slice){rest.at + len + (end != NULL), rest.len - len - (end != NULL)};
    }
    engineio_free(world.engineio);
    assert(!world.polling && !world.framing && !world.owned && fake_loop_objects(world.loop) == 0);
    loop_free(world.loop);
    return 0;
}
