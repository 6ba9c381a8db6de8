/* SPDX-License-Identifier: MIT */
/* front_foreign.c — runs that runners of the code-execution form carry out: a job of their
 * form goes out, lines come on a channel, and a result by a queue that all fronts share.
 *
 * So the result may come to a front that has not sent the job. Whoever gets it stores it
 * as every end is stored (one_end.h), and whoever has the run hears of it by that: behind the
 * lines, since those went through the same Redis before. What a result has beyond the
 * lines that were heard is taken from it. Such a runner hears nothing of us: a run that is
 * cancelled ends here, and what the runner says later is late. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fnv.h"
#include "fleet/foreign.h"
#include "fleet/front_private.h"
#include "fleet/one_end.h"
#include "language/language.h"
#include "observe/log.h"

#define SILENT_MS (60ULL * 1000) /* their runners end a job by themselves after this */

static const char runner_name[] = "code-execution"; /* they do not say who they are */

/* --- a job --- */

static int prepare(struct front_cargo *cargo, const struct job_header *header,
                   const struct run_spec *spec, struct err *err)
{
    struct fleet_key channel = foreign_channel(cargo->id);
    struct foreign_job job = {
        .id = header->id,
        .workspace_id = spec->workspace,
        .spec = *spec,
    };
    buf_fini(&cargo->job);
    buf_init(&cargo->job, FOREIGN_JOB_MAX_BYTES);
    if (foreign_job_encode(&job, &cargo->job, err) < 0)
        return -1;
    (void)redis_subscribe(cargo->front->redis, channel.text, NULL, NULL);
    return 0;
}

static int publish(struct front_cargo *cargo, struct err *err)
{
    struct fleet_key key = foreign_job_key(run_language(cargo->run));
    struct amqp_message message =
        foreign_job_message(&key, cargo->id, buf_slice(&cargo->job), cargo->submitted_ms);
    message.mandatory = true;
    return front_publish(cargo, &message, err);
}

static void release(struct cargo *base)
{
    struct front_cargo *cargo = front_cargo_of(base);
    struct fleet_key channel = foreign_channel(cargo->id);
    if (cargo->run && cargo->front->redis)
        redis_unsubscribe(cargo->front->redis, channel.text);
    front_cargo_free(base);
}

/* --- what cannot be said to it --- */

static int refuse_input(struct cargo *cargo, struct slice bytes, struct err *err)
{
    (void)cargo;
    (void)bytes;
    return err_set(err, ERR_INVALID, "the runner of this job takes no input");
}

static void close_input(struct cargo *cargo)
{
    (void)cargo; /* it never was open */
}

static void pass_no_signal(struct cargo *cargo, int signal)
{
    (void)cargo;
    (void)signal;
}

static void resize_nothing(struct cargo *cargo, unsigned columns, unsigned rows)
{
    (void)cargo;
    (void)columns;
    (void)rows;
}

static void cancel(struct cargo *base, const char *why)
{
    struct front_cargo *cargo = front_cargo_of(base);
    front_note_cancel(cargo, why);
    (void)front_end(cargo, cargo->cancelled_as, cargo->cancel);
}

static void take_note_of_nothing(struct cargo *cargo, uint64_t bytes)
{
    (void)cargo; /* nobody is held back */
    (void)bytes;
}

/* Their queue does not say how it goes on. */
static size_t no_position(const struct cargo *cargo)
{
    (void)cargo;
    return 0;
}

static uint64_t no_wait_ms(const struct cargo *cargo)
{
    (void)cargo;
    return 0;
}

/* --- lines --- */

static bool is_line_end(char byte)
{
    return byte == '\n' || byte == '\r'; /* runners that split lines drop both */
}

static void hear(struct front_cargo *cargo, struct slice line)
{
    struct front_heard *heard = &cargo->heard;
    if (heard->hash == 0)
        heard->hash = FNV_START;
    for (size_t i = 0; i < line.len; i++) {
        if (is_line_end(line.at[i]))
            continue;
        heard->hash = fnv_add(heard->hash, line.at[i]);
        heard->bytes++;
    }
    heard->lines++;
}

static void take_line(struct front_cargo *cargo, const struct foreign_line *line)
{
    enum event_kind kind = line->is_stderr ? EVENT_STDERR : EVENT_STDOUT;
    auto_buf struct buf text;
    buf_init(&text, line->line.len + 1);
    buf_add_slice(&text, line->line);
    buf_add_char(&text, '\n');
    if (!cargo->started)
        front_begin(cargo);
    run_carried_state(cargo->run, RUN_RUNNING);
    if (text.failed || !cargo->run)
        return;
    hear(cargo, line->line);
    run_carried_output(cargo->run, kind, buf_slice(&text));
}

