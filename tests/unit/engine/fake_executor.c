/* SPDX-License-Identifier: MIT */
#include "fake_executor.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct fake_workspace {
    struct workspace workspace;
    struct fake_executor *executor;
    bool busy;
    const struct collect_events *collect_events; /* NULL: not asked for */
    void *collect_context;
    struct loop_task *collector;
    bool *closed; /* set when it is closed while its owner is called; NULL: nobody is */
};

static struct fake_executor *fake(struct executor *executor)
{
    return CONTAINER_OF(executor, struct fake_executor, executor);
}

static struct fake_stage *fake_of(struct stage *stage)
{
    return CONTAINER_OF(stage, struct fake_stage, stage);
}

static struct workspace *workspace_open(struct executor *base, const struct workspace_spec *spec,
                                        struct err *err)
{
    struct fake_executor *executor = fake(base);
    if (executor->workspace_fails) {
        executor->workspace_fails = false;
        (void)err_set(err, ERR_UNAVAILABLE, "no workspace today");
        return NULL;
    }
    struct buf files;
    buf_init(&files, sizeof executor->files - 1);
    for (size_t i = 0; i < spec->file_count; i++)
        buf_add_format(&files, "%s=%.*s;", spec->files[i].path,
                       (int)MIN(spec->files[i].content.len, (size_t)40), spec->files[i].content.at);
    (void)snprintf(executor->files, sizeof executor->files, "%s", buf_text(&files));
    buf_fini(&files);
    executor->workspace_bytes = spec->bytes;
    struct fake_workspace *workspace = calloc(1, sizeof *workspace);
    assert(workspace);
    workspace->workspace.executor = base;
    workspace->executor = executor;
    executor->workspaces++;
    return &workspace->workspace;
}

static void workspace_close(struct workspace *base)
{
    struct fake_workspace *workspace = CONTAINER_OF(base, struct fake_workspace, workspace);
    assert(!workspace->busy);
    workspace->executor->workspaces--;
    if (workspace->executor->collected == workspace)
        workspace->executor->collected = NULL;
    if (workspace->closed)
        *workspace->closed = true;
    loop_task_free(workspace->collector);
    free(workspace);
}

