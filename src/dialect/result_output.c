/* SPDX-License-Identifier: MIT */
#include "dialect/result_output.h"

#include <signal.h>

#include "codec/json_write.h"
#include "engine/engine.h"

#define EXIT_TIME_LIMIT 124
#define EXIT_INTERNAL 126
#define EXIT_CANCELLED 130
#define SIGNAL_BASE 128

void result_output_init(struct result_output *output)
{
    *output = (struct result_output){.attempt = 1};
    buf_init(&output->merged, 2 * RESULT_STREAM_MAX);
    buf_init(&output->out, RESULT_STREAM_MAX);
    buf_init(&output->err, RESULT_STREAM_MAX);
}

void result_output_fini(struct result_output *output)
{
    buf_fini(&output->merged);
    buf_fini(&output->out);
    buf_fini(&output->err);
}

static void begin_anew(struct result_output *output, unsigned attempt)
{
    output->attempt = attempt;
    output->is_cut = false;
    output->lost_bytes = 0;
    buf_clear(&output->merged);
    buf_clear(&output->out);
    buf_clear(&output->err);
}

static void lose(struct result_output *output, uint64_t bytes)
{
    output->is_cut = true;
    output->lost_bytes += bytes;
}

void result_output_add(struct result_output *output, const struct event *event)
{
    if (event->attempt > output->attempt)
        begin_anew(output, event->attempt);
    if (event->kind == EVENT_GAP)
        lose(output, event->lost_bytes);
    if (event->kind != EVENT_STDOUT && event->kind != EVENT_STDERR)
        return;
    struct buf *stream = event->kind == EVENT_STDOUT ? &output->out : &output->err;
    buf_add_slice(&output->merged, event->bytes);
    buf_add_slice(stream, event->bytes);
    if (stream->failed)
        lose(output, event->bytes.len);
}

void result_output_write_lost(struct json *json, const struct result_output *output)
{
    if (output->is_cut)
        json_u64(json, "lost_bytes", output->lost_bytes);
}

bool result_output_failed(const struct result_output *output)
{
    return output->merged.failed || output->out.failed || output->err.failed;
}

bool result_output_starved(const struct result_output *output)
{
    return output->merged.starved || output->out.starved || output->err.starved;
}

/* When a limit ended the run, and no signal is known, it was our SIGKILL. */
static int signal_code(int signal, int otherwise)
{
    return signal ? SIGNAL_BASE + signal : otherwise;
}

int result_exit_code(const struct run_result *result)
{
    switch (result->verdict) {
    case VERDICT_QUEUE_TIMEOUT:
    case VERDICT_TIMEOUT:
    case VERDICT_IDLE_TIMEOUT:
    case VERDICT_CPU_LIMIT:
        return EXIT_TIME_LIMIT;
    case VERDICT_MEMORY_LIMIT:
    case VERDICT_OUTPUT_LIMIT:
        return signal_code(result->signal, SIGNAL_BASE + SIGKILL);
    case VERDICT_INTERNAL_ERROR:
        return EXIT_INTERNAL;
    case VERDICT_CANCELLED:
        return signal_code(result->signal, EXIT_CANCELLED);
    case VERDICT_COMPILE_FAILED:
    case VERDICT_KILLED_BY_SIGNAL:
    case VERDICT_FAILED:
    case VERDICT_SUCCEEDED:
    case VERDICT_COUNT:
        break;
    }
    return signal_code(result->signal, result->exit_code);
}