void front_foreign_line(struct fleet_front *front, const char *id, struct slice payload)
{
    struct err err = {0};
    struct foreign_line line;
    struct front_cargo *cargo = front_cargo_find(front, id);
    if (!cargo || cargo->ended)
        return;
    if (foreign_line_decode(payload, &line, &err) < 0) {
        log_event(LOG_WARN, "line_unreadable", LOG_TEXT("run", cargo->id),
                  LOG_TEXT("reason", err.text), LOG_END);
        return;
    }
    front_cargo_hold(cargo);
    cargo->quiet = false;
    cargo->leased_ns = loop_now_ns();
    if (strcmp(line.id, cargo->id) == 0)
        take_line(cargo, &line);
    front_cargo_release(cargo);
    foreign_line_fini(&line);
}

/* --- what was not heard --- */

/* Of `output`, what stands behind the lines that were heard; all of it counts `bytes`
 * without the ends of lines. NULL: it does not begin with them. */
static const char *behind_heard(const struct front_heard *heard, struct slice output,
                                uint64_t *ret_bytes)
{
    const char *rest = NULL;
    uint64_t hash = FNV_START;
    uint64_t bytes = 0;
    uint64_t lines = 0;
    bool is_same = heard->bytes == 0;
    for (size_t i = 0; i < output.len; i++) {
        bool is_end = is_line_end(output.at[i]);
        if (!rest && is_same && (!is_end || lines >= heard->lines))
            rest = output.at + i;
        lines += output.at[i] == '\n';
        if (is_end)
            continue;
        hash = fnv_add(hash, output.at[i]);
        bytes++;
        is_same = is_same || (bytes == heard->bytes && hash == heard->hash);
    }
    *ret_bytes = bytes;
    return rest;
}

static void take_rest(struct front_cargo *cargo, const struct job_result *result)
{
    struct slice output = {"", 0};
    uint64_t bytes = 0;
    if (result->attempt != cargo->attempt) /* no runner's */
        return;
    if (!cargo->started)
        front_begin(cargo);
    run_carried_state(cargo->run, RUN_RUNNING);
    if (result->event_count > 0)
        output = result->events[0].bytes;
    else /* one of our workers took it, and has told its lines before */
        cargo->next_number = MAX(cargo->next_number, result->last_event + 1);
    const char *rest = behind_heard(&cargo->heard, output, &bytes);
    if (!cargo->run || bytes <= cargo->heard.bytes)
        return;
    if (rest)
        run_carried_output(cargo->run, EVENT_STDOUT,
                           (struct slice){rest, output.len - (size_t)(rest - output.at)});
    else
        run_carried_gap(cargo->run, bytes - cargo->heard.bytes);
}

/* A runner that has begun and is gone says nothing: its job may come to another one, but
 * not for ever. */
static void look(struct front_cargo *cargo)
{
    uint64_t bound_ms = run_limits(cargo->run)->value[LIMIT_WALL] + SILENT_MS;
    if (cargo->started && loop_now_ns() - cargo->leased_ns > bound_ms * NS_PER_MS)
        (void)front_end(cargo, VERDICT_INTERNAL_ERROR, "worker lost");
}

/* --- results --- */

/* One on its way from the queue to Redis. */
struct foreign_end {
    struct fleet_front *front;
    struct list link;
    struct amqp_ref ref;
    struct buf text; /* as ours are */
    char id[RUN_ID_SIZE];
    bool storing;
};

static void end_free(struct foreign_end *end)
{
    list_remove(&end->link);
    buf_fini(&end->text);
    free(end);
}

static void on_stored(void *context, const struct redis_reply *reply)
{
    struct foreign_end *end = context;
    end->storing = false;
    if (!reply)
        return;                                           /* once more, when Redis is back */
    front_take_result(end->front, buf_slice(&end->text)); /* should another one have stored its */
    if (reply->kind == REDIS_ERROR)
        return; /* once more, soon: another front, whose run it is, hears of it by no other way */
    amqp_settle(end->front->amqp, end->ref, AMQP_ACK);
    end_free(end);
}

