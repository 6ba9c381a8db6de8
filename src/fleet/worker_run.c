/* SPDX-License-Identifier: MIT */
/* worker_run.c — one run in our engine: what it says goes out as events, what its clients
 * say comes in as commands.
 *
 * An event stands in the run's stream under ATTEMPT-NUMBER, so that a reader that misses
 * some can ask for just these, and so that Redis refuses what an attempt says that another
 * has followed already. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/utf8.h"
#include "fleet/worker_private.h"
#include "observe/log.h"

/* KEYS: run; ARGV: attempt, worker, seconds. 1: nobody wants it any more; 2: another worker
 * has begun that attempt, or a later one. What we have said before we may say again. */
static const char begin_script[] =
    "local begun = tonumber(redis.call('HGET', KEYS[1], 'attempt') or '0') or 0\n"
    "local is_ours = redis.call('HGET', KEYS[1], 'worker') == ARGV[2]\n"
    "local number = tonumber(ARGV[1])\n"
    "if begun > number or (begun == number and not is_ours) then return 2 end\n"
    "redis.call('HSET', KEYS[1], 'attempt', ARGV[1], 'worker', ARGV[2])\n"
    "if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end\n"
    "if redis.call('HEXISTS', KEYS[1], 'cancel') == 1 then return 1 end\n"
    "return redis.call('HEXISTS', KEYS[1], 'result')\n";

/* KEYS: events, run; ARGV: id, the event, the oldest id that is kept ("": all), the state that
 * the run is in now ("": as before), seconds. */
static const char tell_script[] =
    "if ARGV[3] == '' then\n"
    "  redis.call('XADD', KEYS[1], ARGV[1], 'e', ARGV[2])\n"
    "else\n"
    "  redis.call('XADD', KEYS[1], 'MINID', '~', ARGV[3], ARGV[1], 'e', ARGV[2])\n"
    "end\n"
    "redis.call('PUBLISH', KEYS[1], ARGV[2])\n"
    "if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], ARGV[5]) end\n"
    "if ARGV[4] ~= '' and redis.call('EXISTS', KEYS[2]) == 1 then\n"
    "  redis.call('HSET', KEYS[2], 'state', ARGV[4])\n"
    "end\n";

/* Our lease had lapsed meanwhile: this attempt is not ours, and would be counted once for two. */
enum { ANOTHER_HAS_BEGUN = 2 };
enum { EVENT_OVERHEAD = 128 }; /* of each, in Redis */

/* --- events --- */

/* State `queued` is the front's to say, and the end is its result's. */
bool work_carries(const struct work *work, const struct event *event,
                  struct carried_event *ret_event)
{
    bool is_first_or_last =
        event->kind == EVENT_STATE && (event->state == RUN_QUEUED || event->state == RUN_FINISHED);
    if (is_first_or_last || event->kind == EVENT_END)
        return false;
    *ret_event = (struct carried_event){
        .attempt = work->attempt,
        .time_ms = event->time_ms + work->age_ms,
        .kind = event->kind,
        .state = event->state,
        .cpu_ms = event->cpu_ms,
        .memory_bytes = event->memory_bytes,
        .lost_bytes = event->lost_bytes,
        .bytes = event->bytes,
    };
    return true;
}

static void on_told(void *context, const struct redis_reply *reply)
{
    struct work *work = context;
    bool was_told = reply && reply->kind != REDIS_ERROR;
    if (!work_answered(work) || was_told)
        return;
    if (reply && !work->events.lossy)
        log_event(LOG_WARN, "event_not_stored", LOG_TEXT("run", work->header.id),
                  LOG_TEXT("reason", "Redis refused it"), LOG_END);
    work->events.lossy = true;
    if (reply)
        work_take_all(work);
}

/* The oldest that the stream keeps once this one is in it; 0: all. */
static uint64_t oldest_kept(struct work_events *events, size_t len)
{
    events->held_bytes += len + EVENT_OVERHEAD;
    if (events->held_bytes >= (events->mark_count + 1) * EVENT_MARK_BYTES) {
        events->marks[events->mark_count % EVENT_MARKS] = events->number;
        events->mark_count++;
    }
    return events->mark_count < EVENT_MARKS ? 0 : events->marks[events->mark_count % EVENT_MARKS];
}

