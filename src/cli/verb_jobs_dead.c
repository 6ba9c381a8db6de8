/* SPDX-License-Identifier: MIT */
/* verb_jobs_dead.c — the queue of jobs that nobody can carry out. A message is looked at by
 * taking it: all that are not settled go back when the connection closes. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/verb_jobs.h"
#include "codec/utf8.h"
#include "fleet/names.h"
#include "os/clock.h"

enum { DEAD_LISTED = 1000 };

/* --- list --- */

#define ROW_FORM "%-39s %-12s %-7s %-20s %-10s %s\n"

struct dead_list {
    bool as_json;
    struct json json;
    struct buf text;
};

static void add_row(struct buf *text, const struct job_summary *job,
                    const struct amqp_delivery *delivery)
{
    char time[32];
    char reason[64];
    char queue[256];
    const char *nameless = delivery->body.at ? "(no job)" : "(too large)";
    buf_add_format(text, ROW_FORM, job->header.id[0] ? job->header.id : nameless,
                   job->language[0] ? job->language : "-", lane_name(job->header.lane),
                   jobs_format_time(time, job->header.submitted_ms),
                   utf8_for_people(reason, sizeof reason, slice_of(delivery->death_reason)),
                   utf8_for_people(queue, sizeof queue, slice_of(delivery->death_queue)));
}

static void write_row(struct json *json, const struct job_summary *job,
                      const struct amqp_delivery *delivery)
{
    json_open_object(json, NULL);
    json_text(json, "id", job->header.id[0] ? job->header.id : NULL);
    json_text(json, "message_id", delivery->message_id);
    json_text(json, "language", job->language);
    json_text(json, "lane", lane_name(job->header.lane));
    json_text(json, "front", job->header.front);
    json_u64(json, "submitted_ms", job->header.submitted_ms);
    json_text(json, "reason", delivery->death_reason);
    json_text(json, "queue", delivery->death_queue);
    json_u64(json, "bytes", delivery->size);
    json_close_object(json);
}

static void take_row(void *context, const struct amqp_delivery *delivery)
{
    struct dead_list *list = context;
    struct job_summary job;
    if (job_summarize(delivery->body, &job, NULL) < 0)
        job = (struct job_summary){.header.lane = LANE_NORMAL};
    if (list->as_json)
        write_row(&list->json, &job, delivery);
    else
        add_row(&list->text, &job, delivery);
}

int jobs_dead_list(struct fleet_link *link, const struct jobs_options *options, const char *id,
                   struct err *err)
{
    struct dead_list list = {.as_json = options->json};
    int found = 1;
    (void)id;
    buf_init(&list.text, SIZE_MAX);
    list.json = json_start(&list.text);
    if (options->json)
        json_open_array(&list.json, NULL);
    else
        buf_add_format(&list.text, ROW_FORM, "ID", "LANGUAGE", "LANE", "SUBMITTED (UTC)", "WHY",
                       "QUEUE");
    for (size_t i = 0; found > 0 && i < DEAD_LISTED; i++)
        found = fleet_link_get(link, DEAD_QUEUE, take_row, &list, err);
    if (options->json)
        json_close_array(&list.json);
    int rc = found < 0 ? -1 : jobs_print(&list.text, options->json, err);
    buf_fini(&list.text);
    return rc;
}

/* --- one of them --- */

struct dead_job {
    const char *id; /* wanted */
    bool is_found;
    uint64_t passed_by; /* bytes of the one of that name that is too large; 0: there is none */
    struct amqp_ref ref;
    struct job_summary job;
    struct buf body;
    struct buf death; /* RabbitMQ's word for it; empty: it has none */
    struct buf queue; /* which it was in */
};

static void take_dead(void *context, const struct amqp_delivery *delivery)
{
    struct dead_job *dead = context;
    if (!delivery->body.at && strcmp(delivery->message_id, dead->id) == 0)
        dead->passed_by = delivery->size;
    if (job_summarize(delivery->body, &dead->job, NULL) < 0 ||
        strcmp(dead->job.header.id, dead->id) != 0)
        return;
    dead->is_found = true;
    dead->ref = delivery->ref;
    buf_add_slice(&dead->body, delivery->body);
    buf_add_text(&dead->death, delivery->death_reason);
    buf_add_text(&dead->queue, delivery->death_queue);
}

