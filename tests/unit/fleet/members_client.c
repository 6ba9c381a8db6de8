/* SPDX-License-Identifier: MIT */
/* members_client.c — a member of a fleet and nothing else, for tests/system/test_redis.py.
 *
 *     members_client URL worker|front NAME LANGUAGES
 *     members_client URL reader
 *
 * Says on stdout what it is told, a line each; ends on SIGTERM as a member should. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "broker/redis.h"
#include "fleet/members.h"
#include "loop/loop.h"

struct client {
    struct loop *loop;
    struct redis *redis;
    struct fleet_members *members;
    const char *languages;
    int status;
};

static void on_connected(void *context)
{
    const struct client *client = context;
    (void)puts("connected");
    fleet_members_connected(client->members);
}

static void on_lost(void *context, const struct err *err)
{
    (void)context;
    (void)printf("lost %s\n", err->text);
}

static void describe(void *context, struct member *self)
{
    const struct client *client = context;
    self->slots = 2;
    self->running = 1;
    self->service_ms = 250;
    (void)snprintf(self->languages, sizeof self->languages, "%s", client->languages);
}

static void print(void *context, const struct member *member)
{
    (void)context;
    (void)printf(" %s:%s[%s]", member->is_worker ? "worker" : "front", member->name,
                 member->languages);
}

static void on_changed(void *context)
{
    const struct client *client = context;
    (void)printf("members %zu:", fleet_members_count(client->members));
    fleet_members_each(client->members, print, NULL);
    (void)printf(" slots %d free %d service %d python %s\n",
                 (int)fleet_members_slots(client->members),
                 (int)fleet_members_free_slots(client->members),
                 (int)fleet_members_service_ms(client->members),
                 fleet_members_have_language(client->members, "python") ? "yes" : "no");
}

static void on_refused(void *context, const struct err *err)
{
    struct client *client = context;
    (void)printf("refused %s\n", err->text);
    client->status = err_exit_status(err->code);
    loop_stop(client->loop);
}

static void on_signal(void *context, int number)
{
    const struct client *client = context;
    (void)number;
    loop_stop(client->loop);
}

int main(int argc, char **argv)
{
    struct client client = {.loop = loop_new(), .languages = argc > 4 ? argv[4] : ""};
    struct err err;
    if (argc < 3)
        return 64;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    const struct redis_config config = {
        .url = argv[1],
        .name = "members_client",
        .timeout_ms = 1000,
        .events = {.connected = on_connected, .lost = on_lost},
        .context = &client,
    };
    client.redis = redis_new(client.loop, &config, &err);
    const struct fleet_members_config members = {
        .redis = client.redis,
        .loop = client.loop,
        .name = argc > 3 ? argv[3] : NULL,
        .is_worker = strcmp(argv[2], "worker") == 0,
        .describe = describe,
        .changed = on_changed,
        .refused = on_refused,
        .context = &client,
    };
    client.members = client.redis ? fleet_members_new(&members, &err) : NULL;
    if (!client.members)
        return 70;
    struct loop_signal *end = loop_signal_new(client.loop, SIGTERM, on_signal, &client);
    loop_run(client.loop);
    loop_signal_free(end);
    fleet_members_free(client.members);
    redis_free(client.redis);
    loop_free(client.loop);
    return client.status;
}
