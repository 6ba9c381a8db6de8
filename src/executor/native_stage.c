/* SPDX-License-Identifier: MIT */
/* native_stage.c — the life of one stage: its box by the spawner's replies, its
 * bytes by its pipes. Each callback of the owner may free the stage, so every
 * call out stands between enter() and leave(). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/native_private.h"
#include "loop/loop.h"
#include "os/fd.h"

static struct native_stage *native_stage(struct stage *stage)
{
    return CONTAINER_OF(stage, struct native_stage, stage);
}

static void enter(struct native_stage *stage)
{
    stage->busy++;
}

/* False when the owner has freed the stage meanwhile: it must not be touched. */
static bool leave(struct native_stage *stage)
{
    bool freed = stage->freed;
    if (--stage->busy == 0 && freed)
        free(stage);
    return !freed;
}

static void close_output(struct native_output *output)
{
    loop_watch_free(output->watch);
    output->watch = NULL;
    fd_close(&output->stage->pipes.output[output->stream]);
}

/* Moves at most one chunk. Returns what was read, 0 at the end, -EAGAIN, or
 * -ECANCELED when the owner freed the stage in its callback. */
static ssize_t move_output(struct native_output *output)
{
    struct native_stage *stage = output->stage;
    char *chunk = stage->native->chunk;
    ssize_t got = native_pipes_read(&stage->pipes, output->stream, chunk, NATIVE_CHUNK);
    if (got <= 0)
        return got;
    enter(stage);
    stage->events->output(stage->context, output->stream, (struct slice){chunk, (size_t)got});
    return leave(stage) ? got : -ECANCELED;
}

static void on_output(void *context, unsigned ready)
{
    struct native_output *output = context;
    (void)ready;
    if (move_output(output) == 0)
        close_output(output);
}

static void close_input(struct native_stage *stage)
{
    loop_watch_free(stage->input_watch);
    stage->input_watch = NULL;
    fd_close(&stage->pipes.input);
}

static void on_input_room(void *context, unsigned ready);

static void await_input_room(struct native_stage *stage)
{
    if (!stage->input_watch)
        stage->input_watch =
            loop_watch_new(stage->native->loop, stage->pipes.input, 0, on_input_room, stage);
    loop_watch_set(stage->input_watch, LOOP_WRITE);
}

static void end_input(struct native_stage *stage)
{
    if (native_pipes_end_input(&stage->pipes))
        close_input(stage);
    else
        await_input_room(stage);
}

static void on_input_room(void *context, unsigned ready)
{
    struct native_stage *stage = context;
    (void)ready;
    if (stage->input_ends) {
        end_input(stage);
        return;
    }
    loop_watch_set(stage->input_watch, 0);
    enter(stage);
    if (stage->events->input_ready)
        stage->events->input_ready(stage->context);
    (void)leave(stage);
}

/* The box is dead: hands over what is left, a chunk of each stream a turn. */
static void on_drain(void *context)
{
    struct native_stage *stage = context;
    bool more = false;
    for (int i = 0; i < STAGE_STREAMS; i++) {
        if (stage->paused)
            return;
        if (stage->pipes.output[i] < 0)
            continue;
        ssize_t got = move_output(&stage->outputs[i]);
        if (got == -ECANCELED)
            return;
        if (got > 0 ||
            (got == -EAGAIN && native_pipes_has_output(&stage->pipes, (enum stage_stream)i)))
            more = true;
        else
            close_output(&stage->outputs[i]);
    }
    if (more) {
        loop_task_schedule(stage->drain);
        return;
    }
    list_remove(&stage->link);
    enter(stage);
    stage->events->ended(stage->context, &stage->end);
    (void)leave(stage);
}

static void set_dead(struct native_stage *stage)
{
    stage->dead = true;
    for (int i = 0; i < STAGE_STREAMS; i++) {
        loop_watch_free(stage->outputs[i].watch);
        stage->outputs[i].watch = NULL;
    }
    close_input(stage);
    loop_task_schedule(stage->drain);
}

static void set_usage(struct stage_usage *usage, const struct sandbox_usage *from)
{
    *usage = (struct stage_usage){
        .wall_ns = from->wall_ns,
        .cpu_ns = from->cpu_ns,
        .memory_bytes = from->memory_bytes,
        .memory_peak_bytes = from->memory_peak_bytes,
    };
}

/* Its compilation did not leave it there, or left it or its folder unusable. */
static bool is_its_own_doing(const struct native_stage *stage, const struct sandbox_reply *reply)
{
    return (stage->own_program && strcmp(reply->failed_step, "exec") == 0) ||
           (stage->is_later && strcmp(reply->failed_step, "folder") == 0 &&
            reply->failed_errno == EACCES);
}

