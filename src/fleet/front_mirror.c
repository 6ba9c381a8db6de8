/* SPDX-License-Identifier: MIT */
/* front_mirror.c — what comes back of a run, in its order: events are numbered within
 * an attempt, come on a channel, and stand in a stream under ATTEMPT-NUMBER. A number
 * that is missing is fetched; one that cannot be had is a gap, which for a capped run
 * its result fills. The end is told once, whichever way it comes first. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fleet/foreign.h"
#include "fleet/front_private.h"
#include "fleet/members.h"
#include "fleet/one_end.h"
#include "observe/log.h"
#include "os/clock.h"

enum { FETCHED_AT_ONCE = 256 };

static void fetch(struct front_cargo *cargo);

/* --- one event --- */

void front_begin(struct front_cargo *cargo)
{
    cargo->started = true;
    cargo->leased_ns = loop_now_ns();
    front_cargo_waits(cargo, false);
    run_carried_accepted(cargo->run); /* the broker's word may come later */
    front_commands_flush(cargo);
}

static void begin_again(struct front_cargo *cargo, unsigned attempt)
{
    bool had_begun = cargo->started;
    cargo->attempt = attempt;
    cargo->next_number = 1;
    cargo->seen_number = 0;
    cargo->asked_number = 0;
    cargo->incomplete = false;
    if (had_begun)
        run_carried_again(cargo->run, attempt);
}

static void tell(struct run *run, const struct carried_event *event)
{
    switch (event->kind) {
    case EVENT_STATE:
        run_carried_state(run, event->state);
        break;
    case EVENT_STDOUT:
    case EVENT_STDERR:
    case EVENT_NOTICE:
        run_carried_output(run, event->kind, event->bytes);
        break;
    case EVENT_USAGE:
        run_carried_usage(run, event->cpu_ms, event->memory_bytes);
        break;
    case EVENT_GAP:
        run_carried_gap(run, event->lost_bytes);
        break;
    case EVENT_END:
        break;
    }
}

static void apply(struct front_cargo *cargo, const struct carried_event *event)
{
    run_carried_at(cargo->run, event->time_ms);
    if (!cargo->started)
        front_begin(cargo);
    cargo->next_number = event->number + 1;
    tell(cargo->run, event);
    if (cargo->run)
        run_carried_at(cargo->run, 0);
}

/* False when an earlier one is missing, and this one is of no use yet. */
static bool take(struct front_cargo *cargo, const struct carried_event *event)
{
    if (!cargo->run || cargo->ended || event->attempt < cargo->attempt)
        return true;
    if (event->attempt > cargo->attempt)
        begin_again(cargo, event->attempt);
    cargo->seen_number = MAX(cargo->seen_number, event->number);
    if (event->number < cargo->next_number || cargo->incomplete)
        return true;
    if (event->number > cargo->next_number)
        return false;
    apply(cargo, event);
    return true;
}

/* --- the end --- */

/* What the result says that was not heard; all of it when a later attempt made it. */
void front_take_rest(struct front_cargo *cargo, const struct job_result *result)
{
    if (result->attempt > cargo->attempt)
        begin_again(cargo, result->attempt);
    for (size_t i = 0; i < result->event_count && cargo->run; i++) {
        struct carried_event event = result->events[i];
        if (result->attempt == cargo->attempt && event.number >= cargo->next_number)
            apply(cargo, &event);
    }
}

static bool is_whole(const struct front_cargo *cargo, const struct job_result *result)
{
    return result->event_count > 0 || result->attempt < cargo->attempt ||
           (result->attempt == cargo->attempt && cargo->next_number > result->last_event);
}

/* Some of a streaming run's output may still stand in the stream: that is looked at first. */
static bool may_be_had(struct front_cargo *cargo, const struct job_result *result)
{
    if (is_whole(cargo, result) || cargo->incomplete)
        return false;
    cargo->seen_number = MAX(cargo->seen_number, result->last_event);
    fetch(cargo);
    return cargo->filling;
}

/* A front that gave the run up is not who had it. */
static void name_worker(struct front_cargo *cargo, const struct job_result *result)
{
    if (fleet_members_have(cargo->front->members, true, result->worker))
        run_carried_worker(cargo->run, result->worker);
}

/* The first one, until what it lacks has come: the broker brings it once, and Redis may not have
 * it. False when there is no memory. */
static bool keep(struct front_cargo *cargo, struct slice text)
{
    if (cargo->result.len > 0)
        return true;
    buf_add_slice(&cargo->result, text);
    if (!cargo->result.failed)
        return true;
    buf_clear(&cargo->result);
    return false;
}