static int content_fd(struct slice content)
{
    int fd = memfd_create("found", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, content.at, content.len) == (ssize_t)content.len);
    assert(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

/* The owner may close the workspace while it is told: then it is told no more. */
static void on_collect(void *context)
{
    struct fake_workspace *workspace = context;
    struct fake_executor *executor = workspace->executor;
    const struct collect_events *events = workspace->collect_events;
    void *owner = workspace->collect_context;
    struct err failure = {0};
    bool closed = false;
    if (executor->collected == workspace)
        executor->collected = NULL;
    workspace->closed = &closed;
    for (size_t i = 0; i < executor->found_count; i++) {
        const struct fake_found *found = &executor->found[i];
        /* Lent for the call, as the real one's: overwritten behind it. */
        char refusal[64] = "";
        (void)snprintf(refusal, sizeof refusal, "%s", found->refusal ? found->refusal : "");
        struct collect_item item = {.path = found->path,
                                    .size = found->content.len,
                                    .fd = found->refusal ? -1 : content_fd(found->content),
                                    .refusal = found->refusal ? refusal : NULL};
        events->item(owner, &item);
        explicit_bzero(refusal, sizeof refusal);
        if (closed)
            return;
    }
    workspace->closed = NULL;
    if (executor->collect_failure)
        (void)err_set(&failure, ERR_UNAVAILABLE, "%s", executor->collect_failure);
    events->done(owner, executor->unlisted, executor->collect_failure ? &failure : NULL);
}

static void workspace_collect(struct workspace *base, const struct collect_spec *spec,
                              const struct collect_events *events, void *context)
{
    struct fake_workspace *workspace = CONTAINER_OF(base, struct fake_workspace, workspace);
    struct fake_executor *executor = workspace->executor;
    assert(!workspace->busy && !workspace->collect_events);
    workspace->collect_events = events;
    workspace->collect_context = context;
    workspace->collector = loop_task_new(executor->loop, on_collect, workspace);
    executor->collected = workspace;
    executor->collections++;
    (void)snprintf(executor->collect_folder, sizeof executor->collect_folder, "%s", spec->folder);
    executor->collect_max_files = spec->max_files;
    executor->collect_max_bytes = spec->max_bytes;
    if (!executor->collect_held)
        loop_task_schedule(workspace->collector);
}

void fake_collect(struct executor *base)
{
    struct fake_executor *executor = fake(base);
    assert(executor->collected);
    on_collect(executor->collected);
}

static void join(char *text, size_t size, const char *const *parts, const char *between)
{
    struct buf out;
    buf_init(&out, size - 1);
    for (size_t i = 0; parts[i]; i++)
        buf_add_format(&out, "%s%s", parts[i], parts[i + 1] || *between == '\n' ? between : "");
    (void)snprintf(text, size, "%s", buf_text(&out));
    buf_fini(&out);
}

static void on_killed(void *context)
{
    struct stage_end end = {.signal = SIGKILL};
    fake_stage_end(context, &end);
}

static struct stage *stage_start(struct workspace *base, const struct stage_spec *spec,
                                 const struct stage_events *events, void *context, struct err *err)
{
    struct fake_workspace *workspace = CONTAINER_OF(base, struct fake_workspace, workspace);
    assert(!workspace->busy && !workspace->collect_events);
    if (workspace->executor->stage_fails) {
        workspace->executor->stage_fails = false;
        (void)err_set(err, ERR_UNAVAILABLE, "no stage today");
        return NULL;
    }
    struct fake_stage *stage = calloc(1, sizeof *stage);
    assert(stage);
    *stage = (struct fake_stage){
        .stage.executor = base->executor,
        .executor = workspace->executor,
        .workspace = workspace,
        .events = events,
        .context = context,
        .limits = spec->limits,
        .tty = spec->tty,
        .input_room = SIZE_MAX,
    };
    stage->killer = loop_task_new(stage->executor->loop, on_killed, stage);
    buf_init(&stage->input, 64 * MIB);
    join(stage->command, sizeof stage->command, spec->argv, " ");
    join(stage->env, sizeof stage->env, spec->env, "\n");
    list_append(&stage->executor->stages, &stage->link);
    workspace->busy = true;
    stage->executor->stages_live++;
    stage->executor->stages_started++;
    return &stage->stage;
}

static void stage_free(struct stage *base)
{
    struct fake_stage *stage = fake_of(base);
    list_remove(&stage->link);
    loop_task_free(stage->killer);
    buf_fini(&stage->input);
    stage->workspace->busy = false;
    stage->executor->stages_live--;
    free(stage);
}

static void stage_kill(struct stage *base)
{
    struct fake_stage *stage = fake_of(base);
    stage->killed = true;
    if (!stage->ended && !stage->executor->deaf)
        loop_task_schedule(stage->killer);
}

static size_t stage_write(struct stage *base, struct slice bytes)
{
    struct fake_stage *stage = fake_of(base);
    size_t len = stage->input_closed ? 0 : MIN(bytes.len, stage->input_room);
    buf_add(&stage->input, bytes.at, len);
    if (stage->input_room != SIZE_MAX)
        stage->input_room -= len;
    return len;
}

static void stage_close_input(struct stage *base)
{
    fake_of(base)->input_closed = true;
}

static void stage_pause(struct stage *base, bool paused)
{
    fake_of(base)->paused = paused;
    fake_of(base)->pauses += paused;
}

static void stage_signal(struct stage *base, int signal)
{
    struct fake_stage *stage = fake_of(base);
    stage->signal = signal;
    stage->signals |= UINT64_C(1) << (signal - 1);
    stage->signals_sent++;
}

static void stage_resize(struct stage *base, unsigned columns, unsigned rows)
{
    (void)rows;
    fake_of(base)->columns = columns;
}

static void stage_sample(struct stage *base)
{
    fake_of(base)->samples++;
}

static bool stage_probe(struct stage *base)
{
    struct fake_stage *stage = fake_of(base);
    stage->probes += !stage->unread;
    return !stage->unread;
}

static void executor_free(struct executor *base)
{
    assert(fake(base)->workspaces == 0 && fake(base)->stages_live == 0);
    free(fake(base));
}

static const char *isolation(const struct executor *executor)
{
    (void)executor;
    return "none: a fake";
}

static const struct executor_ops fake_ops = {
    .name = "fake",
    .workspace_open = workspace_open,
    .workspace_close = workspace_close,
    .workspace_collect = workspace_collect,
    .stage_start = stage_start,
    .stage_kill = stage_kill,
    .stage_write = stage_write,
    .stage_close_input = stage_close_input,
    .stage_pause = stage_pause,
    .stage_signal = stage_signal,
    .stage_resize = stage_resize,
    .stage_sample = stage_sample,
    .stage_probe = stage_probe,
    .stage_free = stage_free,
    .executor_free = executor_free,
    .isolation = isolation,
};

struct executor *fake_executor_new(struct loop *loop)
{
    struct fake_executor *executor = calloc(1, sizeof *executor);
    assert(executor);
    executor->executor.ops = &fake_ops;
    executor->loop = loop;
    list_init(&executor->stages);
    return &executor->executor;
}

struct fake_stage *fake_stage_newest(struct executor *base)
{
    struct fake_executor *executor = fake(base);
    return list_empty(&executor->stages)
               ? NULL
               : CONTAINER_OF(executor->stages.previous, struct fake_stage, link);
}

void fake_stage_start(struct fake_stage *stage)
{
    stage->started_ns = loop_now_ns();
    stage->events->started(stage->context);
}

void fake_stage_print(struct fake_stage *stage, enum stage_stream stream, struct slice bytes)
{
    assert(!stage->paused && !stage->ended);
    /* Exactly as long as it lasts, so that whoever keeps it is caught. */
    char *copy = malloc(bytes.len + 1);
    assert(copy);
    memcpy(copy, bytes.at, bytes.len);
    stage->events->output(stage->context, stream, (struct slice){copy, bytes.len});
    free(copy);
}

void fake_stage_print_text(struct fake_stage *stage, enum stage_stream stream, const char *text)
{
    fake_stage_print(stage, stream, slice_of(text));
}

void fake_stage_use_cpu(struct fake_stage *stage, uint64_t cpu_ns)
{
    struct stage_usage usage = {.cpu_ns = cpu_ns};
    stage->events->sampled(stage->context, &usage);
}

void fake_stage_answer(struct fake_stage *stage, bool waiting)
{
    stage->events->probed(stage->context, waiting);
}

void fake_stage_room(struct fake_stage *stage, size_t more)
{
    stage->input_room = more;
    stage->events->input_ready(stage->context);
}

void fake_stage_end(struct fake_stage *stage, const struct stage_end *end)
{
    assert(!stage->ended);
    stage->ended = true;
    struct stage_end told = *end;
    if (told.usage.wall_ns == 0)
        told.usage.wall_ns = loop_now_ns() - stage->started_ns;
    stage->events->ended(stage->context, &told);
}

void fake_stage_exit(struct fake_stage *stage, int code)
{
    struct stage_end end = {.exit_code = code};
    fake_stage_end(stage, &end);
}
