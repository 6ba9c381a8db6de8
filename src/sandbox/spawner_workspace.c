/* SPDX-License-Identifier: MIT */
/* spawner_workspace.c — the workspaces that fronts asked for, and their users. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/reserve.h"
#include "sandbox/spawner.h"
#include "sandbox/weakened.h"

struct spawner_workspace *spawner_find_workspace(struct spawner *spawner, uint32_t id)
{
    list_for_each (link, &spawner->workspaces) {
        struct spawner_workspace *workspace = CONTAINER_OF(link, struct spawner_workspace, link);
        if (workspace->id == id && !workspace->closed)
            return workspace;
    }
    return NULL;
}

/* Under the ceiling, where there is one; 0 is no limit, and over any. */
static bool within(const struct spawner *spawner, enum limit limit, uint64_t value)
{
    uint64_t ceiling = spawner->settings.ceiling.value[limit];
    return ceiling == 0 || (value != 0 && value <= ceiling);
}

static int fill_workspace(struct spawner *spawner, struct spawner_workspace *workspace,
                          const struct workspace_open_message *message, int content)
{
    if (!within(spawner, LIMIT_WORKSPACE, message->bytes) ||
        !within(spawner, LIMIT_INODES, message->inodes))
        return -EPERM;
    if (spawner->privileged && step_is_on("host ids")) {
        workspace->uid = host_ids_take(&spawner->ids);
        if (workspace->uid == 0)
            return -EUSERS;
    }
    return workspace_make(message, content, workspace->uid, workspace->uid, &workspace->mount);
}

struct spawner_workspace *spawner_make_workspace(struct spawner *spawner, uint32_t id,
                                                 const struct workspace_open_message *message,
                                                 int content)
{
    struct spawner_workspace *workspace = reserve_take(sizeof *workspace);
    if (!workspace)
        return NULL;
    *workspace = (struct spawner_workspace){
        .id = id, .bytes = message->bytes, .inodes = message->inodes, .mount = {.mount = -1}};
    memset(workspace->mount.clones, -1, sizeof workspace->mount.clones);
    list_append(&spawner->workspaces, &workspace->link);
    spawner->workspace_count++;
    workspace->error = fill_workspace(spawner, workspace, message, content);
    return workspace;
}

void spawner_release_workspace(struct spawner *spawner, struct spawner_workspace *workspace)
{
    if (!workspace->closed || workspace->stages > 0)
        return;
    list_remove(&workspace->link);
    spawner->workspace_count--;
    spawner_forget_collection(workspace);
    workspace_unmake(&workspace->mount);
    if (workspace->uid != 0)
        host_ids_give(&spawner->ids, workspace->uid);
    reserve_give(workspace);
}