static void finish(struct front_cargo *cargo, const struct job_result *result, struct slice text)
{
    if (!cargo->run || cargo->ended)
        return;
    cargo->form->take_rest(cargo, result);
    if (!cargo->run || (may_be_had(cargo, result) && keep(cargo, text)))
        return;
    if (!is_whole(cargo, result))
        run_carried_gap(cargo->run, 0);
    cargo->ended = true;
    front_cargo_waits(cargo, false);
    run_carried_accepted(cargo->run);
    name_worker(cargo, result);
    run_carried_ended(cargo->run, &result->result, result->artifacts, result->artifact_count);
}

static void take_result_of(struct front_cargo *cargo, struct slice text)
{
    struct err err = {0};
    struct job_result result;
    if (result_decode(text, &result, &err) < 0) {
        log_event(LOG_WARN, "result_unreadable", LOG_TEXT("run", cargo->id),
                  LOG_TEXT("reason", err.text), LOG_END);
        return;
    }
    if (strcmp(result.id, cargo->id) == 0)
        finish(cargo, &result, text);
    result_fini(&result);
}

void front_take_result(struct fleet_front *front, struct slice text)
{
    struct err err = {0};
    struct job_result result;
    if (result_decode(text, &result, &err) < 0) {
        log_event(LOG_WARN, "result_unreadable", LOG_TEXT("reason", err.text), LOG_END);
        return;
    }
    struct front_cargo *cargo = front_cargo_find(front, result.id);
    if (!cargo)
        cargo = front_resume_found(front, result.id);
    if (cargo)
        finish(cargo, &result, text);
    result_fini(&result);
}

/* --- messages --- */

void front_message(void *context, const char *channel, struct slice payload)
{
    struct fleet_front *front = context;
    struct err err = {0};
    struct carried_event event;
    const char *id = id_of_channel(channel, FOREIGN_CHANNEL_PREFIX);
    if (id) {
        front_foreign_line(front, id, payload);
        return;
    }
    id = id_of_channel(channel, EVENTS_PREFIX);
    struct front_cargo *cargo = id ? front_cargo_find(front, id) : NULL;
    if (!cargo || cargo->ended)
        return;
    if (event_decode(payload, &event, &err) < 0) {
        log_event(LOG_WARN, "event_unreadable", LOG_TEXT("run", cargo->id),
                  LOG_TEXT("reason", err.text), LOG_END);
        return;
    }
    cargo->quiet = false;
    cargo->leased_ns = loop_now_ns();
    if (event.kind == EVENT_END)
        cargo->asks_again = cargo->filling; /* the answer that is due may lack the last ones */
    else if (event.attempt == cargo->attempt)
        cargo->seen_number = MAX(cargo->seen_number, event.number);
    front_cargo_hold(cargo);
    if (event.kind == EVENT_END && event.number <= cargo->next_number && event.bytes.len > 0)
        take_result_of(cargo, event.bytes);
    else if (event.kind == EVENT_END || cargo->filling || !take(cargo, &event))
        fetch(cargo);
    front_cargo_release(cargo);
}

/* --- what is missing --- */

/* The end that was kept, with what was had of the stream; unless Redis' waits for more of that. */
static void finish_kept(struct front_cargo *cargo)
{
    if (!cargo->run || cargo->ended || cargo->filling || cargo->result.len == 0)
        return;
    cargo->incomplete = true;
    take_result_of(cargo, buf_slice(&cargo->result));
}

/* Its last word, when the stream has no more to say: what Redis has is what all are told. */
static void on_result(void *context, const struct redis_reply *reply)
{
    struct front_cargo *cargo = context;
    if (reply && reply->kind == REDIS_STRING && cargo->run && !cargo->ended)
        take_result_of(cargo, reply->text);
    finish_kept(cargo);
    front_found(cargo);
    front_cargo_release(cargo);
}

static void ask_result(struct front_cargo *cargo)
{
    struct fleet_key run = run_key(cargo->id);
    front_cargo_hold(cargo);
    if (redis_command(cargo->front->redis, on_result, cargo, slice_of("HGET"), slice_of(run.text),
                      slice_of("result")) == 0)
        return;
    finish_kept(cargo);
    front_found(cargo);
    front_cargo_release(cargo);
}

