/* SPDX-License-Identifier: MIT */
#include "dialect/execute_result.h"

#include <signal.h>

#include "codec/json_write.h"
#include "dialect/result_fields.h"
#include "engine/engine.h"

#define EXIT_TIME_LIMIT 124
#define EXIT_INTERNAL 126
#define EXIT_CANCELLED 130
#define SIGNAL_BASE 128

void execute_output_init(struct execute_output *output)
{
    buf_init(&output->merged, 2 * EXECUTE_STREAM_MAX);
    buf_init(&output->out, EXECUTE_STREAM_MAX);
    buf_init(&output->err, EXECUTE_STREAM_MAX);
}

void execute_output_fini(struct execute_output *output)
{
    buf_fini(&output->merged);
    buf_fini(&output->out);
    buf_fini(&output->err);
}

void execute_output_add(struct execute_output *output, const struct event *event)
{
    if (event->kind != EVENT_STDOUT && event->kind != EVENT_STDERR)
        return;
    buf_add_slice(&output->merged, event->bytes);
    buf_add_slice(event->kind == EVENT_STDOUT ? &output->out : &output->err, event->bytes);
}

static bool has_failed(const struct execute_output *output)
{
    return output->merged.failed || output->out.failed || output->err.failed;
}

/* When a limit ended the run, and no signal is known, it was our SIGKILL. */
static int signal_code(int signal, int otherwise)
{
    return signal ? SIGNAL_BASE + signal : otherwise;
}

int execute_exit_code(const struct run_result *result)
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

void execute_write_result(struct buf *body, const struct run *run,
                          const struct execute_output *output, const char *isolation)
{
    const struct run_result *result = run_result(run);
    bool succeeded = result->verdict == VERDICT_SUCCEEDED;
    struct json json = json_start(body);
    json_open_object(&json, NULL);
    json_text(&json, "executionId", run_id(run));
    json_text(&json, "status", succeeded ? "success" : "error");
    json_slice(&json, "output", buf_slice(&output->merged));
    json_i64(&json, "exitCode", execute_exit_code(result));
    if (result->verdict == VERDICT_INTERNAL_ERROR)
        json_text(&json, "error", result->reason);
    json_text(&json, "verdict", verdict_name(result->verdict));
    json_text(&json, "reason", result->reason);
    json_slice(&json, "stdout", buf_slice(&output->out));
    json_slice(&json, "stderr", buf_slice(&output->err));
    result_fields_write(&json, run, isolation);
    json_close_object(&json);
    body->failed = body->failed || has_failed(output);
}
