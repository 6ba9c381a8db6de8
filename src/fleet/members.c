/* SPDX-License-Identifier: MIT */
#include "fleet/members.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/parse.h"
#include "broker/redis.h"
#include "fleet/members_list.h"
#include "fleet/names.h"
#include "loop/loop.h"
#include "observe/log.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/name_lock.h"

/* A name is a key that expires, written again and again by its owner. Who finds another's
 * there does not know yet whether that one lives: it may be what a killed process left, and
 * then ends by itself. So it looks again: what has been renewed meanwhile is alive. Who was
 * killed on this machine is known at once to be dead: the name was locked here by him, and
 * is by us. */

#define MEMBERS "runnel:members"

enum { MEMBERS_MAX = 1024 };

/* What is of another kind than ours, or is no member, keeps nobody out. */
static const char claim[] =
    "for i, kind in ipairs({'string', 'set'}) do\n"
    "  local found = redis.call('TYPE', KEYS[i]).ok\n"
    "  if found ~= kind and found ~= 'none' then redis.call('DEL', KEYS[i]) end\n"
    "end\n"
    "local there = redis.call('GET', KEYS[1])\n"
    "if there then\n"
    "  local known, other = pcall(cjson.decode, there)\n"
    "  if known and type(other) == 'table' and type(other.started_ms) == 'number'\n"
    "      and other.started_ms ~= tonumber(ARGV[2])\n"
    "      and (ARGV[4] == '' or other.lock ~= ARGV[4]) then return there end\n"
    "end\n"
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])\n"
    "redis.call('SADD', KEYS[2], KEYS[1])\n"
    "return 1\n";

static const char forget[] =
    "local there = redis.call('GET', KEYS[1])\n"
    "local known, other = pcall(cjson.decode, there)\n"
    "if known and type(other) == 'table' and other.started_ms ~= tonumber(ARGV[1]) then\n"
    "  return 0\n"
    "end\n"
    "redis.call('DEL', KEYS[1])\n"
    "redis.call('SREM', KEYS[2], KEYS[1])\n"
    "return 1\n";

struct fleet_members {
    struct fleet_members_config config;
    struct loop_timer *timer;
    struct member self;
    struct fleet_key key;
    int lock;          /* of the name, on this machine; negative: it is not ours */
    uint64_t rival_ms; /* when the other one of our name was seen last; 0: there is none */
    bool is_refused;
    bool is_unwritten; /* what we wrote last was answered with an error */
    bool is_writing;   /* an answer is awaited */
    bool is_reading;
    bool is_read;
    bool has_complained;
    char **keys; /* asked for, in their order, while is_reading */
    size_t key_count;
    struct member_list list;
};

/* --- being one --- */

static void refuse(struct fleet_members *members, const struct member *rival)
{
    char since[TIME_TEXT_SIZE];
    struct err err;
    members->is_refused = true;
    (void)err_set(&err, ERR_CONFIG,
                  "the name \"%s\" is taken: a %s on host %s has had it since %s; give this one "
                  "another (node_name)",
                  rival->name, rival->is_worker ? "worker" : "front", rival->host,
                  format_time(since, rival->started_ms));
    if (members->config.refused)
        members->config.refused(members->config.context, &err);
}

static void meet_rival(struct fleet_members *members, struct slice text)
{
    struct member rival;
    struct err err;
    if (member_decode(text, &rival, &err) < 0)
        return; /* a later version's, perhaps: it goes, or stays and keeps us out */
    if (members->rival_ms != 0 && rival.last_seen_ms > members->rival_ms)
        refuse(members, &rival);
    else
        members->rival_ms = rival.last_seen_ms;
}

static void complain(struct fleet_members *members, const char *what, struct slice why)
{
    char text[200];
    if (members->has_complained)
        return;
    members->has_complained = true;
    (void)snprintf(text, sizeof text, "%.*s", (int)MIN(why.len, sizeof text - 1), why.at);
    log_event(LOG_WARN, what, LOG_TEXT("reason", text), LOG_END);
}

static void on_written(void *context, const struct redis_reply *reply)
{
    struct fleet_members *members = context;
    const struct fleet_members_config *config = &members->config;
    members->is_writing = false;
    if (!reply || members->is_refused)
        return;
    if (reply->kind == REDIS_STRING) {
        meet_rival(members, reply->text);
    } else if (reply->kind == REDIS_ERROR) {
        members->is_unwritten = true;
        complain(members, "member_not_written", reply->text);
        if (config->unsure)
            config->unsure(config->context);
    } else {
        members->is_unwritten = false;
        members->rival_ms = 0;
        if (config->written)
            config->written(config->context);
    }
}

