/* SPDX-License-Identifier: MIT */
/* run.c — the life of one run: workspace, compile stages, execute stage, end.
 *
 * A stage ends in on_ended, and a run in run_finish(). A limit or a client only sets
 * a fact and calls run_kill; the end then comes as every other end does, so that
 * a stage which ends by itself at that moment makes no difference. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine_private.h"

/* So much may the loop's clock be ahead of the spawner's. */
#define WALL_SLACK_NS (20 * NS_PER_MS)

static const struct stage_events run_stage_events;

uint64_t run_time_ms(const struct run *run)
{
    return (loop_now_ns() - run->submitted_ns) / NS_PER_MS;
}

static void set_state(struct run *run, enum run_state state)
{
    run_state_move(&run->state, state);
    output_log_add_state(&run->log, state, run_time_ms(run));
    run_tell_readers(run);
    engine_observe(run->engine, run);
}

void run_set_why(struct run *run, const char *why)
{
    struct utf8_tail cut = {0};
    if (snprintf(run->why, sizeof run->why, "%s", why) < 0)
        run->why[0] = '\0';
    utf8_tail_follow(&cut, slice_of(run->why));
    run->why[strlen(run->why) - cut.len] = '\0';
}

/* Ours outweighs every other reason, as the verdict does. */
void run_blame_us(struct run *run, const char *why)
{
    run->facts.we_failed = true;
    run_set_why(run, why);
}

uint64_t run_stage_output_cap(const struct run *run)
{
    uint64_t cap = run->compile_limits.value[LIMIT_OUTPUT];
    return run->log.ring ? cap : MIN(cap, run->log.cap);
}

/* What a compiler says is the answer when it fails, and chatter when it does not. */
void run_show_compiler_text(struct run *run, enum event_kind kind)
{
    if (output_log_add(&run->log, kind, buf_slice(&run->compiler_text), run_time_ms(run)) < 0)
        run_blame_us(run, "no memory for the compiler's output");
    buf_fini(&run->compiler_text);
    run_tell_readers(run);
}

void run_finish_queued(struct run *run)
{
    run->result.usage.queued_ms = run_time_ms(run);
    run_finish(run);
}

void run_fail(struct run *run, const char *why)
{
    if (run->ending)
        return;
    run_blame_us(run, why);
    run_finish(run);
}

void run_kill(struct run *run)
{
    if (!run->stage || run->killed)
        return;
    run->killed = true;
    run_clock_stop_stage(run);
    run_clock_set(run, DEADLINE_KILL);
    /* A slow reader must not hold the end back. */
    output_log_overwrite(&run->log);
    run_update_pause(run);
    run->stage->executor->ops->stage_kill(run->stage);
}

void run_update_pause(struct run *run)
{
    if (run->carried.is)
        run_carried_taken(run);
    if (!run->log.ring || !run->stage || run->facts.in_compile_stage)
        return;
    /* Half a window of slack, so that it is not one step forward, one stop. */
    uint64_t full = MAX(run->paused ? run->log.cap / 2 : run->log.cap, 1U);
    bool paused = !run->killed && output_log_unread(&run->log) >= full;
    if (paused == run->paused)
        return;
    run->paused = paused;
    run->stage->executor->ops->stage_pause(run->stage, paused);
    run_clock_paused(run);
}

static bool is_compile_command(const struct run *run)
{
    return run->language->compile && run->language->compile[run->command];
}

static struct stage *start_command(struct run *run, const struct limits *limits, struct err *err)
{
    bool compile = run->facts.in_compile_stage;
    const char *const *template =
        compile ? run->language->compile[run->command] : run->language->execute;
    struct command_values values = {
        .entry_file = run->plan.entry_file,
        .files = run->plan.sources,
        .args = run->plan.args,
        .compile_args = run->plan.compile_args,
        .memory_bytes = limits->value[LIMIT_MEMORY],
        .heap_percent = run->language->heap_percent,
    };
    auto_free char **argv = language_command(template, &values);
    if (!argv) {
        (void)err_sys(err, ENOMEM, "cannot make the command");
        return NULL;
    }
    struct stage_spec spec = {
        .argv = (const char *const *)argv,
        .env = compile ? run->plan.compile_env : run->plan.env,
        .rootfs = run->language->rootfs,
        .proc = run->language->whole_proc ? PROC_WITH_MACHINE : PROC_OWN_PROCESSES,
        .limits = *limits,
        .tty = !compile && run->tty,
    };
    return executor_stage_start(run->workspace, &spec, &run_stage_events, run, err);
}

static void start_stage(struct run *run)
{
    struct err err = {0};
    bool compile = is_compile_command(run);
    run->facts.in_compile_stage = compile;
    run->started = false;
    run->paused = false;
    run->stage = start_command(run, compile ? &run->compile_limits : &run->limits, &err);
    if (!run->stage) {
        run_fail(run, err.text);
        return;
    }
    run_clock_set(run, DEADLINE_START);
    const struct executor_ops *ops = run->stage->executor->ops;
    if (compile) {
        ops->stage_close_input(run->stage);
        return;
    }
    if (run->columns > 0)
        ops->stage_resize(run->stage, run->columns, run->rows);
    run_update_pause(run);
    run_input_flush(run);
}

