/* SPDX-License-Identifier: MIT */
/* stats_metrics.c — the figures in the text form of Prometheus, version 0.0.4: names in its
 * manner (base units, counters end in _total), all samples of one name together. */
#include <inttypes.h>

#include "base/buf.h"
#include "dialect/stats.h"
#include "engine/engine.h"
#include "loop/loop.h"
#include "store/store.h"

#define BODY_MAX MIB
#define ANSWER_METRICS "text/plain; version=0.0.4; charset=utf-8"

enum unit { WHOLE, MILLI, FLAG }; /* FLAG: a bool, as 0 or 1 */

static void write_head(struct buf *body, const char *name, const char *type, const char *help)
{
    buf_add_format(body, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_milli(struct buf *body, uint64_t value)
{
    buf_add_format(body, "%" PRIu64 ".%03" PRIu64, value / 1000, value % 1000);
}

static void write_value(struct buf *body, enum unit unit, uint64_t value)
{
    if (unit == MILLI)
        write_milli(body, value);
    else
        buf_add_format(body, "%" PRIu64, value);
    buf_add_char(body, '\n');
}

/* What others have chosen may hold anything. */
static void write_label(struct buf *body, const char *key, const char *text)
{
    buf_add_format(body, "%s=\"", key);
    for (; *text; text++) {
        if (*text == '\n') {
            buf_add_text(body, "\\n");
            continue;
        }
        if (*text == '"' || *text == '\\')
            buf_add_char(body, '\\');
        buf_add_char(body, *text);
    }
    buf_add_char(body, '"');
}

static void write_labelled(struct buf *body, const char *name, const char *key, const char *label,
                           uint64_t value)
{
    buf_add_format(body, "%s{", name);
    write_label(body, key, label);
    buf_add_format(body, "} %" PRIu64 "\n", value);
}

/* --- the service --- */

static void write_gauges(struct buf *body, const struct stats *stats)
{
    const struct store_size store = store_size(stats->store);
    const struct engine *engine = stats->engine;
    const struct stats_room room = stats_room(stats);
    const struct {
        const char *name;
        uint64_t value;
        const char *help;
    } rows[] = {
        {"runnel_uptime_seconds", (loop_now_ns() - stats->started_ns) / NS_PER_S,
         "Since the service started."},
        {"runnel_slots", room.slots, "Runs at once."},
        {"runnel_runs_running", engine_running(engine), "Runs that have a slot."},
        {"runnel_queue_length", stats->queue_length, "Runs that may wait."},
        {"runnel_memory_promised_bytes", room.promised_bytes,
         "Promised to running boxes; 0 where it is not bounded."},
        {"runnel_memory_bytes", room.memory_bytes, "That running boxes may be promised; 0 is any."},
        {"runnel_store_bytes", store.bytes, "Of all runs and files that are kept."},
        {"runnel_store_free_bytes", store.free_bytes, "Of the disk that they are kept on."},
        {"runnel_store_runs", store.runs, "Runs that are kept."},
        {"runnel_store_files", store.files, "Uploads and artifacts that are kept."},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        write_head(body, rows[i].name, "gauge", rows[i].help);
        buf_add_format(body, "%s ", rows[i].name);
        write_value(body, WHOLE, rows[i].value);
    }
    write_head(body, "runnel_runs_queued", "gauge", "Runs that wait, by lane.");
    for (enum lane lane = 0; lane < LANES; lane++)
        write_labelled(body, "runnel_runs_queued", "lane", lane_name(lane),
                       engine_queued_in(engine, lane));
}

static void write_info(struct buf *body, const struct stats *stats)
{
    write_head(body, "runnel_info", "gauge", "What it is; always 1.");
    buf_add_text(body, "runnel_info{");
    write_label(body, "version", stats->version);
    buf_add_char(body, ',');
    write_label(body, "isolation", engine_isolation(stats->engine));
    buf_add_text(body, "} 1\n");
}

/* --- runs that ended --- */

static void write_tally(struct buf *body, const struct tally *tally, const char *name,
                        const char *key, const char *help)
{
    write_head(body, name, "counter", help);
    for (size_t i = 0; i < tally->len; i++)
        write_labelled(body, name, key, tally->rows[i].name, tally->rows[i].count);
}

static void write_histogram(struct buf *body, const struct histogram *histogram, const char *name,
                            const char *help)
{
    uint64_t count = 0;
    write_head(body, name, "histogram", help);
    for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
        count += histogram->counts[i];
        buf_add_format(body, "%s_bucket{le=\"", name);
        write_milli(body, histogram_bounds_ms[i]);
        buf_add_format(body, "\"} %" PRIu64 "\n", count);
    }
    count += histogram->counts[HISTOGRAM_BOUNDS];
    buf_add_format(body, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", name, count, name);
    write_value(body, MILLI, histogram->sum_ms);
    buf_add_format(body, "%s_count %" PRIu64 "\n", name, count);
}

static void write_ended(struct buf *body, const struct stats *stats)
{
    write_tally(body, &stats->verdicts, "runnel_runs_ended_total", "verdict",
                "Runs that ended since the start, by verdict.");
    write_tally(body, &stats->languages, "runnel_runs_ended_by_language_total", "language",
                "Runs that ended since the start, by language.");
    write_histogram(body, &stats->queued_all, "runnel_run_queued_seconds",
                    "How long runs waited for a slot.");
    write_histogram(body, &stats->wall_all, "runnel_run_wall_seconds",
                    "How long programs ran, compiling left out.");
}

/* --- the machines that carry runs out --- */

static const struct worker_figure {
    const char *name;
    size_t at; /* in a struct stats_worker */
    enum unit unit;
    const char *help;
} worker_figures[] = {
    {"runnel_worker_slots", offsetof(struct stats_worker, slots), WHOLE, "Runs at once."},
    {"runnel_worker_running", offsetof(struct stats_worker, running), WHOLE,
     "Runs that have a slot."},
    {"runnel_worker_memory_bytes", offsetof(struct stats_worker, memory_bytes), WHOLE,
     "That running boxes may be promised; 0 is any."},
    {"runnel_worker_memory_promised_bytes", offsetof(struct stats_worker, promised_bytes), WHOLE,
     "Promised to running boxes."},
    {"runnel_worker_load1", offsetof(struct stats_worker, load_milli), MILLI,
     "Load of its machine over a minute."},
    {"runnel_worker_service_seconds", offsetof(struct stats_worker, service_ms), MILLI,
     "How long a run holds a slot, of late."},
    {"runnel_worker_seen_seconds", offsetof(struct stats_worker, last_seen_ms), MILLI,
     "How long ago it was last seen."},
    {"runnel_worker_draining", offsetof(struct stats_worker, draining), FLAG,
     "1 when it takes no more runs."},
};

struct worker_writing {
    struct buf *body;
    const struct worker_figure *figure;
};

static void write_worker(void *context, const struct stats_worker *worker)
{
    const struct worker_writing *writing = context;
    const struct worker_figure *figure = writing->figure;
    const char *place = (const char *)worker + figure->at;
    uint64_t value = figure->unit == FLAG ? *(const bool *)(const void *)place
                                          : *(const uint64_t *)(const void *)place;
    buf_add_format(writing->body, "%s{", figure->name);
    write_label(writing->body, "worker", worker->name);
    buf_add_text(writing->body, "} ");
    write_value(writing->body, figure->unit, value);
}

static void write_worker_info(void *context, const struct stats_worker *worker)
{
    struct buf *body = context;
    buf_add_text(body, "runnel_worker_info{");
    write_label(body, "worker", worker->name);
    buf_add_char(body, ',');
    write_label(body, "host", worker->host);
    buf_add_char(body, ',');
    write_label(body, "version", worker->version);
    buf_add_text(body, "} 1\n");
}

static void write_fleet(struct buf *body, const struct stats_fleet *fleet)
{
    if (!fleet->each_worker)
        return;
    write_head(body, "runnel_broker_connected", "gauge", "1 when the broker answers.");
    buf_add_format(body, "runnel_broker_connected %d\n", fleet->has_broker(fleet->context));
    write_head(body, "runnel_stream_connected", "gauge", "1 when the stream answers.");
    buf_add_format(body, "runnel_stream_connected %d\n", fleet->has_stream(fleet->context));
    write_head(body, "runnel_worker_info", "gauge", "Who is there; always 1.");
    fleet->each_worker(fleet->context, write_worker_info, body);
    for (size_t i = 0; i < ARRAY_LEN(worker_figures); i++) {
        struct worker_writing writing = {body, &worker_figures[i]};
        write_head(body, writing.figure->name, "gauge", writing.figure->help);
        fleet->each_worker(fleet->context, write_worker, &writing);
    }
}

void stats_handle_metrics(struct http_request *request, void *context)
{
    const struct stats *stats = context;
    auto_buf struct buf body;
    buf_init(&body, BODY_MAX);
    write_info(&body, stats);
    write_gauges(&body, stats);
    write_ended(&body, stats);
    write_fleet(&body, &stats->fleet);
    http_add_header(request, "Cache-Control", "no-store");
    http_reply_take(request, 200, ANSWER_METRICS, &body);
}