static int send_event(struct work *work, const struct carried_event *event)
{
    struct fleet_key events = events_key(work->header.id);
    struct fleet_key run = run_key(work->header.id);
    char id[48];
    char oldest[48] = "";
    char lives[16];
    auto_buf struct buf text;
    buf_init(&text, event->bytes.len + KIB);
    event_encode(event, &text);
    if (text.failed)
        return -1;
    uint64_t kept_from = oldest_kept(&work->events, text.len);
    bool tells_state = event->kind == EVENT_STATE && event->state != RUN_WAITING;
    (void)snprintf(id, sizeof id, "%u-%" PRIu64, event->attempt, event->number);
    if (kept_from > 0)
        (void)snprintf(oldest, sizeof oldest, "%u-%" PRIu64, event->attempt, kept_from);
    (void)snprintf(lives, sizeof lives, "%d", RUN_LIVES_S);
    return WORK_ASK(work, on_told, slice_of("EVAL"), slice_of(tell_script), slice_of("2"),
                    slice_of(events.text), slice_of(run.text), slice_of(id), buf_slice(&text),
                    slice_of(oldest), slice_of(tells_state ? run_state_name(event->state) : ""),
                    slice_of(lives));
}

/* An event that Redis does not get still has its number: so it is missed. */
void work_tell(struct work *work, const struct carried_event *event)
{
    struct work_events *events = &work->events;
    if (send_event(work, event) < 0)
        events->lossy = true;
    else if (event->kind == EVENT_STDOUT || event->kind == EVENT_STDERR)
        events->output_bytes += event->bytes.len;
}

static void tell(struct work *work, struct carried_event *event)
{
    event->number = ++work->events.number;
    work->form->tell(work, event);
}

/* --- its life --- */

void work_count(struct work *work)
{
    struct fleet_key lane = lane_key(work->header.lane, work->header.aside);
    if (work->is_counted)
        return;
    work->is_counted = true;
    (void)redis_command(work->worker->redis, NULL, NULL, slice_of("HINCRBY"), slice_of(lane.text),
                        slice_of("out"), slice_of("1"));
}

static void on_begun(void *context, const struct redis_reply *reply)
{
    struct work *work = context;
    int64_t answer = reply && reply->kind == REDIS_INTEGER ? reply->integer : 0;
    if (!work_answered(work))
        return;
    work->is_begun_unsaid = reply && reply->kind == REDIS_ERROR;
    if (answer == 0 || work->state != WORK_RUNNING)
        return;
    if (answer == ANOTHER_HAS_BEGUN) {
        work_release_lease(work);
        work_abandon(work, AMQP_REQUEUE);
    } else {
        run_cancel(work->run, "it was stopped");
    }
}

/* From here on it counts as an attempt. */
static void say_begun(struct work *work)
{
    struct fleet_key run = run_key(work->header.id);
    char attempt[16];
    char lives[16];
    (void)snprintf(attempt, sizeof attempt, "%u", work->attempt);
    (void)snprintf(lives, sizeof lives, "%d", RUN_LIVES_S);
    (void)WORK_ASK(work, on_begun, slice_of("EVAL"), slice_of(begin_script), slice_of("1"),
                   slice_of(run.text), slice_of(attempt), slice_of(work->worker->name),
                   slice_of(lives));
}

void worker_say_begun_again(struct fleet_worker *worker)
{
    list_for_each (link, &worker->works) {
        struct work *work = CONTAINER_OF(link, struct work, link);
        if (work->is_begun_unsaid && work->state == WORK_RUNNING)
            say_begun(work);
    }
}

static void begin(struct work *work)
{
    work->begun_ns = loop_now_ns();
    work_count(work);
    say_begun(work);
}

/* A streaming run's output waits in its log, and then the program does, until its readers have
 * taken what was sent. Those who read while Redis is away get nothing, and hold nothing. */
static bool has_room(const struct work *work)
{
    const struct work_events *events = &work->events;
    return !work->is_streaming || work->is_unheard || !redis_is_connected(work->worker->redis) ||
           events->output_bytes < events->taken_bytes + UNTAKEN_MAX;
}

void work_pump(struct work *work, bool all)
{
    struct event event;
    struct carried_event carried;
    while (work->reader && (all || has_room(work)) && reader_next(work->reader, &event) > 0) {
        if (!work_carries(work, &event, &carried))
            continue;
        if (event.kind == EVENT_STATE && event.state == RUN_PREPARING)
            begin(work);
        tell(work, &carried);
    }
}

void work_take_all(struct work *work)
{
    bool was_held = !has_room(work);
    work->events.taken_bytes = work->events.output_bytes;
    if (was_held && work->state == WORK_RUNNING)
        work_pump(work, false);
}

void worker_pump(struct fleet_worker *worker)
{
    worker->is_telling = false;
    list_for_each (link, &worker->works) {
        struct work *work = CONTAINER_OF(link, struct work, link);
        if (work->state == WORK_RUNNING)
            work_pump(work, false);
    }
}