/* A toolchain that cannot be started is our failure; a program's own doing ends as
 * a shell would report it. */
static void set_failed_step(struct native_stage *stage, const struct sandbox_reply *reply)
{
    struct stage_end *end = &stage->end;
    if (is_its_own_doing(stage, reply)) {
        char text[160];
        int len = snprintf(text, sizeof text, "cannot start %s: %s\n", stage->program,
                           strerror(reply->failed_errno));
        end->exit_code = reply->failed_errno == ENOENT ? 127 : 126;
        if (len > 0)
            stage->events->output(stage->context, STAGE_STDERR,
                                  (struct slice){text, MIN((size_t)len, sizeof text - 1)});
        return;
    }
    end->failed = true;
    (void)err_sys(&end->failure, reply->failed_errno, "the box could not be made: %s",
                  reply->failed_step);
}

/* Whatever the program was killed for, it was within its limit. */
static void set_starved(struct stage_end *end)
{
    end->failed = true;
    (void)err_set(&end->failure, ERR_UNAVAILABLE,
                  "this machine, or the cgroup of all boxes, ran out of memory");
}

static void on_ended_reply(struct native_stage *stage, const struct sandbox_reply *reply)
{
    stage->end = (struct stage_end){
        .exit_code = reply->exit_code,
        .signal = reply->signal,
        .out_of_memory = reply->out_of_memory,
        .hits = {.processes = reply->process_limit_hits,
                 .workspace = reply->workspace_full,
                 .file_size = reply->signal == SIGXFSZ},
    };
    set_usage(&stage->end.usage, &reply->usage);
    enter(stage);
    if (reply->failed_step[0] != '\0')
        set_failed_step(stage, reply);
    else if (reply->starved)
        set_starved(&stage->end);
    if (leave(stage))
        set_dead(stage);
}

void native_stage_reply(struct native_stage *stage, const struct sandbox_reply *reply)
{
    struct stage_usage usage;
    if (stage->dead)
        return;
    if (reply->kind == REPLY_ENDED) {
        on_ended_reply(stage, reply);
        return;
    }
    enter(stage);
    if (reply->kind == REPLY_STARTED) {
        stage->events->started(stage->context);
    } else if (reply->kind == REPLY_PROBED && stage->events->probed) {
        /* A prompt that was written since we asked comes first. */
        bool waiting = reply->waiting && native_pipes_drained(&stage->pipes);
        stage->events->probed(stage->context, waiting);
    } else if (reply->kind == REPLY_SAMPLED && stage->events->sampled) {
        set_usage(&usage, &reply->usage);
        stage->events->sampled(stage->context, &usage);
    }
    (void)leave(stage);
}

void native_stage_lose(struct native_stage *stage, const struct err *why)
{
    if (stage->dead)
        return;
    stage->end = (struct stage_end){.failed = true, .failure = *why};
    set_dead(stage);
}

/* 0: the host's tree; a tree that the spawner was not told of cannot be asked for. */
static int find_rootfs(const struct native *native, const char *rootfs, unsigned *ret_index,
                       struct err *err)
{
    *ret_index = 0;
    if (!rootfs)
        return 0;
    for (unsigned i = 0; native->config.rootfs && native->config.rootfs[i]; i++) {
        if (strcmp(native->config.rootfs[i], rootfs) == 0) {
            *ret_index = i + 1;
            return 0;
        }
    }
    return err_set(err, ERR_INTERNAL, "the spawner was not told of the tree %s", rootfs);
}

static int request_start(struct native_stage *stage, const struct native_workspace *workspace,
                         const struct stage_spec *spec, struct err *err)
{
    struct sandbox_stage plan = {
        .argv = spec->argv,
        .env = spec->env,
        .whole_proc = spec->proc == PROC_WITH_MACHINE,
        .tty = spec->tty,
        .limits = spec->limits,
    };
    int program[3];
    if (find_rootfs(stage->native, spec->rootfs, &plan.rootfs, err) < 0 ||
        native_pipes_open(spec->tty, &stage->pipes, program, err) < 0)
        return -1;
    int rc =
        sandbox_stage_start(stage->native->socket, stage->id, workspace->id, &plan, program, err);
    for (int i = 0; i < 3; i++)
        fd_close(&program[i]);
    return rc;
}

