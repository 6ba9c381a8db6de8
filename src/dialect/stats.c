/* SPDX-License-Identifier: MIT */
#include "dialect/stats.h"

#include "base/buf.h"
#include "codec/json_write.h"
#include "dialect/request_answer.h"
#include "engine/engine.h"
#include "loop/loop.h"
#include "os/clock.h"
#include "store/store.h"

#define BODY_MAX MIB

/* --- what there is room for --- */

struct summing {
    struct stats_room room;
    bool any_memory; /* one of them is not bounded */
};

static void add_worker(void *context, const struct stats_worker *worker)
{
    struct summing *summing = context;
    summing->room.promised_bytes += worker->promised_bytes;
    if (worker->draining)
        return;
    summing->room.slots += worker->slots;
    summing->room.memory_bytes += worker->memory_bytes;
    summing->any_memory = summing->any_memory || worker->memory_bytes == 0;
}

struct stats_room stats_room(const struct stats *stats)
{
    struct summing summing = {0};
    if (!stats->fleet.each_worker)
        return (struct stats_room){
            .slots = stats->slots,
            .memory_bytes = stats->memory_bytes,
            .promised_bytes = engine_promised_bytes(stats->engine),
        };
    stats->fleet.each_worker(stats->fleet.context, add_worker, &summing);
    if (summing.any_memory)
        summing.room.memory_bytes = 0;
    return summing.room;
}

/* --- the answer --- */

static void write_store(struct json *json, const struct store *store)
{
    struct store_size size = store_size(store);
    json_open_object(json, "store");
    json_u64(json, "bytes", size.bytes);
    json_u64(json, "free_bytes", size.free_bytes);
    json_u64(json, "runs", size.runs);
    json_u64(json, "files", size.files);
    json_close_object(json);
}

static void write_queued(struct json *json, const struct engine *engine)
{
    json_open_object(json, "queued_by_priority");
    for (enum lane lane = 0; lane < LANES; lane++)
        json_u64(json, lane_name(lane), engine_queued_in(engine, lane));
    json_close_object(json);
}

static void write_tally(struct json *json, const char *key, const struct tally *tally)
{
    json_open_object(json, key);
    for (size_t i = 0; i < tally->len; i++)
        json_u64(json, tally->rows[i].name, tally->rows[i].count);
    json_close_object(json);
}

static void write_quantiles(struct json *json, const char *key, const struct latency *latency)
{
    struct latency_quantiles quantiles = latency_quantiles(latency);
    if (quantiles.count == 0) {
        json_nothing(json, key);
        return;
    }
    json_open_object(json, key);
    json_u64(json, "p50", quantiles.p50_ms);
    json_u64(json, "p95", quantiles.p95_ms);
    json_u64(json, "p99", quantiles.p99_ms);
    json_close_object(json);
}

static void write_ended(struct json *json, const struct stats *stats)
{
    json_open_object(json, "ended");
    json_u64(json, "total", tally_total(&stats->verdicts));
    write_tally(json, "verdicts", &stats->verdicts);
    write_tally(json, "languages", &stats->languages);
    json_close_object(json);
    json_open_object(json, "latency");
    json_u64(json, "runs", stats->wall.count);
    write_quantiles(json, "queued_ms", &stats->queued);
    write_quantiles(json, "wall_ms", &stats->wall);
    json_close_object(json);
}

static void write_point(struct json *json, const struct history_point *point, uint64_t age_ms)
{
    json_open_object(json, NULL);
    json_u64(json, "t", clock_unix_ms() - age_ms);
    json_u64(json, "queued", point->queued);
    json_u64(json, "running", point->running);
    json_u64(json, "ended", point->ended);
    if (point->ended > 0) {
        json_u64(json, "p50_wall_ms", point->p50_ms);
        json_u64(json, "p95_wall_ms", point->p95_ms);
    } else {
        json_nothing(json, "p50_wall_ms");
        json_nothing(json, "p95_wall_ms");
    }
    json_close_object(json);
}

static void write_history(struct json *json, struct history *history, uint64_t now_ms)
{
    json_open_object(json, "history");
    json_u64(json, "step_ms", history->step_ms);
    json_open_array(json, "points");
    size_t count = history_count(history, now_ms);
    for (size_t i = 0; i < count; i++) {
        struct history_point point = history_at(history, i);
        write_point(json, &point, now_ms - point.start_ms);
    }
    json_close_array(json);
    json_close_object(json);
}

static void write_worker(void *context, const struct stats_worker *worker)
{
    struct json *json = context;
    json_open_object(json, NULL);
    json_text(json, "name", worker->name);
    json_text(json, "host", worker->host);
    json_text(json, "version", worker->version);
    json_u64(json, "slots", worker->slots);
    json_u64(json, "running", worker->running);
    json_u64(json, "memory_mb", worker->memory_bytes / MIB);
    json_u64(json, "promised_mb", worker->promised_bytes / MIB);
    json_milli(json, "load", worker->load_milli);
    json_u64(json, "service_ms", worker->service_ms);
    json_u64(json, "last_seen_ms", worker->last_seen_ms);
    json_bool(json, "draining", worker->draining);
    json_close_object(json);
}

static void handle_stats(struct http_request *request, void *context)
{
    struct stats *stats = context;
    uint64_t now_ns = loop_now_ns();
    struct stats_room room = stats_room(stats);
    auto_buf struct buf body;
    buf_init(&body, BODY_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_text(&json, "version", stats->version);
    json_text(&json, "isolation", engine_isolation(stats->engine));
    json_u64(&json, "uptime_s", (now_ns - stats->started_ns) / NS_PER_S);
    json_u64(&json, "slots", room.slots);
    json_u64(&json, "running", engine_running(stats->engine));
    json_u64(&json, "queued", engine_queued(stats->engine));
    write_queued(&json, stats->engine);
    json_u64(&json, "queue_length", stats->queue_length);
    json_u64(&json, "memory_promised_bytes", room.promised_bytes);
    json_u64(&json, "memory_bytes", room.memory_bytes);
    write_store(&json, stats->store);
    if (stats->fleet.each_worker) {
        json_open_array(&json, "workers");
        stats->fleet.each_worker(stats->fleet.context, write_worker, &json);
        json_close_array(&json);
    }
    write_ended(&json, stats);
    write_history(&json, &stats->history, now_ns / NS_PER_MS);
    json_close_object(&json);
    http_add_header(request, "Cache-Control", "no-store");
    http_reply_take(request, 200, ANSWER_JSON, &body);
}

const struct http_route stats_routes[] = {
    {"GET", "/v1/stats", 0, handle_stats, NULL, .access = STORE_SCOPE_ADMIN},
    {"GET", "/metrics", 0, stats_handle_metrics, NULL, .access = STORE_SCOPE_ADMIN},
    {0},
};
