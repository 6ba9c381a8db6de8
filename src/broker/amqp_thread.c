/* SPDX-License-Identifier: MIT */
#include <poll.h>

#include "broker/amqp_private.h"

/* The thread: connects, serves the connection until it is lost, pauses, connects again. */

enum { DEFAULT_RETRY_MS = 200, RETRY_MS_MAX = 5000 };
/* A connection that has stood for this long was a good one: the next pause is short. */
#define GOOD_NS (5 * NS_PER_S)

static void tell(struct line *line, enum item_kind kind)
{
    relay_tell(line->relay, item_new(kind, sizeof(struct item), line->connection));
}

static void tell_loss(struct line *line, const struct err *err)
{
    struct loss *loss = item_new(ITEM_LOST, sizeof *loss, line->connection);
    loss->err = *err;
    relay_tell(line->relay, &loss->item);
}

/* Heartbeats are looked after whenever something is read, and that must not be too late. */
static uint64_t next_look(const struct line *line)
{
    uint64_t pause = line->heartbeat_ns ? line->heartbeat_ns / 4 : NS_PER_S;
    uint64_t look = loop_now_ns() + pause;
    return line->is_asked ? MIN(look, line->answer_until_ns) : look;
}

static void wait_for_news(struct line *line)
{
    /* librabbitmq may have read what the socket does not tell of any more. */
    bool has_more =
        line->api->frames_enqueued(line->state) || line->api->data_in_buffer(line->state);
    (void)relay_wait(line->relay, line->fd, POLLIN, has_more ? 0 : next_look(line));
}

/* -1 when the connection is lost; 0 when the owner has had enough of it. */
static int serve(struct line *line, struct err *err)
{
    for (;;) {
        bool ends = relay_ends(line->relay); /* first: what was ordered before is done */
        if (line_read(line, err) < 0)
            return -1;
        int rc = line_obey(line, err);
        if (rc < 0)
            return -1;
        if (line->is_asked && loop_now_ns() > line->answer_until_ns)
            return line_fail_status(line, AMQP_STATUS_TIMEOUT, err);
        if (rc == 0 && ends && list_empty(&line->parked))
            return 0;
        if (rc == 0)
            wait_for_news(line);
    }
}

static void pause_ms(struct line *line, uint64_t ms)
{
    uint64_t until = loop_now_ns() + ms * NS_PER_MS;
    while (!relay_ends(line->relay) && loop_now_ns() < until) {
        (void)relay_wait(line->relay, -1, 0, until);
        line_void_all(line); /* what was ordered before the owner knew */
    }
}

/* One connection, from its beginning to its end. Returns how long it stood. */
static uint64_t live(struct line *line)
{
    struct err err = {0};
    uint64_t began = 0;
    int rc = line_connect(line, &err);
    if (rc == 0) {
        began = loop_now_ns();
        tell(line, ITEM_CONNECTED);
        rc = serve(line, &err);
    }
    if (rc == 0)
        line_part(line);
    line_disconnect(line);
    if (rc < 0)
        tell_loss(line, &err); /* before the outcomes: they would be tried again at once */
    line_void_all(line);
    return began ? loop_now_ns() - began : 0;
}

void *line_run(void *context)
{
    struct line *line = context;
    uint64_t first_ms = line->config->retry_ms ? line->config->retry_ms : DEFAULT_RETRY_MS;
    uint64_t retry_ms = first_ms;
    while (!relay_ends(line->relay)) {
        if (live(line) > GOOD_NS)
            retry_ms = first_ms;
        pause_ms(line, retry_ms);
        retry_ms = MIN(2 * retry_ms, RETRY_MS_MAX);
    }
    relay_say_over(line->relay);
    return NULL;
}