/* The caller ends `dead` in any case. */
static int find_dead(struct fleet_link *link, const char *id, struct dead_job *dead,
                     struct err *err)
{
    int found = 1;
    *dead = (struct dead_job){.id = id};
    buf_init(&dead->body, SIZE_MAX);
    buf_init(&dead->death, KIB);
    buf_init(&dead->queue, KIB);
    while (found > 0 && !dead->is_found)
        found = fleet_link_get(link, DEAD_QUEUE, take_dead, dead, err);
    if (found < 0)
        return -1;
    if (!dead->is_found && dead->passed_by > 0)
        return err_set(err, ERR_TOO_LARGE,
                       "the message %s has %" PRIu64 " bytes, which is above the maximum: only "
                       "RabbitMQ's own tools can take it",
                       id, dead->passed_by);
    if (!dead->is_found)
        return err_set(err, ERR_NOT_FOUND,
                       "there is no dead job %s ('runnel jobs dead' lists them)", id);
    return dead->body.failed ? err_set(err, ERR_INTERNAL, "out of memory") : 0;
}

static void dead_fini(struct dead_job *dead)
{
    buf_fini(&dead->body);
    buf_fini(&dead->death);
    buf_fini(&dead->queue);
}

/* The sentence of its result, which Redis has for some minutes; else what RabbitMQ's word
 * means, and where more is to be had. */
static void add_why(struct fleet_link *link, const struct dead_job *dead, struct buf *text)
{
    static const struct {
        const char *word;
        const char *means;
    } deaths[] = {
        {"rejected", "a worker gave it up: it had ended its worker twice, or nobody could read "
                     "it. Look for its id in the workers' logs: job_dead, or job_refused with the "
                     "reason"},
        {"delivery_limit", "it was delivered too often, and no worker settled it. Look for its id "
                           "in the workers' logs"},
        {"", "somebody put it here by hand"},
    };
    char shown[256];
    if (jobs_add_reason(link, dead->id, text))
        return;
    for (size_t i = 0; i < ARRAY_LEN(deaths); i++) {
        if (strcmp(buf_text(&dead->death), deaths[i].word) == 0) {
            buf_add_text(text, deaths[i].means);
            return;
        }
    }
    buf_add_format(text, "RabbitMQ says: %s",
                   utf8_for_people(shown, sizeof shown, buf_slice(&dead->death)));
}

static void describe(struct fleet_link *link, const struct dead_job *dead)
{
    const struct job_header *header = &dead->job.header;
    char queue[256];
    char time[32];
    auto_buf struct buf why;
    buf_init(&why, 2 * KIB);
    add_why(link, dead, &why);
    (void)utf8_for_people(queue, sizeof queue, buf_slice(&dead->queue));
    (void)printf("id         %s\nlanguage   %s\nlane       %s\nfront      %s\n"
                 "submitted  %s UTC\nqueue      %s\nbytes      %zu\nwhy        %s\n",
                 header->id, dead->job.language, lane_name(header->lane), header->front,
                 jobs_format_time(time, header->submitted_ms), queue[0] ? queue : "-",
                 dead->body.len, buf_text(&why));
}

int jobs_dead_show(struct fleet_link *link, const struct jobs_options *options, const char *id,
                   struct err *err)
{
    struct dead_job dead;
    int rc = find_dead(link, id, &dead, err);
    if (rc == 0 && options->json)
        (void)printf("%s\n", buf_text(&dead.body));
    else if (rc == 0)
        describe(link, &dead);
    dead_fini(&dead);
    return rc;
}

/* --- once more --- */

static int make_id(char id[RUN_ID_SIZE], struct err *err)
{
    enum { UUID_LEN = 36 };
    int fd = open("/proc/sys/kernel/random/uuid", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, id, UUID_LEN);
    int failure = errno;
    if (fd >= 0)
        (void)close(fd);
    if (len != UUID_LEN)
        return err_sys(err, failure, "cannot make an id");
    id[UUID_LEN] = '\0';
    return 0;
}

