/* SPDX-License-Identifier: MIT */
#include "fleet/worker_decide.h"

#include <limits.h>

#include "base/util.h"
#include "fleet/names.h"

/* Else the broker's count of deliveries stands for that of attempts. */
static bool knows_attempts(const struct delivery_facts *facts)
{
    return !facts->blind && facts->known;
}

uint64_t workers_lost(const struct delivery_facts *facts)
{
    if (!knows_attempts(facts))
        return facts->deliveries;
    return facts->begun - MIN(facts->begun, facts->given_back);
}

static bool is_dead(const struct delivery_facts *facts)
{
    uint64_t most = knows_attempts(facts) ? ATTEMPTS_MAX : BLIND_DELIVERIES_MAX;
    return workers_lost(facts) >= most;
}

/* The deadline is of those who have only waited; one that had begun, and was given back, too,
 * waits through no fault of its own. */
static bool is_too_late(const struct delivery_facts *facts)
{
    bool may_have_begun = (knows_attempts(facts) ? facts->begun : facts->deliveries) > 0;
    return !may_have_begun && facts->queue_ms > 0 && facts->age_ms > facts->queue_ms;
}

/* The order is of force: who has the run, then what was asked for, then what it is. */
enum delivery_action worker_decide(const struct delivery_facts *facts)
{
    if (!facts->blind && facts->has_result)
        return DELIVERY_DROP;
    if (facts->draining)
        return DELIVERY_GIVE_BACK;
    if (!facts->blind && facts->leased)
        return DELIVERY_HOLD;
    if (facts->is_cancelled)
        return DELIVERY_CANCELLED;
    if (is_dead(facts))
        return DELIVERY_DEAD;
    if (!facts->is_batch && workers_lost(facts) > 0)
        return DELIVERY_WORKER_LOST;
    if (is_too_late(facts))
        return DELIVERY_TOO_LATE;
    if (!facts->is_installed)
        return facts->is_elsewhere && facts->deliveries < HOPES_MAX ? DELIVERY_PASS_ON
                                                                    : DELIVERY_NO_LANGUAGE;
    return DELIVERY_START;
}

unsigned worker_next_attempt(const struct delivery_facts *facts)
{
    uint64_t before = knows_attempts(facts) ? facts->begun : facts->deliveries;
    return (unsigned)MIN(before, (uint64_t)UINT_MAX - 1) + 1;
}
