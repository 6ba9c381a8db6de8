/* SPDX-License-Identifier: MIT */
/* worker_decide.h — what a worker does with a delivery, from what is known of it. */
#ifndef RUNNEL_FLEET_WORKER_DECIDE_H
#define RUNNEL_FLEET_WORKER_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    /* Times a delivery comes back to the broker before nobody else is hoped for. */
    HOPES_MAX = 20,
    /* With Redis away, how often it came back is all that is known, and that also counts
     * lost connections and workers that were told to end. */
    BLIND_DELIVERIES_MAX = 8,
};

struct delivery_facts {
    bool draining;       /* we are ending */
    bool blind;          /* Redis is away: the next six are not known */
    bool known;          /* Redis has heard of the run */
    bool has_result;     /* somebody has ended it */
    bool leased;         /* to another worker, that lives */
    bool is_cancelled;   /* somebody has asked for it */
    uint64_t begun;      /* attempts, whatever became of them */
    uint64_t given_back; /* of these, by workers that were told to end */
    uint64_t deliveries; /* times the broker has had it back */
    bool is_batch;       /* may begin anew */
    bool is_installed;   /* its language, here */
    bool is_elsewhere;   /* its language, on another worker that lives */
    uint64_t age_ms;
    uint64_t queue_ms; /* how long it may wait; 0: for ever */
};

enum delivery_action {
    DELIVERY_START,
    DELIVERY_HOLD,      /* look again in a second */
    DELIVERY_DROP,      /* all is done already */
    DELIVERY_GIVE_BACK, /* at once */
    DELIVERY_PASS_ON,   /* give it back, after a pause */
    /* The others end the run without beginning it. */
    DELIVERY_CANCELLED,
    DELIVERY_TOO_LATE,
    DELIVERY_WORKER_LOST,
    DELIVERY_DEAD, /* and the job goes where dead ones are kept */
    DELIVERY_NO_LANGUAGE,
    DELIVERY_ACTIONS
};

enum delivery_action worker_decide(const struct delivery_facts *facts);
/* Workers that ended while they had it, as far as anybody knows. */
uint64_t workers_lost(const struct delivery_facts *facts);
/* The number of the attempt that would begin now. */
unsigned worker_next_attempt(const struct delivery_facts *facts);

#endif