/* Entries are [id, ["e", bytes]]. */
static bool entry_event(const struct redis_reply *entry, struct carried_event *ret_event)
{
    if (entry->kind != REDIS_ARRAY || entry->count != 2 || entry->items[1].kind != REDIS_ARRAY ||
        entry->items[1].count < 2)
        return false;
    return event_decode(entry->items[1].items[1].text, ret_event, NULL) == 0;
}

/* What is not in the stream any more will not come. Of a capped run all that follows is left to
 * its result, too, so that nothing is said out of its order. */
static void skip_to(struct front_cargo *cargo, uint64_t number)
{
    if (!cargo->streaming) {
        cargo->incomplete = true;
        return;
    }
    run_carried_gap(cargo->run, 0);
    cargo->next_number = number;
}

/* Is there more to fetch? What was known of when the stream was asked, and is not in its
 * answer, is lost; what was heard of since then is not. */
static bool is_missing(struct front_cargo *cargo, bool is_stuck, size_t count)
{
    if (is_stuck && cargo->asked_number >= cargo->next_number)
        skip_to(cargo, cargo->asked_number + 1);
    if (cargo->asks_again) {
        cargo->asks_again = false;
        return true;
    }
    if (cargo->incomplete)
        return false;
    return cargo->next_number <= cargo->seen_number || (count == FETCHED_AT_ONCE && !is_stuck);
}

static void on_entries(void *context, const struct redis_reply *reply)
{
    struct front_cargo *cargo = context;
    size_t count = reply && reply->kind == REDIS_ARRAY ? reply->count : 0;
    uint64_t before = cargo->next_number;
    cargo->filling = false;
    for (size_t i = 0; i < count && cargo->run && !cargo->ended; i++) {
        struct carried_event event;
        if (!entry_event(&reply->items[i], &event))
            continue;
        if (!take(cargo, &event)) {
            skip_to(cargo, event.number);
            (void)take(cargo, &event);
        }
    }
    if (!cargo->run || cargo->ended)
        front_found(cargo);
    else if (reply && is_missing(cargo, cargo->next_number == before, count))
        fetch(cargo);
    else
        ask_result(cargo);
    front_cargo_release(cargo);
}

static void fetch(struct front_cargo *cargo)
{
    char from[48];
    char count[8];
    struct fleet_key events = events_key(cargo->id);
    if (cargo->filling)
        return;
    (void)snprintf(from, sizeof from, "%u-%" PRIu64, cargo->attempt, cargo->next_number);
    (void)snprintf(count, sizeof count, "%d", FETCHED_AT_ONCE);
    cargo->asked_number = cargo->seen_number;
    front_cargo_hold(cargo);
    cargo->filling = redis_command(cargo->front->redis, on_entries, cargo, slice_of("XRANGE"),
                                   slice_of(events.text), slice_of(from), slice_of("+"),
                                   slice_of("COUNT"), slice_of(count)) == 0;
    if (cargo->filling)
        return;
    front_found(cargo);
    front_cargo_release(cargo);
}

void front_catch_up(struct front_cargo *cargo)
{
    fetch(cargo);
}

/* --- an end of ours --- */

static void on_stored(void *context, const struct redis_reply *reply)
{
    struct front_cargo *cargo = context;
    if (!reply || reply->kind == REDIS_ERROR)
        cargo->missed_ns = 0; /* the lease could not be written, perhaps */
    /* The result comes on the channel, whoever's it is; or the catching up finds it. */
    if (cargo->run && !cargo->ended)
        fetch(cargo);
    front_cargo_release(cargo);
}

int front_end(struct front_cargo *cargo, enum verdict verdict, const char *reason)
{
    auto_buf struct buf text;
    struct job_result result = {
        .attempt = cargo->started ? cargo->attempt : 0,
        .last_event = cargo->next_number - 1,
        .result = {.verdict = verdict, .exit_code = -1},
    };
    buf_init(&text, MIB);
    (void)snprintf(result.id, sizeof result.id, "%s", cargo->id);
    (void)snprintf(result.worker, sizeof result.worker, "%s", cargo->front->name);
    (void)snprintf(result.result.reason, sizeof result.result.reason, "%s", reason);
    if (result_encode(&result, false, &text) < 0)
        return -1;
    struct one_end end = {
        .id = cargo->id,
        .result = buf_slice(&text),
        .attempt = result.attempt,
        .number = cargo->next_number,
    };
    front_cargo_hold(cargo);
    if (one_end_store(cargo->front->redis, &end, on_stored, cargo) == 0)
        return 0;
    front_cargo_release(cargo);
    return -1;
}
