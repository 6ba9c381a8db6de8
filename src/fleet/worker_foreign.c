/* SPDX-License-Identifier: MIT */
/* worker_foreign.c — jobs of the code-execution form, from backends that are not ours: the
 * same life, but lines of output for events, nobody who says anything, and a result that
 * the broker alone carries. Redis keeps ours beside it, so that a job which comes twice is
 * recognised. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/foreign.h"
#include "fleet/one_end.h"
#include "fleet/worker_private.h"
#include "language/language.h"
#include "observe/log.h"
#include "os/clock.h"

#define OUTPUT_BYTES (8 * MIB) /* of a result */

/* --- lines --- */

static void send_line(struct work *work, bool is_stderr, struct slice text)
{
    struct fleet_key channel = foreign_channel(work->header.id);
    struct foreign_line line = {
        .id = work->header.id,
        .line = text,
        .is_stderr = is_stderr,
        .unix_ms = clock_unix_ms(),
    };
    auto_buf struct buf message;
    buf_init(&message, 6 * FOREIGN_LINE_MAX + KIB); /* every byte may become \u0000 */
    foreign_line_encode(&line, &message);
    if (!message.failed)
        (void)redis_command(work->worker->redis, NULL, NULL, slice_of("PUBLISH"),
                            slice_of(channel.text), buf_slice(&message));
}