void run_start(struct run *run)
{
    struct err err = {0};
    run->slot_ns = loop_now_ns();
    run->result.usage.queued_ms = run_time_ms(run);
    run_clock_set(run, DEADLINE_NONE);
    set_state(run, RUN_PREPARING);
    if (run->facts.cancelled) { /* by the observer just now */
        run_finish(run);
        return;
    }
    struct workspace_spec spec = {
        .bytes = run->limits.value[LIMIT_WORKSPACE],
        .inodes = run->limits.value[LIMIT_INODES],
        .files = run->plan.files,
        .file_count = run->plan.file_count,
    };
    run->workspace = executor_workspace_open(run->engine->executor, &spec, &err);
    run_plan_drop_contents(&run->plan);
    admission_release_bytes(run);
    if (run->workspace)
        start_stage(run);
    else
        run_fail(run, err.text);
}

static void on_started(void *context)
{
    struct run *run = context;
    if (run->started || run->killed)
        return;
    run->started = true;
    run_clock_start_stage(run);
    if (run->facts.in_compile_stage) {
        if (run->state != RUN_COMPILING)
            set_state(run, RUN_COMPILING);
        return;
    }
    run_waiting_start(run);
    run_usage_start(run);
    run_send_signals(run);
    set_state(run, RUN_RUNNING);
    if (!run->ends_unattended && list_empty(&run->log.cursors))
        run_clock_unattended(run, true); /* who started it may never come */
}

static int keep_compiler_text(struct run *run, struct slice bytes)
{
    size_t room = (size_t)run_stage_output_cap(run) - run->compiler_text.len;
    buf_add(&run->compiler_text, bytes.at, MIN(bytes.len, room));
    if (run->compiler_text.failed)
        return -ENOMEM;
    return bytes.len > room;
}

static void on_output(void *context, enum stage_stream stream, struct slice bytes)
{
    struct run *run = context;
    on_started(run); /* its word may come by another way, and later */
    run_clock_active(run);
    int rc;
    if (run->facts.in_compile_stage) {
        rc = keep_compiler_text(run, bytes);
    } else {
        enum event_kind kind = stream == STAGE_STDERR ? EVENT_STDERR : EVENT_STDOUT;
        rc = output_log_add(&run->log, kind, bytes, run_time_ms(run));
        run_tell_readers(run);
    }
    if (rc == 0) {
        run_update_pause(run);
        return;
    }
    if (rc < 0)
        run_blame_us(run, "no memory for the output");
    else
        run->facts.output_cap_passed = true;
    run_kill(run);
}

static void on_input_ready(void *context)
{
    run_input_flush(context);
}

static void on_sampled(void *context, const struct stage_usage *usage)
{
    struct run *run = context;
    if (!run->started)
        return;
    run_usage_sampled(run, usage);
    run_clock_sampled(run, usage->cpu_ns);
}

static void on_probed(void *context, bool waiting)
{
    run_waiting_probed(context, waiting);
}

static uint64_t nearest_ms(uint64_t ns)
{
    return (ns + NS_PER_MS / 2) / NS_PER_MS;
}

static void account(struct run *run, const struct stage_end *end)
{
    struct run_usage *usage = &run->result.usage;
    if (run->facts.in_compile_stage)
        usage->compile_ms += nearest_ms(end->usage.wall_ns);
    else
        usage->wall_ms = nearest_ms(end->usage.wall_ns);
    usage->cpu_ms += nearest_ms(end->usage.cpu_ns);
    usage->memory_peak_bytes = MAX(usage->memory_peak_bytes, end->usage.memory_peak_bytes);

    struct limit_hits *hits = &run->result.hits;
    hits->processes += end->hits.processes;
    hits->workspace += end->hits.workspace;
    hits->file_size += end->hits.file_size;
    hits->open_files += end->hits.open_files;
}

static void take_facts(struct run *run, const struct stage_end *end)
{
    if (end->failed) {
        run_blame_us(run, end->failure.text);
        return;
    }
    const struct limits *limits = run->facts.in_compile_stage ? &run->compile_limits : &run->limits;
    uint64_t cpu_limit_ns = limits->value[LIMIT_CPU_TIME] * NS_PER_MS;
    if (cpu_limit_ns > 0 && end->usage.cpu_ns > cpu_limit_ns)
        run->facts.cpu_limit_passed = true;
    /* Its last output waited for a reader, or the loop was late, but not the program. */
    uint64_t wall_ns = end->usage.wall_ns + WALL_SLACK_NS;
    if (wall_ns < limits->value[LIMIT_WALL] * NS_PER_MS)
        run->facts.wall_limit_passed = false;
    run->facts.oom_killed = end->out_of_memory;
    run->facts.signal = end->signal;
    run->facts.exit_code = end->signal != 0 ? 0 : end->exit_code;
    run->result.signal = end->signal;
    run->result.exit_code = end->signal != 0 ? -1 : end->exit_code;
}

static void on_ended(void *context, const struct stage_end *end)
{
    struct run *run = context;
    run_clock_stop_stage(run);
    account(run, end);
    take_facts(run, end);
    executor_stage_free(take_ptr(&run->stage));
    run->killed = false;
    bool goes_on = run->facts.in_compile_stage && verdict_decide(&run->facts) == VERDICT_SUCCEEDED;
    if (!goes_on) {
        run_finish(run);
        return;
    }
    if (run->compiler_text.len > 0)
        run_show_compiler_text(run, EVENT_NOTICE);
    run->result.exit_code = -1; /* this stage did not end the run */
    run->command++;
    start_stage(run);
}

static const struct stage_events run_stage_events = {
    .started = on_started,
    .output = on_output,
    .input_ready = on_input_ready,
    .sampled = on_sampled,
    .probed = on_probed,
    .ended = on_ended,
};
