/* SPDX-License-Identifier: MIT */
/* worker_lease.c — that a run is ours, said again and again in Redis, all runs in one
 * command. Who has been away for longer than a lease lasts may find that another has the
 * run by now, or that it was ended: then ours is of no use to anybody. */
#include <stdio.h>
#include <stdlib.h>

#include "fleet/worker_private.h"

/* KEYS: the lease and the run of each; ARGV: the worker, how long. Says which leases are not
 * ours any more, each with 1 when the run has ended. A key of another kind than ours is
 * nobody's: it must not cost the others their leases. */
static const char renew_script[] = "local lost = {}\n"
                                   "for i = 1, #KEYS, 2 do\n"
                                   "  local owner = redis.pcall('GET', KEYS[i])\n"
                                   "  local ended = redis.pcall('HEXISTS', KEYS[i + 1], 'result')\n"
                                   "  if type(owner) == 'table' then owner = false end\n"
                                   "  if type(ended) == 'table' then ended = 0 end\n"
                                   "  if ended == 1 or (owner and owner ~= ARGV[1]) then\n"
                                   "    lost[#lost + 1] = KEYS[i]\n"
                                   "    lost[#lost + 1] = ended\n"
                                   "  else\n"
                                   "    redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2])\n"
                                   "  end\n"
                                   "end\n"
                                   "return lost\n";

static const char release_script[] =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end\n";

void work_abandon(struct work *work, enum amqp_settlement settlement)
{
    work->is_leased = false;
    if (work->state != WORK_RUNNING || work->fate == FATE_ABANDONED)
        return;
    work->fate = FATE_ABANDONED;
    work->settlement = settlement;
    run_cancel(work->run, "another worker has the run");
}

static struct work *find_leased(const struct fleet_worker *worker, const struct redis_reply *key)
{
    char text[sizeof(struct fleet_key)];
    if (key->kind != REDIS_STRING || key->text.len >= sizeof text)
        return NULL;
    memcpy(text, key->text.at, key->text.len);
    text[key->text.len] = '\0';
    const char *id = id_of_channel(text, LEASE_PREFIX);
    struct work *work = id ? work_find(worker, id) : NULL;
    return work && work->is_leased ? work : NULL;
}

static void on_renewed(void *context, const struct redis_reply *reply)
{
    const struct fleet_worker *worker = context;
    for (size_t i = 0; reply && reply->kind == REDIS_ARRAY && i + 1 < reply->count; i += 2) {
        struct work *work = find_leased(worker, &reply->items[i]);
        if (work)
            work_abandon(work, reply->items[i + 1].integer == 1 ? AMQP_ACK : AMQP_REQUEUE);
    }
}

/* One that began while Redis refused its lease has none yet: it gets it, unless it was too late.
 * False: it is not ours, or will not be. */
static bool claim(struct work *work)
{
    if (work->state == WORK_RUNNING && work->fate == FATE_OURS)
        work->is_leased = true;
    return work->is_leased && work->state != WORK_LEAVING;
}

void worker_renew_leases(struct fleet_worker *worker)
{
    enum { WORDS = 5 }; /* beside the keys */
    auto_free struct fleet_key *keys = calloc(2 * worker->in_hand + 1, sizeof *keys);
    auto_free struct slice *argv = calloc(2 * worker->in_hand + WORDS, sizeof *argv);
    char count[24];
    char lasts[24];
    size_t key_count = 0;
    if (!keys || !argv)
        return; /* the next time, perhaps */
    list_for_each (link, &worker->works) {
        struct work *work = CONTAINER_OF(link, struct work, link);
        if (!claim(work))
            continue;
        keys[key_count++] = lease_key(work->header.id);
        keys[key_count++] = run_key(work->header.id);
    }
    if (key_count == 0)
        return;
    (void)snprintf(count, sizeof count, "%zu", key_count);
    (void)snprintf(lasts, sizeof lasts, "%d", LEASE_MS);
    size_t argc = 0;
    argv[argc++] = slice_of("EVAL");
    argv[argc++] = slice_of(renew_script);
    argv[argc++] = slice_of(count);
    for (size_t i = 0; i < key_count; i++)
        argv[argc++] = slice_of(keys[i].text);
    argv[argc++] = slice_of(worker->name);
    argv[argc++] = slice_of(lasts);
    (void)redis_command_argv(worker->redis, on_renewed, worker, argc, argv);
}

void work_release_lease(struct work *work)
{
    struct fleet_key lease = lease_key(work->header.id);
    if (!work->is_leased)
        return;
    work->is_leased = false;
    (void)redis_command(work->worker->redis, NULL, NULL, slice_of("EVAL"), slice_of(release_script),
                        slice_of("1"), slice_of(lease.text), slice_of(work->worker->name));
}