/* One who still ends may have it for a while. */
static void take_lock(struct fleet_members *members)
{
    char name[96];
    if (members->lock >= 0)
        return;
    (void)snprintf(name, sizeof name, "runnel-%s-%s", members->self.is_worker ? "worker" : "front",
                   members->self.name);
    members->lock = name_lock(name);
    if (members->lock >= 0 && name_lock_place(members->self.lock) < 0)
        members->self.lock[0] = '\0';
}

static void measure(struct member *self)
{
    struct sysinfo info;
    self->last_seen_ms = clock_unix_ms();
    if (sysinfo(&info) == 0)
        self->load_milli = info.loads[0] * 1000 / (1UL << SI_LOAD_SHIFT);
}

static void write_self(struct fleet_members *members)
{
    struct member *self = &members->self;
    struct buf text;
    char started[24];
    char kept[24];
    if (!members->config.name || members->is_refused || members->is_writing)
        return;
    measure(self);
    take_lock(members);
    if (members->config.describe)
        members->config.describe(members->config.context, self);
    buf_init(&text, 8 * KIB);
    (void)snprintf(started, sizeof started, "%" PRIu64, self->started_ms);
    (void)snprintf(kept, sizeof kept, "%d", MEMBER_MS);
    members->is_writing =
        member_encode(self, &text) == 0 &&
        redis_command(members->config.redis, on_written, members, slice_of("EVAL"), slice_of(claim),
                      slice_of("2"), slice_of(members->key.text), slice_of(MEMBERS),
                      buf_slice(&text), slice_of(started), slice_of(kept),
                      slice_of(self->lock)) == 0;
    buf_fini(&text);
}

/* --- seeing others --- */

static void forget_keys(struct fleet_members *members)
{
    for (size_t i = 0; i < members->key_count; i++)
        free(members->keys[i]);
    free(members->keys);
    members->keys = NULL;
    members->key_count = 0;
    members->is_reading = false;
}

static void take_values(struct fleet_members *members, const struct redis_reply *values)
{
    bool is_changed = !members->is_read;
    members->is_read = true;
    member_list_begin(&members->list);
    for (size_t i = 0; values && i < values->count && i < members->key_count; i++) {
        const struct redis_reply *value = &values->items[i];
        struct member member;
        struct err err;
        if (value->kind != REDIS_STRING)
            (void)redis_command(members->config.redis, NULL, NULL, slice_of("SREM"),
                                slice_of(MEMBERS), slice_of(members->keys[i]));
        else if (member_decode(value->text, &member, &err) == 0)
            is_changed |= member_list_put(&members->list, &member);
    }
    is_changed |= member_list_end(&members->list);
    forget_keys(members);
    if (is_changed && members->config.changed)
        members->config.changed(members->config.context);
}

/* Ends a reading: with an error that was answered, or as it is when Redis is lost. */
static void give_up_reading(struct fleet_members *members, const struct redis_reply *reply)
{
    struct err err;
    forget_keys(members);
    if (!reply || reply->kind != REDIS_ERROR)
        return;
    complain(members, "members_not_read", reply->text);
    (void)err_set(&err, ERR_BROKER, "Redis says: %.*s", (int)MIN(reply->text.len, (size_t)300),
                  reply->text.at);
    if (members->config.unread)
        members->config.unread(members->config.context, &err);
}

/* Where we cannot be written the others cannot either: their keys end, and they do not. */
static bool says_nothing(const struct fleet_members *members, const struct redis_reply *reply)
{
    return !reply || reply->kind != REDIS_ARRAY || members->is_unwritten;
}

static void on_values(void *context, const struct redis_reply *reply)
{
    struct fleet_members *members = context;
    if (says_nothing(members, reply))
        give_up_reading(members, reply);
    else
        take_values(members, reply);
}

/* Copies of the keys; false when there is no memory. */
static bool take_keys(struct fleet_members *members, const struct redis_reply *names)
{
    size_t count = MIN(names->count, (size_t)MEMBERS_MAX);
    members->key_count = 0;
    members->keys = calloc(count + 1, sizeof *members->keys);
    for (size_t i = 0; members->keys && i < count; i++) {
        const struct redis_reply *name = &names->items[i];
        if (name->kind != REDIS_STRING || strlen(name->text.at) != name->text.len)
            continue;
        char *copy = strdup(name->text.at);
        if (!copy)
            return false;
        members->keys[members->key_count++] = copy;
    }
    return members->keys != NULL;
}

