/* SPDX-License-Identifier: MIT */
/* worker_watch.c — the others: what they are told of us, and runs whose front is gone. */
#include <stdio.h>
#include <string.h>

#include "fleet/members.h"
#include "fleet/worker_private.h"
#include "language/language.h"
#include "observe/log.h"

/* --- what is said of us --- */

static void describe(void *context, struct member *self)
{
    const struct fleet_worker *worker = context;
    const struct catalogue *catalogue = worker->config.catalogue;
    size_t len = 0;
    self->slots = worker->config.slots;
    self->running = (unsigned)engine_running(worker->engine);
    self->memory_bytes = worker->config.memory_bytes;
    self->promised_bytes = engine_promised_bytes(worker->engine);
    self->service_ms = worker->service_ms;
    self->draining = worker->draining;
    self->without_broker = !amqp_is_connected(worker->amqp);
    self->languages[0] = '\0';
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        const struct language *language = catalogue_at(catalogue, i);
        size_t name_len = strlen(language->name);
        if (!language->installed || len + 1 + name_len >= sizeof self->languages)
            continue;
        len += (size_t)snprintf(self->languages + len, sizeof self->languages - len, "%s%s",
                                len > 0 ? " " : "", language->name);
    }
}

static void on_refused(void *context, const struct err *err)
{
    struct fleet_worker *worker = context;
    log_event(LOG_ERROR, "fleet_refused", LOG_TEXT("reason", err->text), LOG_END);
    worker->config.refused(worker->config.refused_context, err);
}

/* Two workers of one name would hold each other's leases: until the name is known to be ours
 * there are no jobs; or until nobody can say. */
void worker_begin(struct fleet_worker *worker)
{
    if (worker->has_begun || worker->draining)
        return;
    worker->has_begun = true;
    worker->is_holding = false;
    amqp_hold(worker->amqp, false);
}

static void on_name(void *context)
{
    worker_begin(context);
}

int worker_join(struct fleet_worker *worker, struct err *err)
{
    struct fleet_members_config config = {
        .redis = worker->redis,
        .loop = worker->config.loop,
        .name = worker->name,
        .is_worker = true,
        .describe = describe,
        .written = on_name,
        .unsure = on_name,
        .refused = on_refused,
        .context = worker,
    };
    worker->members = fleet_members_new(&config, err);
    return worker->members ? 0 : -1;
}

/* We say that we have the same one only when it is installed, and it is asked for when not. */
bool worker_is_elsewhere(const struct fleet_worker *worker, const char *language)
{
    return fleet_members_have_language(worker->members, language);
}

static void note_other(void *context, const struct member *member)
{
    bool *is_other = context;
    *is_other |= member->is_worker && strcmp(member->version, RUNNEL_VERSION) != 0;
}

bool worker_has_others(const struct fleet_worker *worker)
{
    bool is_other = !fleet_members_are_read(worker->members);
    fleet_members_each(worker->members, note_other, &is_other);
    return is_other;
}

/* --- fronts that are gone --- */

/* Its clients are gone with it, unless they come to another front: whoever says something to
 * the run, or takes what it says, is one. */
static void look_at_front(struct work *work, uint64_t now_ns)
{
    bool lives = fleet_members_have(work->worker->members, false, work->header.front);
    if (lives || work->unattended_ns == 0)
        work->unattended_ns = now_ns;
    if (lives && work->is_unheard) { /* of what was said meanwhile the stream keeps the last */
        work->is_unheard = false;
        work_take_all(work);
    }
    if (lives)
        return;
    if (now_ns - work->unattended_ns < work->unattended_ms * NS_PER_MS)
        return;
    if (work->ends_unattended) {
        run_cancel(work->run, "its last client left");
    } else {
        work->is_unheard = true;
        work_pump(work, false);
    }
}

/* While nobody can say who is there no time counts: a front that is back could not say so. */
void worker_watch_fronts(struct fleet_worker *worker)
{
    uint64_t now_ns = loop_now_ns();
    bool is_known = fleet_members_are_current(worker->members);
    list_for_each (link, &worker->works) {
        struct work *work = CONTAINER_OF(link, struct work, link);
        if (work->state != WORK_RUNNING || (!work->ends_unattended && !work->is_streaming))
            continue;
        if (is_known)
            look_at_front(work, now_ns);
        else
            work->unattended_ns = 0;
    }
}
