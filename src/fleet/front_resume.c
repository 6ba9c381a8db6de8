/* SPDX-License-Identifier: MIT */
/* front_resume.c — runs that a process before this one sent, and whose end nobody has written
 * down: that process died, and its jobs did not. Each is looked for until it is found, in
 * Redis or by its result in our queue; or until it is known to be lost: both servers have been
 * there for as long as a lease lasts, and nobody has said a word of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/front_private.h"
#include "observe/log.h"
#include "os/clock.h"

enum { MISSES_MAX = LEASE_MS / WATCH_MS + 1 };

struct resumption {
    struct list link;
    struct fleet_front *front;
    char id[RUN_ID_SIZE];
    const struct language *language;
    enum profile profile;
    uint64_t owner;
    uint64_t submitted_ms; /* since 1970 */
    struct buf note;
    unsigned misses; /* times that it was not found */
    bool is_asked;
    bool is_over; /* found or lost, and the answer that is due is of no use */
    bool has_complained;
    void (*lost)(void *context, const char *id);
    void *context;
};

static void resumption_free(struct resumption *resumption)
{
    list_remove(&resumption->link);
    buf_fini(&resumption->note);
    free(resumption);
}

static void finish(struct resumption *resumption)
{
    resumption->is_over = true;
    if (!resumption->is_asked)
        resumption_free(resumption);
}

int front_resume(struct carrier *carrier, const struct run_spec *spec, uint64_t age_ms,
                 void (*lost)(void *context, const char *id), void *context)
{
    struct fleet_front *front = CONTAINER_OF(carrier, struct fleet_front, carrier);
    struct resumption *resumption = calloc(1, sizeof *resumption);
    uint64_t now_ms = clock_unix_ms();
    if (!resumption)
        return -1;
    *resumption = (struct resumption){
        .front = front,
        .language = spec->language,
        .profile = spec->profile,
        .owner = spec->owner,
        .submitted_ms = now_ms - MIN(now_ms, age_ms),
        .lost = lost,
        .context = context,
    };
    (void)snprintf(resumption->id, sizeof resumption->id, "%s", spec->id);
    buf_init(&resumption->note, SIZE_MAX / 2); /* bounded by its request */
    buf_add_slice(&resumption->note, spec->note);
    list_append(&front->resumptions, &resumption->link);
    if (!resumption->note.failed)
        return 0;
    resumption_free(resumption);
    return -1;
}

/* --- found --- */

/* By what its job says, or, when Redis has forgotten that, by what was written down of it: then
 * its output is what its result says. */
static struct front_cargo *follow(struct resumption *resumption, const struct job *job)
{
    struct fleet_front *front = resumption->front;
    struct run_spec spec = {.language = resumption->language, .profile = resumption->profile};
    uint64_t submitted_ms = resumption->submitted_ms;
    if (job) {
        spec = job->spec;
        submitted_ms = job->header.submitted_ms;
    }
    spec.id = resumption->id;
    spec.owner = resumption->owner;
    spec.note = buf_slice(&resumption->note);
    spec.recorded = true;
    struct front_cargo *cargo = front_adopt(front, &spec, submitted_ms, job && job->header.aside);
    if (!cargo)
        return NULL;
    cargo->queue_ms = run_limits(cargo->run)->value[LIMIT_QUEUE];
    front_say_anew(cargo);
    log_event(LOG_INFO, "run_resumed", LOG_TEXT("run", resumption->id), LOG_END);
    finish(resumption);
    return cargo;
}

struct front_cargo *front_resume_found(struct fleet_front *front, const char *id)
{
    list_for_each (link, &front->resumptions) {
        struct resumption *resumption = CONTAINER_OF(link, struct resumption, link);
        if (!resumption->is_over && strcmp(resumption->id, id) == 0)
            return follow(resumption, NULL);
    }
    return NULL;
}

/* --- not found --- */

/* Its result may be on its way to us, for as long as a worker needs to notice that Redis is
 * back, or the broker that a worker has died. */
static bool is_lost(const struct resumption *resumption)
{
    return resumption->misses >= MISSES_MAX;
}

static void miss(struct resumption *resumption)
{
    if (front_is_listening(resumption->front))
        resumption->misses++;
    if (!is_lost(resumption))
        return;
    resumption->lost(resumption->context, resumption->id);
    finish(resumption);
}

/* --- sent, perhaps --- */

static void on_counted(void *context, int64_t count)
{
    struct resumption *resumption = context;
    resumption->is_asked = false;
    if (resumption->is_over)
        resumption_free(resumption);
    else if (count == 0 && front_is_listening(resumption->front))
        resumption->misses++;
}