static void on_names(void *context, const struct redis_reply *reply)
{
    struct fleet_members *members = context;
    if (says_nothing(members, reply) || !take_keys(members, reply)) {
        give_up_reading(members, reply);
        return;
    }
    if (members->key_count == 0) {
        take_values(members, NULL);
        return;
    }
    struct slice *argv = calloc(members->key_count + 1, sizeof *argv);
    if (argv) {
        argv[0] = slice_of("MGET");
        for (size_t i = 0; i < members->key_count; i++)
            argv[1 + i] = slice_of(members->keys[i]);
    }
    if (!argv || redis_command_argv(members->config.redis, on_values, members,
                                    members->key_count + 1, argv) < 0)
        forget_keys(members);
    free(argv);
}

static void read_others(struct fleet_members *members)
{
    if (!members->is_reading)
        members->is_reading = redis_command(members->config.redis, on_names, members,
                                            slice_of("SMEMBERS"), slice_of(MEMBERS)) == 0;
}

/* --- its life --- */

static void on_timer(void *context)
{
    struct fleet_members *members = context;
    loop_timer_start(members->timer, MEMBER_RENEW_MS);
    write_self(members);
    read_others(members);
}

struct fleet_members *fleet_members_new(const struct fleet_members_config *config, struct err *err)
{
    struct fleet_members *members = calloc(1, sizeof *members);
    if (!members) {
        (void)err_set(err, ERR_INTERNAL, "no memory");
        return NULL;
    }
    members->config = *config;
    members->lock = -1;
    if (config->name) {
        struct member *self = &members->self;
        (void)snprintf(self->name, sizeof self->name, "%s", config->name);
        (void)snprintf(self->version, sizeof self->version, "%s", RUNNEL_VERSION);
        node_name(NULL, self->host);
        self->is_worker = config->is_worker;
        self->started_ms = clock_unix_ms();
        members->config.name = self->name;
        members->key = member_key(config->is_worker, self->name);
    }
    members->timer = loop_timer_new(config->loop, on_timer, members);
    loop_timer_start(members->timer, 0);
    return members;
}

void fleet_members_connected(struct fleet_members *members)
{
    members->has_complained = false;
    loop_timer_start(members->timer, 0);
}

void fleet_members_free(struct fleet_members *members)
{
    char started[24];
    if (!members)
        return;
    (void)snprintf(started, sizeof started, "%" PRIu64, members->self.started_ms);
    if (members->config.name && !members->is_refused)
        (void)redis_command(members->config.redis, NULL, NULL, slice_of("EVAL"), slice_of(forget),
                            slice_of("2"), slice_of(members->key.text), slice_of(MEMBERS),
                            slice_of(started));
    loop_timer_free(members->timer);
    fd_close(&members->lock);
    forget_keys(members);
    member_list_fini(&members->list);
    free(members);
}

/* --- what is asked --- */

bool fleet_members_are_read(const struct fleet_members *members)
{
    return members->is_read;
}

bool fleet_members_are_current(const struct fleet_members *members)
{
    return members->is_read && !members->is_unwritten && redis_is_connected(members->config.redis);
}

size_t fleet_members_count(const struct fleet_members *members)
{
    return members->list.count;
}

void fleet_members_each(const struct fleet_members *members,
                        void (*each)(void *context, const struct member *member), void *context)
{
    for (size_t i = 0; i < members->list.count; i++)
        each(context, &members->list.seen[i].member);
}

bool fleet_members_have(const struct fleet_members *members, bool is_worker, const char *name)
{
    return member_list_find(&members->list, is_worker, name) != NULL;
}

bool fleet_members_have_language(const struct fleet_members *members, const char *language)
{
    return member_list_has_language(&members->list, language);
}

uint64_t fleet_members_slots(const struct fleet_members *members)
{
    return member_list_sums(&members->list).slots;
}

uint64_t fleet_members_free_slots(const struct fleet_members *members)
{
    return member_list_sums(&members->list).free_slots;
}

uint64_t fleet_members_service_ms(const struct fleet_members *members)
{
    return member_list_sums(&members->list).service_ms;
}
