/* SPDX-License-Identifier: MIT */
/* native_collect.c — what a run's programs left in its workspace, as the spawner
 * tells it. The owner may close the workspace in each of its callbacks, so every
 * call out is the last that is done with it. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "executor/native_private.h"
#include "loop/loop.h"
#include "os/fd.h"

static struct native_workspace *find_collecting(struct native *native, uint32_t id)
{
    list_for_each (link, &native->collecting) {
        struct native_workspace *workspace = CONTAINER_OF(link, struct native_workspace, link);
        if (workspace->id == id)
            return workspace;
    }
    return NULL; /* closed by its owner before the spawner's answer came */
}

static void finish(struct native_workspace *workspace, uint64_t unlisted, const struct err *failure)
{
    list_remove(&workspace->link);
    workspace->events->done(workspace->context, unlisted, failure);
}

static void on_failed(void *context)
{
    struct native_workspace *workspace = context;
    struct err failure = workspace->failure; /* which goes with the workspace */
    finish(workspace, 0, &failure);
}

void native_collect_lose(struct native_workspace *workspace, const struct err *why)
{
    workspace->failure = *why;
    if (!workspace->failed)
        workspace->failed = loop_task_new(workspace->native->loop, on_failed, workspace);
    loop_task_schedule(workspace->failed);
}

void native_workspace_collect(struct workspace *base, const struct collect_spec *spec,
                              const struct collect_events *events, void *context)
{
    struct native_workspace *workspace = CONTAINER_OF(base, struct native_workspace, workspace);
    struct native *native = workspace->native;
    struct sandbox_collect request = {
        .folder = spec->folder, .max_files = spec->max_files, .max_bytes = spec->max_bytes};
    struct err err = {0};
    assert(!workspace->events); /* the spawner would take us for a front that was taken over */
    workspace->events = events;
    workspace->context = context;
    workspace->max_files = spec->max_files;
    workspace->max_bytes = spec->max_bytes;
    list_append(&native->collecting, &workspace->link);
    if (native->lost)
        native_collect_lose(workspace, &native->why_lost);
    else if (sandbox_workspace_collect(native->socket, workspace->id, &request, &err) < 0)
        native_collect_lose(workspace, &err);
}

static const char *words(const struct native_workspace *workspace, enum sandbox_refusal refusal,
                         char *text, size_t size)
{
    static const char *const known[REFUSALS] = {
        [REFUSED_NOT] = "there is no descriptor free for it",
        [REFUSED_SYMLINK] = "a symbolic link",
        [REFUSED_HARD_LINK] = "a file with more than one name",
        [REFUSED_FIFO] = "a named pipe",
        [REFUSED_SOCKET] = "a socket",
        [REFUSED_DEVICE] = "a device",
        [REFUSED_NO_FOLDER] = "not a folder",
        [REFUSED_MOUNT] = "on another file system",
        [REFUSED_DEPTH] = "in too many folders",
        [REFUSED_PATH] = "its path is too long",
        [REFUSED_UNOPENED] = "it cannot be opened",
    };
    int len = 0;
    if (refusal == REFUSED_COUNT)
        len = snprintf(text, size, "more than %" PRIu64 " files", workspace->max_files);
    else if (refusal == REFUSED_BYTES)
        len = snprintf(text, size, "over %" PRIu64 " bytes together", workspace->max_bytes);
    if (len > 0)
        return text;
    return refusal < REFUSALS && known[refusal] ? known[refusal] : "refused";
}

static void take_found(struct native_workspace *workspace, const struct sandbox_reply *reply)
{
    char text[64];
    struct collect_item item = {.path = reply->path, .size = reply->size, .fd = reply->fd};
    if (item.fd < 0)
        item.refusal = words(workspace, reply->refusal, text, sizeof text);
    workspace->events->item(workspace->context, &item);
}

void native_collect_reply(struct native *native, const struct sandbox_reply *reply)
{
    struct native_workspace *workspace = find_collecting(native, reply->id);
    struct err err = {0};
    int fd = reply->fd;
    if (!workspace) {
        fd_close(&fd);
    } else if (reply->kind == REPLY_FOUND) {
        take_found(workspace, reply);
    } else if (reply->failed_errno != 0) {
        (void)err_sys(&err, reply->failed_errno, "cannot look into the workspace");
        finish(workspace, reply->unlisted, &err);
    } else {
        finish(workspace, reply->unlisted, NULL);
    }
}