static void on_ready(void *context)
{
    struct work *work = context;
    struct fleet_worker *worker = work->worker;
    if (!work->is_batch || work->is_streaming) { /* somebody is there, and talks to it */
        work_pump(work, false);
    } else if (!worker->is_telling) {
        worker->is_telling = true;
        loop_timer_start(worker->telling, TELL_WITHIN_MS);
    }
}

void work_run_started(struct work *work)
{
    struct err err = {0};
    work->reader = run_attach(work->run, 0, work->form->reader, on_ready, work, &err);
    if (work->reader)
        return;
    work->events.lossy = true; /* it goes on, and its result says all */
    log_event(LOG_ERROR, "run_unheard", LOG_TEXT("run", work->header.id),
              LOG_TEXT("reason", err.text), LOG_END);
}

/* --- Redis away, and back --- */

void work_events_lost(struct work *work)
{
    work->events.lossy = true;
    work_pump(work, false); /* it need not wait for anybody */
}

/* That it is ours may not be known, if it began without Redis. */
void work_stream_back(struct work *work)
{
    work_take_all(work);
    work->is_leased = true;
    if (work->begun_ns != 0)
        say_begun(work);
}

/* --- commands --- */

/* One that is missing is told, not waited for: what was typed may have had a line in it. */
static void check_number(struct work *work, const struct command *command)
{
    static const char text[] = COMMANDS_LOST_TEXT;
    struct carried_event notice = {
        .attempt = work->attempt,
        .time_ms = run_time_ms(work->run) + work->age_ms,
        .kind = EVENT_NOTICE,
        .bytes = {text, sizeof text - 1},
    };
    bool is_missed = command->number > work->command_number + 1 &&
                     (work->command_number > 0 || work->attempt == 1);
    work->command_number = command->number;
    if (!is_missed || work->events.notice_number != 0)
        return;
    work_pump(work, false);
    tell(work, &notice);
    work->events.notice_number = work->events.number;
}

static void cancel(struct work *work, struct slice why)
{
    (void)utf8_for_people(work->cancel, sizeof work->cancel,
                          why.len > 0 ? why : slice_of("it was stopped"));
    if (work->state == WORK_RUNNING)
        run_cancel(work->run, work->cancel);
}

static void take(struct work *work, uint64_t bytes)
{
    struct work_events *events = &work->events;
    bytes = MIN(bytes, events->output_bytes); /* nobody has taken more than was sent */
    uint64_t more = bytes - MIN(bytes, events->taken_told);
    events->taken_told += more;
    events->taken_bytes = MIN(events->taken_bytes + more, events->output_bytes);
    work_pump(work, false);
}

/* Its front has begun anew. What that one takes from the stream counts, although some of it was
 * taken before: the rest may not be in the stream any more, and would be waited for. */
static void count_anew(struct work *work)
{
    work->command_number = 0;
    work->events.taken_told = 0;
}

static void obey(struct work *work, const struct command *command)
{
    struct err err = {0};
    switch (command->kind) {
    case COMMAND_INPUT:
        if (run_write(work->run, command->bytes, &err) < 0)
            log_event(LOG_DEBUG, "input_refused", LOG_TEXT("run", work->header.id),
                      LOG_TEXT("reason", err.text), LOG_END);
        return;
    case COMMAND_EOF:
        run_close_input(work->run);
        return;
    case COMMAND_SIGNAL:
        run_signal(work->run, (int)command->a);
        return;
    case COMMAND_RESIZE:
        run_resize(work->run, (unsigned)command->a, (unsigned)command->b);
        return;
    case COMMAND_TAKEN:
        take(work, command->a);
        return;
    case COMMAND_CANCEL:
    case COMMAND_ANEW:
    case COMMAND_KINDS:
        break;
    }
}

void worker_message(void *context, const char *channel, struct slice payload)
{
    struct fleet_worker *worker = context;
    struct err err = {0};
    struct command command;
    const char *id = id_of_channel(channel, COMMANDS_PREFIX);
    struct work *work = id ? work_find(worker, id) : NULL;
    if (!work)
        return;
    if (command_decode(payload, &command, &err) < 0) {
        log_event(LOG_WARN, "command_unreadable", LOG_TEXT("run", id), LOG_TEXT("reason", err.text),
                  LOG_END);
        return;
    }
    work->unattended_ns = loop_now_ns();
    if (command.kind == COMMAND_CANCEL)
        cancel(work, command.bytes);
    if (command.kind == COMMAND_ANEW)
        count_anew(work);
    if (work->state != WORK_RUNNING || command.number <= work->command_number)
        return;
    check_number(work, &command);
    obey(work, &command);
}
