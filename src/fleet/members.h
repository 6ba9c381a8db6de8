/* SPDX-License-Identifier: MIT */
/* members.h — who is in the fleet: this process says that it is there, once a second, and
 * reads who else is.
 *
 *     members = fleet_members_new(&config, err);
 *     …redis' connected:  fleet_members_connected(members);
 *     fleet_members_each(members, print, table);
 *     fleet_members_free(members);  redis_free(redis);     one after the other
 *
 * A member that dies is gone after MEMBER_MS; one that Redis forgot is kept until three
 * readings were without it, since then it would have come back. While Redis is away, or
 * refuses what we write, everything stays as it was read last: nobody is called gone for that.
 */
#ifndef RUNNEL_FLEET_MEMBERS_H
#define RUNNEL_FLEET_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "fleet/wire.h"

struct fleet_members;
struct loop;
struct redis;

struct fleet_members_config {
    struct redis *redis;
    struct loop *loop;
    const char *name; /* as node_name wrote it, copied; NULL: reads, and is no member */
    bool is_worker;
    /* Before each writing: slots, running, memory, service, languages, draining. The rest
     * is known, and what was written before is kept. May be NULL. */
    void (*describe)(void *context, struct member *self);
    /* After the first reading, and each that differs in who is there, what they have
     * installed, their slots, or whether they drain. May be NULL. */
    void (*changed)(void *context);
    /* Redis answered a reading with an error, each time. May be NULL. */
    void (*unread)(void *context, const struct err *err);
    /* The name is ours: told each time that Redis has taken it. May be NULL. */
    void (*written)(void *context);
    /* Redis does not take it (it is full, or another's copy): nobody can say whose it is. Each
     * time. May be NULL. */
    void (*unsure)(void *context);
    /* Another living process has the name. Once, and nothing is written any more. */
    void (*refused)(void *context, const struct err *err);
    void *context;
};

struct fleet_members *fleet_members_new(const struct fleet_members_config *config, struct err *err);
/* Writes and reads at once, instead of within a second. */
void fleet_members_connected(struct fleet_members *members);
/* Says that it goes. No callback comes any more, if redis is freed next, before the loop
 * turns again. */
void fleet_members_free(struct fleet_members *members);

bool fleet_members_are_read(const struct fleet_members *members); /* at least once */
/* Who is not there is gone, or never was: Redis is there, and takes what members write. */
bool fleet_members_are_current(const struct fleet_members *members);
size_t fleet_members_count(const struct fleet_members *members);
/* Ordered: workers, then fronts, by name. */
void fleet_members_each(const struct fleet_members *members,
                        void (*each)(void *context, const struct member *member), void *context);
bool fleet_members_have(const struct fleet_members *members, bool is_worker, const char *name);
bool fleet_members_have_language(const struct fleet_members *members, const char *language);

/* Of the workers that do not drain. */
uint64_t fleet_members_slots(const struct fleet_members *members);
uint64_t fleet_members_free_slots(const struct fleet_members *members);
/* How long a run holds a slot, each worker weighed by its slots; 0: nobody knows yet. */
uint64_t fleet_members_service_ms(const struct fleet_members *members);

#endif
