/* SPDX-License-Identifier: MIT */
#include "fleet/names.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

static const char *const lane_queues[][2] = {
    [LANE_HIGH] = {"runnel.jobs.high", "runnel.jobs.high.aside"},
    [LANE_NORMAL] = {"runnel.jobs.normal", "runnel.jobs.normal.aside"},
    [LANE_LOW] = {"runnel.jobs.low", "runnel.jobs.low.aside"},
};
static_assert(ARRAY_LEN(lane_queues) == LANES, "the last lane has no queue");

const char *lane_queue(enum lane lane, bool aside)
{
    assert((unsigned)lane < LANES);
    return lane_queues[lane][aside];
}

const char *lane_routing_key(enum lane lane, bool aside)
{
    return lane_queue(lane, aside) + strlen(JOBS_EXCHANGE ".");
}

/* Ids and names are shorter than the room for them by far; what is not is ours. */
static struct fleet_key key_of(const char *prefix, const char *name)
{
    struct fleet_key key;
    int len = snprintf(key.text, sizeof key.text, "%s%s", prefix, name);
    assert(len > 0 && (size_t)len < sizeof key.text);
    return key;
}

struct fleet_key results_queue(const char *front)
{
    return key_of(FRONT_RESULTS_PREFIX, front);
}

struct fleet_key run_key(const char *id)
{
    return key_of(RUN_PREFIX, id);
}

struct fleet_key events_key(const char *id)
{
    return key_of(EVENTS_PREFIX, id);
}

struct fleet_key commands_key(const char *id)
{
    return key_of(COMMANDS_PREFIX, id);
}

struct fleet_key lease_key(const char *id)
{
    return key_of(LEASE_PREFIX, id);
}

struct fleet_key lane_key(enum lane lane, bool aside)
{
    return key_of("runnel:lane:", lane_routing_key(lane, aside));
}

struct fleet_key member_key(bool is_worker, const char *name)
{
    return key_of(is_worker ? "runnel:worker:" : "runnel:front:", name);
}

const char *id_of_channel(const char *channel, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(channel, prefix, len) == 0 && channel[len] ? channel + len : NULL;
}

/* --- what is declared --- */

enum { RESULTS_KEPT_MS = 10 * 60 * 1000 };

/* Before a broker drops a dead letter, the queue of the dead has confirmed it; that needs
 * a queue that refuses when it is full, instead of dropping its oldest. */
static const struct amqp_argument lane_arguments[] = {
    {.name = "x-queue-type", .text = "quorum"},
    {.name = "x-delivery-limit", .number = DELIVERIES_MAX},
    {.name = "x-dead-letter-exchange", .text = DEAD_EXCHANGE},
    {.name = "x-dead-letter-strategy", .text = "at-least-once"},
    {.name = "x-overflow", .text = "reject-publish"},
    {0},
};

static const struct amqp_argument dead_arguments[] = {
    {.name = "x-queue-type", .text = "quorum"},
    {0},
};

/* Its front declares it again when it comes back before that. */
static const struct amqp_argument results_arguments[] = {
    {.name = "x-expires", .number = RESULTS_KEPT_MS},
    {0},
};

size_t fleet_topology(const char *results_queue_name, struct amqp_declaration rows[TOPOLOGY_MAX])
{
    size_t count = 0;
    /* The dead first: a queue may name an exchange that is not there, and loses letters. */
    rows[count++] =
        (struct amqp_declaration){.exchange = DEAD_EXCHANGE, .type = "fanout", .durable = true};
    rows[count++] = (struct amqp_declaration){
        .queue = DEAD_QUEUE, .durable = true, .arguments = dead_arguments};
    rows[count++] =
        (struct amqp_declaration){.exchange = DEAD_EXCHANGE, .queue = DEAD_QUEUE, .key = ""};
    rows[count++] =
        (struct amqp_declaration){.exchange = JOBS_EXCHANGE, .type = "direct", .durable = true};
    for (int i = 0; i < LANE_QUEUES; i++) {
        enum lane lane = (enum lane)(i / 2);
        const char *queue = lane_queue(lane, i % 2);
        rows[count++] =
            (struct amqp_declaration){.queue = queue, .durable = true, .arguments = lane_arguments};
        rows[count++] = (struct amqp_declaration){
            .exchange = JOBS_EXCHANGE, .queue = queue, .key = lane_routing_key(lane, i % 2)};
    }
    if (results_queue_name)
        rows[count++] = (struct amqp_declaration){
            .queue = results_queue_name, .durable = true, .arguments = results_arguments};
    assert(count <= TOPOLOGY_MAX);
    return count;
}

/* --- a machine's name --- */

static bool is_plain(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.';
}

void node_name(const char *configured, char ret_name[NODE_NAME_SIZE])
{
    char host[256] = "";
    bool is_configured = configured && *configured;
    if (!is_configured && (gethostname(host, sizeof host - 1) < 0 || !host[0]))
        (void)snprintf(host, sizeof host, "localhost");
    (void)snprintf(ret_name, NODE_NAME_SIZE, "%.*s", NODE_NAME_SIZE - 1,
                   is_configured ? configured : host);
    for (char *at = ret_name; *at; at++) {
        if (!is_plain(*at))
            *at = '-';
    }
}
