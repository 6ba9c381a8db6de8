/* SPDX-License-Identifier: MIT */
#include "dialect/execute_result.h"

#include "codec/json_write.h"
#include "dialect/result_fields.h"
#include "engine/engine.h"

void execute_write_result(struct buf *body, const struct run *run,
                          const struct result_output *output, const char *isolation)
{
    const struct run_result *result = run_result(run);
    bool succeeded = result->verdict == VERDICT_SUCCEEDED;
    struct json json = json_start(body);
    json_open_object(&json, NULL);
    json_text(&json, "executionId", run_id(run));
    json_text(&json, "status", succeeded ? "success" : "error");
    json_slice(&json, "output", buf_slice(&output->merged));
    json_i64(&json, "exitCode", result_exit_code(result));
    if (result->verdict == VERDICT_INTERNAL_ERROR)
        json_text(&json, "error", result->reason);
    json_text(&json, "verdict", verdict_name(result->verdict));
    json_text(&json, "reason", result->reason);
    json_slice(&json, "stdout", buf_slice(&output->out));
    json_slice(&json, "stderr", buf_slice(&output->err));
    result_output_write_lost(&json, output);
    result_fields_write(&json, run, isolation);
    json_close_object(&json);
    body->failed = body->failed || result_output_failed(output);
    body->starved = body->starved || result_output_starved(output);
}
