/* SPDX-License-Identifier: MIT */
/* run_new.c — taking a run over. Whatever can be refused or run out of memory does so
 * here, while the submitter is still there to be told. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "engine/engine_private.h"

static int set_id(struct run *run, const struct run_spec *spec, struct err *err)
{
    unsigned char bytes[16];
    if (spec->id) {
        assert(strlen(spec->id) < RUN_ID_SIZE);
        memcpy(run->id, spec->id, strlen(spec->id) + 1);
        return 0;
    }
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return err_sys(err, errno, "cannot make an id");
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* the variant of RFC 9562 */
    char *at = run->id;
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = "0123456789abcdef"[bytes[i] >> 4];
        *at++ = "0123456789abcdef"[bytes[i] & 15];
    }
    return 0;
}

static int check_limits(const struct limits *limits, struct err *err)
{
    for (int i = 0; i < LIMIT_KINDS; i++) {
        const struct limit_info *info = limit_info((enum limit)i);
        uint64_t value = limits->value[i];
        if (value != 0 && (value < info->smallest || value > info->largest))
            return err_field(err, info->json_name, "%s is out of range", info->json_name);
    }
    return 0;
}

/* What a compiler left in the workspace is memory that the program's group does not count. */
static uint64_t memory_of_stages(const struct run *run)
{
    uint64_t compile = run->compile_limits.value[LIMIT_MEMORY];
    uint64_t execute = run->limits.value[LIMIT_MEMORY];
    uint64_t workspace = run->limits.value[LIMIT_WORKSPACE];
    uint64_t left = workspace > 0 ? MIN(workspace, compile) : compile;
    return MAX(compile, execute + left);
}

/* What its stages may take; one without a limit is promised everything. Nobody asks for what
 * a compiler has, so that is cut. */
static int claim_memory(struct run *run, struct err *err)
{
    uint64_t bound = run->engine->config.memory_bytes;
    uint64_t *compile = &run->compile_limits.value[LIMIT_MEMORY];
    uint64_t execute = run->limits.value[LIMIT_MEMORY];
    if (bound == 0 || run->carried.is)
        return 0;
    if (execute > bound)
        return err_field(err, "limits.memory_mb",
                         "memory_mb is %llu, and all runs together have %llu here", execute / MIB,
                         (unsigned long long)bound / MIB);
    *compile = *compile > 0 ? MIN(*compile, bound) : bound;
    run->memory_bytes = execute > 0 ? execute : bound;
    if (execute > 0 && run->language->compile)
        run->memory_bytes = MIN(memory_of_stages(run), bound);
    return 0;
}

/* Everything that can fail in taking a run over, in one place. */
static int fill(struct run *run, const struct run_spec *spec, struct err *err)
{
    static const struct limits none;
    const struct limits *ceiling = &run->engine->config.ceiling;
    if (check_limits(&spec->limits, err) < 0)
        return -1;
    run->limits = limits_resolve(spec->profile, &run->language->minimum, &spec->limits, ceiling);
    run->compile_limits =
        limits_resolve(PROFILE_COMPILE, &run->language->compile_minimum, &none, ceiling);
    if (claim_memory(run, err) < 0)
        return -1;
    if (set_id(run, spec, err) < 0 || run_plan_init(&run->plan, spec, &run->limits, err) < 0)
        return -1;
    buf_init(&run->note, SIZE_MAX / 2); /* bounded by the request */
    buf_add_slice(&run->note, spec->note);
    if (run->note.failed || run_input_init(&run->input, spec) < 0 ||
        output_log_init(&run->log, spec->streaming, run->limits.value[LIMIT_OUTPUT]) < 0)
        return err_sys(err, ENOMEM, "cannot take the run");
    buf_init(&run->compiler_text, (size_t)run_stage_output_cap(run));
    if (!run->carried.is) /* else when it is known to be so */
        output_log_add_state(&run->log, RUN_QUEUED, 0);
    return 0;
}

int run_new(struct engine *engine, const struct run_spec *spec, struct run **ret_run,
            struct err *err)
{
    struct run *run = calloc(1, sizeof *run);
    if (!run)
        return err_sys(err, ENOMEM, "cannot take the run");
    *run = (struct run){
        .engine = engine,
        .carried.is = engine->config.carrier != NULL,
        .language = spec->language,
        .owner = spec->owner,
        .lane = spec->lane,
        .tenant = spec->tenant,
        .tty = spec->tty,
        .recorded = spec->recorded && engine->config.recorder.ended,
        .passing = spec->passing,
        .ends_unattended = spec->ends_unattended,
        .unattended_ms = spec->unattended_ms > 0 ? spec->unattended_ms : RUN_UNATTENDED_MS,
        .submitted_ns = loop_now_ns(),
        .result.exit_code = -1,
    };
    list_init(&run->place);
    list_init(&run->newcomer);
    list_init(&run->log.cursors);
    if (fill(run, spec, err) < 0) {
        run_free(run);
        return -1;
    }
    *ret_run = run;
    return 0;
}

void run_free(struct run *run)
{
    list_remove(&run->place);
    list_remove(&run->newcomer);
    run_carried_free(run);
    free(run->carried.worker);
    run_clock_free(run);
    run_waiting_free(run);
    run_usage_free(run);
    run_plan_fini(&run->plan);
    admission_release_bytes(run);
    run_artifacts_free(run);
    buf_fini(&run->note);
    buf_fini(&run->input.bytes);
    buf_fini(&run->compiler_text);
    output_log_fini(&run->log);
    free(run);
}
