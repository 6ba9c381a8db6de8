/* SPDX-License-Identifier: MIT */
/* The end of a box, as its init tells it and the kernel: four bytes of the status that the kernel
 * has of init, one that says what its cgroup knows, then what came over the report pipe, which
 * programs of a box that got hold of it may have written. The spawner tells the front, whose
 * decoder reads it: texts end, and nothing of what the spawner says itself is changed by it. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/spawner.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { INIT = 4711, ID = 7, HEAD = 5 };
enum {
    WITH_GROUP = 1,
    NO_FIGURES = 2,
    KILLED_ONE = 4,
    RAN_OUT = 8,
    NOTED = 16,      /* before it died */
    STILL_OPEN = 32, /* its end of the pipe */
};

static struct world {
    int status;
    uint8_t facts;
} world;

/* ---- the kernel, and the rest of the spawner ---- */

pid_t __wrap_wait4(pid_t pid, int *status, int options, struct rusage *rusage);

pid_t __wrap_wait4(pid_t pid, int *status, int options, struct rusage *rusage)
{
    assert(pid == INIT && (options & __WALL));
    *status = world.status;
    *rusage = (struct rusage){.ru_maxrss = 3};
    return pid;
}

uint64_t spawner_now_ns(void)
{
    return NS_PER_S;
}

void spawner_log(const char *level, const char *event, const char *detail)
{
    (void)level, (void)event, (void)detail;
}

void spawner_leave_look(struct spawner_stage *stage)
{
    (void)stage;
}

void spawner_drop_looks(struct spawner *spawner)
{
    (void)spawner;
}

void spawner_note_input(struct spawner_stage *stage, int input)
{
    (void)stage, (void)input;
}

void spawner_release_workspace(struct spawner *spawner, struct spawner_workspace *workspace)
{
    (void)spawner, (void)workspace;
}

bool workspace_is_full(const struct workspace_mount *mount)
{
    (void)mount;
    return true;
}

int workspace_clone(struct workspace_mount *mount)
{
    (void)mount;
    return -1;
}

struct cgroup *cgroup_take(struct cgroup_tree *tree, const struct cgroup_limits *limits,
                           struct err *err)
{
    (void)tree, (void)limits, (void)err;
    return NULL;
}

int cgroup_clone_fd(const struct cgroup *cgroup)
{
    (void)cgroup;
    return -1;
}

size_t cgroup_attach_fds(const struct cgroup *cgroup, int fds[CGROUP_ATTACH_MAX])
{
    (void)cgroup, (void)fds;
    return 0;
}

int cgroup_usage(struct cgroup *cgroup, struct cgroup_usage *ret_usage)
{
    (void)cgroup;
    *ret_usage = (struct cgroup_usage){
        .cpu_ns = 5, .oom_kills = world.facts & KILLED_ONE ? 1 : 0, .process_limit_hits = 2};
    return world.facts & NO_FIGURES ? -ENODEV : 0;
}

bool cgroup_ran_out(struct cgroup *cgroup)
{
    (void)cgroup;
    return world.facts & RAN_OUT;
}

void cgroup_oom_clear(struct cgroup *cgroup)
{
    (void)cgroup;
}

void cgroup_lift_cpu_limit(struct cgroup *cgroup)
{
    (void)cgroup;
}

void cgroup_release(struct cgroup *cgroup)
{
    (void)cgroup;
}

struct netns *netns_take(struct netns_pool *pool, struct err *err)
{
    (void)pool, (void)err;
    return NULL;
}

int netns_fd(const struct netns *netns)
{
    (void)netns;
    return -1;
}

void netns_give(struct netns_pool *pool, struct netns *netns)
{
    (void)pool, (void)netns;
}

uint64_t box_clone_flags(const struct box_plan *plan)
{
    (void)plan;
    return 0;
}

void box_init(const struct box_plan *plan)
{
    (void)plan;
    abort();
}

/* ---- the end ---- */

static void check_end(const struct sandbox_reply *end)
{
    assert(end->kind == REPLY_ENDED && end->id == ID && end->fd == -1);
    assert(memchr(end->failed_step, '\0', sizeof end->failed_step));
    assert(end->exit_code >= 0 && end->exit_code <= UINT8_MAX);
    assert(end->signal >= 0 && end->signal < 128);
    assert(end->exit_code == 0 || end->signal == 0);
    assert(!end->out_of_memory || !end->starved);
    assert(end->workspace_full == 1 && end->path[0] == '\0');
}

/* As the spawner's loop sends it. */
static void tell_front(const struct sandbox_reply *end)
{
    struct sandbox_reply heard;
    struct err err = {0};
    int pair[2];
    int rc = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
    assert(rc == 0);
    rc = fd_send(pair[0], end, offsetof(struct sandbox_reply, path), NULL, 0);
    assert(rc >= 0);
    rc = sandbox_receive(pair[1], &heard, &err);
    assert(rc == 1);
    check_end(&heard);
    assert(strcmp(heard.failed_step, end->failed_step) == 0);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct spawner spawner = {.stage_count = 1};
    struct spawner_workspace workspace = {.stages = 1};
    int ends[2];
    if (size < HEAD || size > HEAD + 4096)
        return 0;
    memcpy(&world.status, bytes, sizeof world.status);
    world.status &= 0xffff; /* the kernel has no other */
    world.facts = bytes[4];
    int rc = pipe2(ends, O_CLOEXEC | O_NONBLOCK);
    assert(rc == 0);
    (void)!write(ends[1], bytes + HEAD, size - HEAD);
    if (!(world.facts & STILL_OPEN))
        (void)close(ends[1]);
    struct spawner_stage stage = {
        .id = ID,
        .workspace = &workspace,
        .pidfd = -1,
        .pid = INIT,
        .report = ends[0],
        .group = world.facts & WITH_GROUP ? (struct cgroup *)(void *)&world : NULL,
        .out_of_memory = world.facts & NOTED,
        .failed_layer = -1,
        .end = {.kind = REPLY_ENDED, .id = ID},
    };
    spawner_end_stage(&spawner, &stage);
    assert(stage.owed == 1U << REPLY_ENDED);
    stage.end.fd = -1;
    check_end(&stage.end);
    tell_front(&stage.end);
    (void)close(ends[0]);
    if (world.facts & STILL_OPEN)
        (void)close(ends[1]);
    return 0;
}
