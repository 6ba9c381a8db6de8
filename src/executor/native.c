/* SPDX-License-Identifier: MIT */
/* native.c — the executor itself: workspaces, the spawner's replies, its loss. */
#include "executor/native.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "executor/native_private.h"
#include "loop/loop.h"
#include "os/fd.h"

static struct native *native_of(struct executor *executor)
{
    return CONTAINER_OF(executor, struct native, executor);
}

/* Unique while it lives: 2^32 stages later none of the first is left. */
uint32_t native_next_id(struct native *native)
{
    if (++native->last_id == 0)
        native->last_id = 1;
    return native->last_id;
}

static struct native_stage *find_stage(struct native *native, uint32_t id)
{
    list_for_each (link, &native->stages) {
        struct native_stage *stage = CONTAINER_OF(link, struct native_stage, link);
        if (stage->id == id)
            return stage;
    }
    return NULL; /* freed by its owner before the spawner's answer came */
}

/* A request that could not be sent may just have been too long: that the spawner is gone, the end
 * of the socket says, behind its last replies. */
static void lose(struct native *native, const struct err *why)
{
    native->lost = true;
    native->why_lost = *why;
    native->why_lost.code = ERR_UNAVAILABLE;
    loop_watch_free(native->replies);
    native->replies = NULL;
    /* This only marks the stages, whose own tasks hand over the last bytes and
     * the end: no owner is called while the list is walked. */
    list_for_each (link, &native->stages)
        native_stage_lose(CONTAINER_OF(link, struct native_stage, link), &native->why_lost);
    list_for_each (link, &native->collecting)
        native_collect_lose(CONTAINER_OF(link, struct native_workspace, link), &native->why_lost);
    if (native->config.lost)
        native->config.lost(native->config.lost_context, &native->why_lost);
}

void native_cannot_end(struct native *native, const struct err *why)
{
    if (why->sys != EPIPE && why->sys != ECONNRESET && !native->lost)
        lose(native, why);
}

static void on_replies(void *context, unsigned ready)
{
    struct native *native = context;
    (void)ready;
    while (!native->lost) {
        struct sandbox_reply reply;
        struct err err = {0};
        int rc = sandbox_receive(native->socket, &reply, &err);
        if (rc == 0)
            return;
        if (rc < 0) {
            lose(native, &err);
            return;
        }
        if (reply.kind == REPLY_FOUND || reply.kind == REPLY_COLLECTED) {
            native_collect_reply(native, &reply);
            continue;
        }
        struct native_stage *stage = find_stage(native, reply.id);
        if (stage)
            native_stage_reply(stage, &reply);
    }
}

static struct workspace *workspace_open(struct executor *executor,
                                        const struct workspace_spec *spec, struct err *err)
{
    struct native *native = native_of(executor);
    if (native->lost) {
        *err = native->why_lost;
        return NULL;
    }
    auto_free struct native_workspace *workspace = calloc(1, sizeof *workspace);
    auto_free struct sandbox_file *files = calloc(spec->file_count + 1, sizeof *files);
    if (!workspace || !files) {
        (void)err_sys(err, ENOMEM, "cannot make a workspace");
        return NULL;
    }
    for (size_t i = 0; i < spec->file_count; i++)
        files[i] = (struct sandbox_file){spec->files[i].path, spec->files[i].content};
    struct sandbox_workspace request = {
        .bytes = spec->bytes,
        .inodes = spec->inodes,
        .files = files,
        .file_count = spec->file_count,
    };
    *workspace = (struct native_workspace){
        .workspace = {.executor = executor},
        .native = native,
        .id = native_next_id(native),
    };
    list_init(&workspace->link);
    if (sandbox_workspace_open(native->socket, workspace->id, &request, err) < 0)
        return NULL;
    return &take_ptr(&workspace)->workspace;
}

static void workspace_close(struct workspace *base)
{
    struct native_workspace *workspace = CONTAINER_OF(base, struct native_workspace, workspace);
    struct native *native = workspace->native;
    struct err err = {0};
    if (!native->lost && sandbox_workspace_close(native->socket, workspace->id, &err) < 0)
        native_cannot_end(native, &err);
    list_remove(&workspace->link);
    loop_task_free(workspace->failed);
    free(workspace);
}

static const char *isolation(const struct executor *executor)
{
    return CONTAINER_OF(executor, const struct native, executor)->isolation;
}

static void executor_free(struct executor *executor)
{
    if (!executor)
        return;
    struct native *native = native_of(executor);
    loop_watch_free(native->replies);
    fd_close(&native->socket);
    free(native->chunk);
    free(native);
}

static const struct executor_ops native_ops = {
    .name = "native",
    .workspace_open = workspace_open,
    .workspace_close = workspace_close,
    .workspace_collect = native_workspace_collect,
    .stage_start = native_stage_start,
    .stage_kill = native_stage_kill,
    .stage_write = native_stage_write,
    .stage_close_input = native_stage_close_input,
    .stage_pause = native_stage_pause,
    .stage_signal = native_stage_signal,
    .stage_resize = native_stage_resize,
    .stage_sample = native_stage_sample,
    .stage_probe = native_stage_probe,
    .stage_free = native_stage_free,
    .executor_free = executor_free,
    .isolation = isolation,
};

/* The loop made the socket non-blocking. Replies are taken without blocking all
 * the same, and a request must wait for a spawner that is busy. */
static int set_blocking(int socket, struct err *err)
{
    int flags = fcntl(socket, F_GETFL);
    if (flags < 0 || fcntl(socket, F_SETFL, flags & ~O_NONBLOCK) < 0)
        return err_sys(err, errno, "cannot use the spawner's socket");
    return 0;
}

int native_executor_new(struct loop *loop, int socket, const struct native_config *config,
                        struct executor **ret_executor, struct err *err)
{
    auto_free struct native *native = calloc(1, sizeof *native);
    auto_free char *chunk = malloc(NATIVE_CHUNK);
    if (!native || !chunk)
        return err_sys(err, ENOMEM, "cannot make the executor");
    native->executor.ops = &native_ops;
    native->loop = loop;
    native->socket = socket;
    native->config = *config;
    native->config.isolation = native->isolation;
    if (snprintf(native->isolation, sizeof native->isolation, "%s", config->isolation) < 0)
        native->isolation[0] = '\0';
    list_init(&native->stages);
    list_init(&native->collecting);
    native->chunk = take_ptr(&chunk);
    native->replies = loop_watch_new(loop, socket, LOOP_READ, on_replies, native);
    if (set_blocking(socket, err) < 0) {
        loop_watch_free(native->replies);
        free(native->chunk);
        return -1;
    }
    *ret_executor = &take_ptr(&native)->executor;
    return 0;
}