/* What is too long for one is told in pieces, cut between characters. */
static size_t cut(struct slice text)
{
    size_t len = MIN(text.len, (size_t)FOREIGN_LINE_MAX);
    while (len < text.len && len > 1 && ((unsigned char)text.at[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static void send_text(struct work *work, bool is_stderr, struct slice text)
{
    while (text.len > FOREIGN_LINE_MAX) {
        size_t len = cut(text);
        send_line(work, is_stderr, (struct slice){text.at, len});
        text = (struct slice){text.at + len, text.len - len};
    }
    send_line(work, is_stderr, text);
}

static void tell(struct work *work, const struct carried_event *event)
{
    bool is_stderr = event->kind == EVENT_STDERR;
    struct slice text = event->bytes;
    struct buf *rest = &work->rest[is_stderr];
    if (event->kind != EVENT_STDOUT && !is_stderr)
        return;
    for (const char *end; (end = memchr(text.at, '\n', text.len)) != NULL;) {
        size_t len = (size_t)(end - text.at);
        buf_add(rest, text.at, len);
        send_text(work, is_stderr, buf_slice(rest));
        buf_clear(rest);
        text = (struct slice){end + 1, text.len - len - 1};
    }
    buf_add_slice(rest, text);
}

static void tell_rest(struct work *work)
{
    for (int i = 0; i < 2; i++) {
        if (work->rest[i].len > 0)
            send_text(work, i == 1, buf_slice(&work->rest[i]));
        buf_fini(&work->rest[i]);
    }
}

/* --- the result --- */

/* -1: no memory. What is beyond the output's maximum is left out. */
static int collect(struct work *work, struct buf *output)
{
    struct event event;
    struct reader *reader = run_attach(work->run, 0, READER_TEXT, NULL, NULL, NULL);
    if (!reader)
        return -1;
    while (reader_next(reader, &event) > 0) {
        if (event.kind == EVENT_STDOUT || event.kind == EVENT_STDERR)
            buf_add(output, event.bytes.at, MIN(event.bytes.len, output->max - output->len));
    }
    reader_free(reader);
    return output->failed ? -1 : 0;
}

static int encode(struct work *work, struct job_result *end)
{
    auto_buf struct buf output;
    struct foreign_result result = {
        .id = work->header.id,
        .workspace_id = work->workspace ? work->workspace : "default",
    };
    buf_init(&output, OUTPUT_BYTES);
    if (work->run && collect(work, &output) < 0)
        return -1;
    tell_rest(work);
    result.output = (struct slice){buf_text(&output), output.len};
    foreign_result_set_end(&result, &end->result);
    if (foreign_result_encode(&result, &work->result) < 0)
        return -1;
    return result_encode(end, false, &work->brief);
}

static struct fleet_key result_key(const struct work *work)
{
    if (work->language)
        return foreign_result_key(work->language);
    return (struct fleet_key){"results.unknown"};
}

static void publish(struct work *work)
{
    struct fleet_key key = result_key(work);
    struct amqp_message message =
        foreign_result_message(&key, work->header.id, buf_slice(&work->result));
    work_publish(work, &message);
}

static void on_lines_told(void *context, const struct redis_reply *reply)
{
    struct work *work = context;
    (void)reply; /* without Redis there are no lines to wait for */
    if (work_answered(work))
        publish(work);
}

/* The lines first: Redis has passed on all of them once it answers. */
static void store(struct work *work)
{
    if (WORK_ASK(work, on_lines_told, slice_of("PING")) < 0)
        publish(work);
}

/* Backends know what they have been told; this is for who has the job once more. */
static void arrived(struct work *work)
{
    struct one_end end = {
        .id = work->header.id,
        .worker = work->worker->name,
        .result = buf_slice(&work->brief),
        .attempt = work->attempt,
        .number = work->events.number + 1,
    };
    (void)one_end_store(work->worker->redis, &end, NULL, NULL);
}

static const struct work_form form = {
    .reader = READER_TEXT,
    .tell = tell,
    .encode = encode,
    .store = store,
    .arrived = arrived,
};

/* --- deliveries --- */

static bool is_allowed(const struct fleet_worker *worker, const struct language *language,
                       const char *name)
{
    const char *const *at = worker->config.dependencies;
    for (; at && *at; at++) {
        size_t len = strcspn(*at, ":");
        if ((*at)[len] == ':' && strcmp(*at + len + 1, name) == 0 &&
            catalogue_find(worker->config.catalogue, (struct slice){*at, len}) == language)
            return true;
    }
    return false;
}

static int check_dependencies(const struct fleet_worker *worker, const struct foreign_job *job,
                              struct err *err)
{
    for (const char *const *at = job->dependencies; at && *at; at++) {
        if (!is_allowed(worker, job->spec.language, *at))
            return err_set(err, ERR_INVALID,
                           "the package %.100s is not on this server for %s; nothing is installed "
                           "for a job",
                           *at, job->spec.language->title);
    }
    return 0;
}

/* As if it were one of ours: what makes it another form is in the work. */
static struct work *take(struct fleet_worker *worker, const struct amqp_delivery *delivery,
                         struct foreign_job *foreign)
{
    struct job job = {
        .header = {.submitted_ms = clock_unix_ms(), .lane = LANE_NORMAL},
        .spec = foreign->spec,
        .tree = foreign->tree,
        .arrays = foreign->arrays,
    };
    (void)snprintf(job.header.id, sizeof job.header.id, "%s", foreign->id);
    struct work *work = work_new(worker, delivery, &job);
    if (!work)
        return NULL;
    work->form = &form;
    work->language = foreign->spec.language;
    work->workspace = foreign->workspace_id ? strdup(foreign->workspace_id) : NULL;
    work->is_batch = true;
    work->is_counted = true; /* among those of our lanes it never was */
    for (int i = 0; i < 2; i++)
        buf_init(&work->rest[i], OUTPUT_BYTES);
    *foreign = (struct foreign_job){0};
    return work;
}

bool worker_is_foreign(const struct amqp_delivery *delivery)
{
    return strcmp(delivery->queue, FOREIGN_JOBS_QUEUE) == 0;
}

void worker_delivered_foreign(struct fleet_worker *worker, const struct amqp_delivery *delivery)
{
    struct err err = {0};
    struct foreign_job job;
    int rc = foreign_job_decode(delivery->body, worker->config.catalogue, &job, &err);
    if (rc == 0)
        rc = check_dependencies(worker, &job, &err);
    struct work *known = job.id ? work_find(worker, job.id) : NULL;
    struct work *work = NULL;
    if (known)
        work_recognise(known, delivery);
    else if (!job.id) /* nobody could be told */
        amqp_settle(worker->amqp, delivery->ref, AMQP_REJECT);
    else if (!(work = take(worker, delivery, &job)))
        amqp_settle(worker->amqp, delivery->ref, AMQP_REQUEUE);
    foreign_job_fini(&job);
    if (rc < 0)
        log_event(LOG_WARN, "job_refused", LOG_TEXT("message", delivery->message_id),
                  LOG_TEXT("queue", delivery->queue), LOG_TEXT("reason", err.text), LOG_END);
    if (work && rc < 0)
        work_end(work, &(struct verdict_facts){.we_failed = true}, err.text, AMQP_REJECT);
    else if (work)
        work_begin(work);
}