/* As a front does it: who asks for the run finds it, and the lane's counts stay even. */
static int write_down(struct fleet_link *link, const char *id, struct slice job, uint64_t now_ms,
                      enum lane lane, struct err *err)
{
    struct fleet_key run = run_key(id);
    struct fleet_key counts = lane_key(lane, false);
    char now[24];
    char lives[16];
    (void)snprintf(now, sizeof now, "%" PRIu64, now_ms);
    (void)snprintf(lives, sizeof lives, "%d", RUN_LIVES_S);
    if (fleet_link_ask(link, NULL, NULL, err, slice_of("HSET"), slice_of(run.text), slice_of("job"),
                       job) < 0 ||
        fleet_link_ask(link, NULL, NULL, err, slice_of("EXPIRE"), slice_of(run.text),
                       slice_of(lives)) < 0 ||
        fleet_link_ask(link, NULL, NULL, err, slice_of("ZADD"), slice_of(RUNS_KEY), slice_of(now),
                       slice_of(id)) < 0)
        return -1;
    return fleet_link_ask(link, NULL, NULL, err, slice_of("HINCRBY"), slice_of(counts.text),
                          slice_of("in"), slice_of("1"));
}

/* It did not get into its queue: nobody shall wait for it. */
static void forget(struct fleet_link *link, const char *id, enum lane lane)
{
    struct fleet_key run = run_key(id);
    struct fleet_key counts = lane_key(lane, false);
    (void)fleet_link_ask(link, NULL, NULL, NULL, slice_of("DEL"), slice_of(run.text));
    (void)fleet_link_ask(link, NULL, NULL, NULL, slice_of("ZREM"), slice_of(RUNS_KEY),
                         slice_of(id));
    (void)fleet_link_ask(link, NULL, NULL, NULL, slice_of("HINCRBY"), slice_of(counts.text),
                         slice_of("out"), slice_of("1"));
}

/* A worker that has it after all counts it, and ends it: whoever asks shall find it then. */
static int tell_doubt(const char *id, struct err *err)
{
    const struct err why = *err;
    return err_set(err, why.code,
                   "%s. If it has it, that is job %s: see 'runnel jobs show' before you "
                   "replay this one again",
                   why.text, id);
}

static int send_again(struct fleet_link *link, const struct dead_job *dead, const char *id,
                      struct err *err)
{
    enum lane lane = dead->job.header.lane;
    uint64_t now_ms = clock_unix_ms();
    auto_buf struct buf job;
    auto_buf struct buf shown;
    buf_init(&job, JOB_MAX_BYTES);
    buf_init(&shown, JOB_MAX_BYTES);
    struct amqp_message message = {
        .exchange = JOBS_EXCHANGE,
        .key = lane_routing_key(lane, false),
        .content_type = "application/json",
        .message_id = id,
        .timestamp = now_ms / 1000,
        .persistent = true,
        .mandatory = true,
    };
    if (job_renew(buf_slice(&dead->body), id, now_ms, true, &job, err) < 0 ||
        job_renew(buf_slice(&dead->body), id, now_ms, false, &shown, err) < 0 ||
        write_down(link, id, buf_slice(&shown), now_ms, lane, err) < 0)
        return -1;
    message.body = buf_slice(&job);
    if (fleet_link_publish(link, &message, err) == 0)
        return 0;
    if (link->outcome == AMQP_UNKNOWN)
        return tell_doubt(id, err);
    forget(link, id, lane);
    return -1;
}

static int print_replay(const char *new_id, const char *id, bool as_json, struct err *err)
{
    auto_buf struct buf text;
    buf_init(&text, 4 * KIB);
    struct json json = json_start(&text);
    if (as_json) {
        json_open_object(&json, NULL);
        json_text(&json, "id", new_id);
        json_text(&json, "replays", id);
        json_close_object(&json);
    } else {
        buf_add_format(&text, "job %s, which is %s once more\n", new_id, id);
    }
    return jobs_print(&text, as_json, err);
}

/* The dead one goes when the broker has the new one, and not before. */
int jobs_dead_replay(struct fleet_link *link, const struct jobs_options *options, const char *id,
                     struct err *err)
{
    char new_id[RUN_ID_SIZE];
    struct dead_job dead;
    int rc = find_dead(link, id, &dead, err);
    if (rc == 0)
        rc = make_id(new_id, err);
    if (rc == 0)
        rc = send_again(link, &dead, new_id, err);
    if (rc == 0) {
        amqp_settle(link->amqp, dead.ref, AMQP_ACK);
        rc = print_replay(new_id, id, options->json, err);
    }
    dead_fini(&dead);
    return rc;
}