static int store(struct foreign_end *end)
{
    struct one_end one = {
        .id = end->id,
        .result = buf_slice(&end->text),
        .attempt = 1,
        .number = 1, /* it is whole by itself */
    };
    end->storing = one_end_store(end->front->redis, &one, on_stored, end) == 0;
    return end->storing ? 0 : -1;
}

void front_foreign_store(struct fleet_front *front)
{
    list_for_each (link, &front->foreign_ends) {
        struct foreign_end *end = CONTAINER_OF(link, struct foreign_end, link);
        if (!end->storing && store(end) < 0)
            return;
    }
}

void front_foreign_drop(struct fleet_front *front)
{
    list_for_each_safe (link, following, &front->foreign_ends)
        end_free(CONTAINER_OF(link, struct foreign_end, link));
}

static int encode_end(const struct foreign_result *theirs, struct buf *text)
{
    struct carried_event output = {
        .number = 1,
        .attempt = 1,
        .kind = EVENT_STDOUT,
        .bytes = theirs->output,
    };
    struct job_result ours = {
        .attempt = 1,
        .result = foreign_result_end(theirs),
        .events = &output,
        .event_count = theirs->output.len > 0 ? 1 : 0,
        .last_event = theirs->output.len > 0 ? 1 : 0,
    };
    memcpy(ours.id, theirs->id, strlen(theirs->id) + 1);
    memcpy(ours.worker, runner_name, sizeof runner_name);
    return result_encode(&ours, true, text);
}

static struct foreign_end *end_new(struct fleet_front *front, struct amqp_ref ref,
                                   const struct foreign_result *theirs)
{
    struct foreign_end *end = calloc(1, sizeof *end);
    if (!end)
        return NULL;
    end->front = front;
    end->ref = ref;
    memcpy(end->id, theirs->id, strlen(theirs->id) + 1);
    buf_init(&end->text, RESULT_MAX_BYTES);
    list_append(&front->foreign_ends, &end->link);
    if (encode_end(theirs, &end->text) == 0)
        return end;
    end_free(end);
    return NULL;
}

bool front_is_foreign_result(const struct amqp_delivery *delivery)
{
    return strcmp(delivery->queue, FOREIGN_RESULTS_QUEUE) == 0;
}

void front_foreign_result(struct fleet_front *front, const struct amqp_delivery *delivery)
{
    struct err err = {0};
    struct foreign_result theirs;
    int rc = foreign_result_decode(delivery->body, &theirs, &err);
    if (rc == 0 && strlen(theirs.id) >= RUN_ID_SIZE) {
        foreign_result_fini(&theirs);
        rc = err_field(&err, "job_id", "not a result: job_id is too long");
    }
    if (rc < 0) { /* as often as it comes */
        log_event(LOG_WARN, "result_unreadable", LOG_TEXT("reason", err.text), LOG_END);
        amqp_settle(front->amqp, delivery->ref, AMQP_REJECT);
        return;
    }
    struct foreign_end *end = end_new(front, delivery->ref, &theirs);
    foreign_result_fini(&theirs);
    if (!end)
        amqp_settle(front->amqp, delivery->ref,
                    AMQP_REJECT); /* too large for us: as good as lost */
    else if (store(end) < 0)
        front_take_result(front, buf_slice(&end->text)); /* one of ours does not wait for Redis */
}

/* --- which runs --- */

static const struct carrier_ops cargo_ops = {
    .name = "code-execution",
    .send = front_send,
    .write = refuse_input,
    .close_input = close_input,
    .signal = pass_no_signal,
    .resize = resize_nothing,
    .cancel = cancel,
    .taken = take_note_of_nothing,
    .position = no_position,
    .wait_ms = no_wait_ms,
    .may_have_begun = front_may_have_begun,
    .free = release,
};

static const struct front_form form = {
    .ops = &cargo_ops,
    .prepare = prepare,
    .publish = publish,
    .take_rest = take_rest,
    .look = look,
};

bool front_foreign_has_language(const struct fleet_front *front, const struct language *language)
{
    return front->config.foreign_workers && foreign_has_language(language);
}

/* What their form has no word for, our workers do. */
const struct front_form *front_foreign_form(const struct fleet_front *front,
                                            const struct run_spec *spec)
{
    bool fits = spec->profile == PROFILE_JOBS && spec->file_count == 0 && spec->input.len == 0 &&
                job_is_batch(spec);
    return fits && front_foreign_has_language(front, spec->language) ? &form : NULL;
}