struct stage *native_stage_start(struct workspace *base, const struct stage_spec *spec,
                                 const struct stage_events *events, void *context, struct err *err)
{
    struct native_workspace *workspace = CONTAINER_OF(base, struct native_workspace, workspace);
    struct native *native = workspace->native;
    if (native->lost) {
        *err = native->why_lost;
        return NULL;
    }
    auto_free struct native_stage *stage = calloc(1, sizeof *stage);
    if (!stage) {
        (void)err_sys(err, ENOMEM, "cannot start a stage");
        return NULL;
    }
    *stage = (struct native_stage){
        .stage = {.executor = &native->executor},
        .native = native,
        .id = native_next_id(native),
        .events = events,
        .context = context,
        .own_program = spec->argv[0][0] != '/',
        .is_later = workspace->used,
        .pipes = {.input = -1, .output = {-1, -1}},
    };
    list_init(&stage->link);
    if (snprintf(stage->program, sizeof stage->program, "%s", spec->argv[0]) < 0)
        stage->program[0] = '\0';
    if (request_start(stage, workspace, spec, err) < 0) {
        native_pipes_close(&stage->pipes);
        return NULL;
    }
    for (int i = 0; i < STAGE_STREAMS; i++) {
        struct native_output *output = &stage->outputs[i];
        *output = (struct native_output){.stage = stage, .stream = (enum stage_stream)i};
        if (stage->pipes.output[i] >= 0)
            output->watch =
                loop_watch_new(native->loop, stage->pipes.output[i], LOOP_READ, on_output, output);
    }
    workspace->used = true;
    stage->drain = loop_task_new(native->loop, on_drain, stage);
    list_append(&native->stages, &stage->link);
    return &take_ptr(&stage)->stage;
}

void native_stage_free(struct stage *base)
{
    struct native_stage *stage = native_stage(base);
    native_stage_kill(base);
    list_remove(&stage->link);
    for (int i = 0; i < STAGE_STREAMS; i++)
        loop_watch_free(stage->outputs[i].watch);
    loop_watch_free(stage->input_watch);
    loop_task_free(stage->drain);
    native_pipes_close(&stage->pipes);
    if (stage->busy > 0)
        stage->freed = true;
    else
        free(stage);
}

void native_stage_kill(struct stage *base)
{
    struct native_stage *stage = native_stage(base);
    if (stage->dead || stage->killed || stage->native->lost)
        return;
    struct err err = {0};
    stage->killed = true;
    if (sandbox_stage_kill(stage->native->socket, stage->id, &err) < 0)
        native_cannot_end(stage->native, &err);
}

size_t native_stage_write(struct stage *base, struct slice bytes)
{
    struct native_stage *stage = native_stage(base);
    if (stage->pipes.input < 0 || stage->input_ends || bytes.len == 0)
        return 0;
    ssize_t put = native_pipes_write(&stage->pipes, bytes);
    if (put < 0) { /* the program closed its input: nothing will ever fit again */
        close_input(stage);
        return 0;
    }
    if ((size_t)put < bytes.len)
        await_input_room(stage);
    return (size_t)put;
}

void native_stage_close_input(struct stage *base)
{
    struct native_stage *stage = native_stage(base);
    stage->input_ends = true;
    end_input(stage);
}

void native_stage_pause(struct stage *base, bool paused)
{
    struct native_stage *stage = native_stage(base);
    if (stage->paused == paused)
        return;
    stage->paused = paused;
    for (int i = 0; i < STAGE_STREAMS; i++) {
        if (stage->outputs[i].watch)
            loop_watch_set(stage->outputs[i].watch, paused ? 0 : LOOP_READ);
    }
    if (stage->dead && !paused)
        loop_task_schedule(stage->drain);
}

void native_stage_signal(struct stage *base, int signal)
{
    struct native_stage *stage = native_stage(base);
    if (!stage->dead && !stage->native->lost)
        (void)sandbox_stage_signal(stage->native->socket, stage->id, signal, NULL);
}

void native_stage_resize(struct stage *base, unsigned columns, unsigned rows)
{
    native_pipes_resize(&native_stage(base)->pipes, columns, rows);
}

void native_stage_sample(struct stage *base)
{
    struct native_stage *stage = native_stage(base);
    if (!stage->dead && !stage->native->lost)
        (void)sandbox_stage_sample(stage->native->socket, stage->id, NULL);
}

bool native_stage_probe(struct stage *base)
{
    struct native_stage *stage = native_stage(base);
    if (stage->dead || stage->native->lost || stage->pipes.input < 0 ||
        !native_pipes_drained(&stage->pipes))
        return false;
    return sandbox_stage_probe(stage->native->socket, stage->id, NULL) == 0;
}