/* The process before us died before it heard that the broker has it. As long as its queue is not
 * empty it may stand there; and a worker that takes it out says so in Redis at once. The end is
 * written where workers see it, too. */
static struct front_cargo *take_unsent(struct resumption *resumption, const struct job *job)
{
    const char *queue = lane_queue(job->header.lane, job->header.aside);
    struct front_cargo *cargo = is_lost(resumption) ? follow(resumption, job) : NULL;
    if (cargo) {
        front_count_out(cargo);
        (void)front_end(cargo, VERDICT_INTERNAL_ERROR,
                        "interrupted: the service was stopped before the broker had the run");
    } else {
        resumption->is_asked =
            amqp_count(resumption->front->amqp, queue, on_counted, resumption, NULL) == 0;
    }
    return cargo;
}

/* --- asked for --- */

/* KEYS: run, lease. What is of another kind than ours is not there. */
static const char ask_script[] =
    "local found = {'', '', '', '', ''}\n"
    "if redis.call('TYPE', KEYS[1]).ok == 'hash' then\n"
    "  for i, name in ipairs({'job', 'result', 'sending', 'attempt', 'ticket'}) do\n"
    "    found[i] = redis.call('HGET', KEYS[1], name) or ''\n"
    "  end\n"
    "end\n"
    "found[6] = redis.call('EXISTS', KEYS[2])\n"
    "return found\n";
enum { ASK_JOB, ASK_RESULT, ASK_SENDING, ASK_ATTEMPT, ASK_TICKET, ASK_LEASED, ASK_ITEMS };

static bool is_job_of(const struct resumption *resumption, const struct job *job)
{
    return job->tree && strcmp(job->header.id, resumption->id) == 0;
}

/* A job of another id stands there by mistake, and so does its result. */
static void take_answer(struct resumption *resumption, const struct redis_reply *items)
{
    struct front_cargo *cargo = NULL;
    struct job job = {0};
    bool is_leased = items[ASK_LEASED].integer == 1;
    bool has_result = items[ASK_RESULT].text.len > 0;
    bool has_begun = is_leased || has_result || items[ASK_ATTEMPT].text.len > 0;
    (void)job_decode(items[ASK_JOB].text, resumption->front->config.catalogue, &job, NULL);
    if (is_job_of(resumption, &job) && !has_begun && items[ASK_SENDING].text.len > 0)
        cargo = take_unsent(resumption, &job);
    else if (is_job_of(resumption, &job))
        cargo = follow(resumption, &job);
    else if (is_leased || (has_result && !job.tree))
        cargo = follow(resumption, NULL);
    else
        miss(resumption);
    job_fini(&job);
    if (!cargo)
        return;
    front_take_place(cargo, &items[ASK_TICKET]);
    front_catch_up(cargo);
}

/* One that Redis does not answer (it is busy, or we may not ask) is asked for again. */
static void complain(struct resumption *resumption, const struct redis_reply *reply)
{
    char why[200];
    if (resumption->has_complained)
        return;
    resumption->has_complained = true;
    (void)snprintf(why, sizeof why, "%.*s", (int)MIN(reply->text.len, sizeof why - 1),
                   reply->text.at);
    log_event(LOG_WARN, "run_not_looked_up", LOG_TEXT("run", resumption->id),
              LOG_TEXT("reason", why), LOG_END);
}

static void on_answer(void *context, const struct redis_reply *reply)
{
    struct resumption *resumption = context;
    resumption->is_asked = false;
    if (resumption->is_over)
        resumption_free(resumption);
    else if (reply && reply->kind == REDIS_ARRAY && reply->count == ASK_ITEMS)
        take_answer(resumption, reply->items);
    else if (reply && reply->kind == REDIS_ERROR)
        complain(resumption, reply);
}

static void ask(struct resumption *resumption)
{
    struct fleet_key run = run_key(resumption->id);
    struct fleet_key lease = lease_key(resumption->id);
    resumption->is_asked = redis_command(resumption->front->redis, on_answer, resumption,
                                         slice_of("EVAL"), slice_of(ask_script), slice_of("2"),
                                         slice_of(run.text), slice_of(lease.text)) == 0;
}

void front_resume_look(struct fleet_front *front)
{
    list_for_each (link, &front->resumptions) {
        struct resumption *resumption = CONTAINER_OF(link, struct resumption, link);
        if (!resumption->is_asked)
            ask(resumption);
    }
}

void front_resume_drop(struct fleet_front *front)
{
    list_for_each_safe (link, following, &front->resumptions)
        resumption_free(CONTAINER_OF(link, struct resumption, link));
}
