/* SPDX-License-Identifier: MIT */
/* The RabbitMQ of fake_servers.h. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "broker/amqp.h"
#include "fake_servers.h"

enum { PENDING_MAX = 1024, DELIVERIES_MAX = 256 };

struct count {
    void (*counted)(void *context, int64_t count);
    void *context;
};

struct amqp {
    struct amqp_config config;
    bool is_connected;
    uint64_t connection;
    bool settled[DELIVERIES_MAX]; /* of this connection */
    size_t delivered;
    uint64_t posted[PENDING_MAX]; /* tokens */
    size_t posted_count;
    struct count counts[PENDING_MAX];
    size_t count_count;
};

static struct amqp *amqp_there;

/* ---- amqp.h ---- */

int amqp_check_url(const char *url, struct err *err)
{
    (void)url, (void)err;
    return 0;
}

int amqp_load(struct err *err)
{
    (void)err;
    return 0;
}

struct amqp *amqp_new(struct loop *on, const struct amqp_config *config, struct err *err)
{
    (void)err;
    assert(on && !amqp_there);
    amqp_there = calloc(1, sizeof *amqp_there);
    assert(amqp_there);
    amqp_there->config = *config;
    return amqp_there;
}

bool amqp_is_connected(const struct amqp *amqp)
{
    return amqp->is_connected;
}

int amqp_publish(struct amqp *amqp, const struct amqp_message *message, uint64_t token,
                 struct err *err)
{
    assert(message->exchange && message->key && (message->body.at || message->body.len == 0));
    if (!amqp->is_connected || amqp->posted_count == PENDING_MAX)
        return err_set(err, ERR_BROKER, "it has gone");
    amqp->posted[amqp->posted_count++] = token;
    return 0;
}

void amqp_settle(struct amqp *amqp, struct amqp_ref ref, enum amqp_settlement settlement)
{
    (void)settlement;
    if (ref.connection != amqp->connection || !amqp->is_connected)
        return;
    assert(ref.tag < amqp->delivered && !amqp->settled[ref.tag]);
    amqp->settled[ref.tag] = true;
}

void amqp_hold(struct amqp *amqp, bool hold)
{
    (void)amqp, (void)hold;
}

int amqp_count(struct amqp *amqp, const char *queue, void (*counted)(void *context, int64_t count),
               void *context, struct err *err)
{
    assert(queue[0]);
    if (!amqp->is_connected || amqp->count_count == PENDING_MAX)
        return err_set(err, ERR_BROKER, "it has gone");
    amqp->counts[amqp->count_count++] = (struct count){counted, context};
    return 0;
}

void amqp_free(struct amqp *amqp, uint64_t linger_ms)
{
    (void)linger_ms;
    assert(amqp == amqp_there);
    amqp_there = NULL;
    free(amqp);
}

/* ---- what it says ---- */

static void tell_outcome(enum amqp_outcome outcome)
{
    if (!amqp_there || amqp_there->posted_count == 0)
        return;
    uint64_t token = amqp_there->posted[0];
    amqp_there->posted_count--;
    memmove(amqp_there->posted, amqp_there->posted + 1, amqp_there->posted_count * sizeof token);
    amqp_there->config.events.published(amqp_there->config.context, token, outcome);
}

static void tell_count(int64_t number)
{
    if (!amqp_there || amqp_there->count_count == 0)
        return;
    struct count oldest = amqp_there->counts[0];
    amqp_there->count_count--;
    memmove(amqp_there->counts, amqp_there->counts + 1, amqp_there->count_count * sizeof oldest);
    oldest.counted(oldest.context, number);
}

static void amqp_comes(void)
{
    if (!amqp_there || amqp_there->is_connected)
        return;
    amqp_there->is_connected = true;
    amqp_there->connection++;
    amqp_there->delivered = 0;
    memset(amqp_there->settled, 0, sizeof amqp_there->settled);
    amqp_there->config.events.connected(amqp_there->config.context);
}

static void amqp_goes(void)
{
    struct err err;
    if (!amqp_there || !amqp_there->is_connected)
        return;
    amqp_there->is_connected = false;
    while (amqp_there->count_count > 0)
        tell_count(-1);
    while (amqp_there->posted_count > 0)
        tell_outcome(AMQP_UNKNOWN);
    (void)err_set(&err, ERR_BROKER, "it has gone");
    amqp_there->config.events.lost(amqp_there->config.context, &err);
}

static void deliver(struct slice rest)
{
    char line[512];
    char words[4][160] = {"", "", "", ""};
    struct slice body = servers_line(rest, line, sizeof line);
    char *at = line;
    uint64_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(words) && at; i++) {
        const char *word = strsep(&at, " ");
        (void)snprintf(words[i], sizeof words[i], "%s", strcmp(word, "-") == 0 ? "" : word);
    }
    (void)parse_u64(words[3], &count);
    if (!amqp_there || !amqp_there->is_connected || amqp_there->delivered == DELIVERIES_MAX)
        return;
    char *copy = servers_copy(body);
    struct amqp_delivery delivery = {
        .ref = {amqp_there->connection, amqp_there->delivered++},
        .queue = words[0],
        .exchange = "",
        .key = words[0],
        .body = {copy, body.len},
        .size = body.len,
        .message_id = words[1],
        .correlation_id = "",
        .reply_to = words[2],
        .redelivered = count > 0,
        .delivery_count = count,
        .death_reason = "",
        .death_queue = "",
    };
    amqp_there->config.events.delivered(amqp_there->config.context, &delivery);
    free(copy);
}

/* ---- steps ---- */

bool fake_broker_step(char letter, struct slice rest)
{
    if (letter == 'C')
        amqp_comes();
    else if (letter == 'L')
        amqp_goes();
    else if (letter == 'd')
        deliver(rest);
    else if (letter == 'o')
        tell_outcome((enum amqp_outcome)(servers_number(rest) % (AMQP_UNKNOWN + 1)));
    else if (letter == 'n')
        tell_count((int64_t)servers_number(rest));
    else
        return false;
    return true;
}

bool fake_broker_is_gone(void)
{
    return !amqp_there;
}
