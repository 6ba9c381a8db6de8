/* SPDX-License-Identifier: MIT */
/* Whatever a front sends, over a real socket, up to the point where a box would be cloned:
 * what gets there is under the ceilings, and stays in its workspace, which here is a folder.
 * A message is two bytes of length, one that says which descriptors go with it and how many,
 * and its bytes. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/box.h"
#include "sandbox/cgroup.h"
#include "sandbox/host_ids.h"
#include "sandbox/netns.h"
#include "sandbox/spawner.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { BOXES = 2, NOBODY = 65534, NO_PROCESS = 0x7FFFFFFF, HEAD = 3, CONTENT = 16 };

static const struct limits ceiling = {.value = {[LIMIT_CPUS] = 500,
                                                [LIMIT_CPU_TIME] = 10000,
                                                [LIMIT_MEMORY] = 64 * MIB,
                                                [LIMIT_PROCESSES] = 16,
                                                [LIMIT_WORKSPACE] = 8 * MIB,
                                                [LIMIT_INODES] = 64,
                                                [LIMIT_FILE_SIZE] = 4 * MIB,
                                                [LIMIT_OPEN_FILES] = 64,
                                                [LIMIT_STACK] = 8 * MIB}};
static char ground[] = "/tmp/runnel-fuzz-XXXXXX"; /* the workspaces lie in it */
static bool is_set_up;
static unsigned folders;
static int ids_out;

/* ---- what the host would do ---- */

/* Box or workspace, it may have this much and no more. */
static void check_limit(enum limit limit, uint64_t value)
{
    assert(value > 0 && value <= ceiling.value[limit]);
}

uint64_t spawner_now_ns(void)
{
    static uint64_t now;
    return now += NS_PER_MS;
}

void spawner_log(const char *level, const char *event, const char *detail)
{
    (void)level, (void)event, (void)detail;
}

uid_t host_ids_take(struct host_ids *ids)
{
    (void)ids;
    ids_out++;
    return getuid() == 0 ? NOBODY : getuid();
}

void host_ids_give(struct host_ids *ids, uid_t uid)
{
    (void)ids, (void)uid;
    ids_out--;
}

struct cgroup *cgroup_take(struct cgroup_tree *tree, const struct cgroup_limits *limits,
                           struct err *err)
{
    (void)tree, (void)err;
    check_limit(LIMIT_MEMORY, limits->memory_bytes);
    check_limit(LIMIT_PROCESSES, limits->processes - 1);
    check_limit(LIMIT_CPUS, limits->cpu_milli);
    return malloc(1);
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
    (void)cgroup, (void)ret_usage;
    return 0;
}

bool cgroup_ran_out(struct cgroup *cgroup)
{
    (void)cgroup;
    return false;
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
    free(cgroup);
}

struct netns *netns_take(struct netns_pool *pool, struct err *err)
{
    (void)pool, (void)err;
    return malloc(1);
}

int netns_fd(const struct netns *netns)
{
    (void)netns;
    return -1;
}

void netns_give(struct netns_pool *pool, struct netns *netns)
{
    (void)pool;
    free(netns);
}

/* Everything is decided: this is what a box would be made of. */
uint64_t box_clone_flags(const struct box_plan *plan)
{
    static const enum limit held[] = {LIMIT_FILE_SIZE, LIMIT_OPEN_FILES, LIMIT_STACK,
                                      LIMIT_CPU_TIME,  LIMIT_MEMORY,     LIMIT_PROCESSES};
    for (size_t i = 0; i < ARRAY_LEN(held); i++)
        check_limit(held[i], plan->limits.value[held[i]]);
    assert(plan->privileged && plan->skip == 0 && plan->landlock_abi == 7);
    assert(plan->host_uid != 0 || getuid() == 0);
    assert(plan->mntns == -1 && plan->filter_count == 1 && !plan->continue_with);
    assert(plan->argv[0] && plan->workspace_mount >= 0);
    for (int i = 0; i < 3; i++) {
        struct stat about;
        assert(fstat(plan->stdio[i], &about) == 0);
        assert(plan->tty ? S_ISCHR(about.st_mode) : S_ISFIFO(about.st_mode));
    }
    size_t words = 0;
    for (char *const *word = plan->argv; *word; word++)
        words += strlen(*word) + 1;
    for (char *const *word = plan->env; *word; word++)
        words += strlen(*word) + 1;
    assert(words <= MESSAGE_SIZE_MAX);
    return 0;
}

void box_init(const struct box_plan *plan)
{
    (void)plan;
    abort();
}

/* Linked in place of the real ones (--wrap): a process that has ended already. */
pid_t __wrap_sys_clone3(struct clone_args *args);
int __wrap_sys_fsopen(const char *type);
int __wrap_sys_fsconfig_text(int fs, const char *key, const char *value);
int __wrap_sys_fsconfig_create(int fs);
int __wrap_sys_fsmount(int fs, unsigned mount_attributes);
int __wrap_sys_open_tree(int dir_fd, const char *path, unsigned flags);

pid_t __wrap_sys_clone3(struct clone_args *args)
{
    if (args->flags == CLONE_PIDFD) /* a look into a box, in which nothing is */
        return -EAGAIN;
    *(int *)(uintptr_t)args->pidfd = eventfd(1, EFD_CLOEXEC);
    return NO_PROCESS;
}

int __wrap_sys_fsopen(const char *type)
{
    (void)type;
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int __wrap_sys_fsconfig_text(int fs, const char *key, const char *value)
{
    uint64_t number = strtoull(value, NULL, 10);
    (void)fs;
    if (strcmp(key, "size") == 0)
        check_limit(LIMIT_WORKSPACE, number);
    if (strcmp(key, "nr_inodes") == 0)
        check_limit(LIMIT_INODES, number);
    return 0;
}

int __wrap_sys_fsconfig_create(int fs)
{
    (void)fs;
    return 0;
}

int __wrap_sys_fsmount(int fs, unsigned mount_attributes)
{
    char path[64];
    (void)fs;
    assert(mount_attributes != 0);
    (void)snprintf(path, sizeof path, "%s/%u", ground, folders++);
    int rc = mkdir(path, 0700);
    assert(rc == 0);
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int __wrap_sys_open_tree(int dir_fd, const char *path, unsigned flags)
{
    (void)path, (void)flags;
    return fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
}

/* ---- the ground ---- */

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind;
    return where->level > 0 ? remove(path) : 0;
}

/* Only folders of workspaces may be there. */
static void clear_ground(void)
{
    struct stat about;
    int rc = nftw(ground, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    assert(rc == 0 && stat(ground, &about) == 0 && about.st_nlink <= 2);
    folders = 0;
}

static void leave_ground(void)
{
    (void)rmdir(ground);
}

static void set_up(void)
{
    char *made = mkdtemp(ground);
    assert(made);
    (void)atexit(leave_ground);
    is_set_up = true;
}

/* ---- a front ---- */

struct world {
    struct spawner spawner;
    int front; /* its end of the socket */
    int kinds[4];
    int pipe_end;
};

/* A fresh one: a box that got it owns it. */
static void renew_pipe(struct world *world)
{
    int ends[2];
    int rc = pipe2(ends, O_CLOEXEC);
    assert(rc == 0);
    (void)close(world->kinds[1]);
    (void)close(world->pipe_end);
    world->kinds[1] = ends[0];
    world->pipe_end = ends[1];
}

static void open_world(struct world *world)
{
    static const char *const none[] = {NULL};
    static const char filter[sizeof(struct sock_filter)];
    int pair[2];
    *world = (struct world){.spawner = {.settings = {.ceiling = ceiling,
                                                     .max_boxes = BOXES,
                                                     .rootfs = none,
                                                     .etc = none,
                                                     .seccomp_program = {filter, sizeof filter}},
                                        .privileged = true,
                                        .front = 0,
                                        .proc_fd = open("/proc", O_PATH | O_CLOEXEC),
                                        .landlock_abi = 7,
                                        .groups = (void *)world,
                                        .networks = (void *)world}};
    world->spawner.report.front_uid = getuid();
    list_init(&world->spawner.workspaces);
    list_init(&world->spawner.stages);
    list_init(&world->spawner.looks);
    list_init(&world->spawner.collections);
    int rc = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
    assert(rc == 0);
    world->spawner.socket = pair[0];
    world->front = pair[1];
    world->kinds[0] = fd_from_bytes("content", "sixteen of these", CONTENT);
    world->kinds[1] = world->pipe_end = -1;
    renew_pipe(world);
    world->kinds[2] = open("/dev/null", O_RDWR | O_CLOEXEC);
    world->kinds[3] = pair[1];
}

static void close_world(struct world *world)
{
    spawner_drop_all(&world->spawner);
    assert(world->spawner.stage_count == 0 && world->spawner.workspace_count == 0);
    assert(list_empty(&world->spawner.collections) && ids_out == 0);
    (void)close(world->spawner.proc_fd);
    (void)close(world->spawner.socket);
    (void)close(world->pipe_end);
    for (size_t i = 0; i < ARRAY_LEN(world->kinds); i++)
        (void)close(world->kinds[i]);
    clear_ground();
}

/* As the loop does: what failed at its start is told and freed. */
static void pay(struct spawner *spawner)
{
    (void)spawner_send_signals(spawner);
    list_for_each_safe (link, following, &spawner->stages) {
        struct spawner_stage *stage = CONTAINER_OF(link, struct spawner_stage, link);
        if (stage->owed & 1U << REPLY_ENDED)
            spawner_free_stage(spawner, stage);
    }
    for (int i = 0; i < 8; i++)
        (void)spawner_collect_some(spawner);
    assert(spawner->stage_count <= BOXES);
    assert(spawner->workspace_count <= (size_t)BOXES * 4);
}

/* The front reads away what it was told. */
static void read_replies(const struct world *world)
{
    struct sandbox_reply reply;
    int fds[FD_PASS_MAX];
    size_t count = 0;
    while (fd_receive(world->front, &reply, sizeof reply, fds, &count) > 0) {
        for (size_t i = 0; i < count; i++)
            (void)close(fds[i]);
    }
}

/* Readers see bytes with nothing behind them. */
static void read_exactly(const char *bytes, size_t size)
{
    static const char *texts[2 * (TEXTS_MAX + 1)];
    struct message_reader from = {bytes, bytes + size, texts, ARRAY_LEN(texts), false};
    struct settings_message settings;
    struct request_header header;
    struct stage_start_message start;
    struct workspace_open_message open_it;
    struct workspace_collect_message collect;
    struct stage_signal_message signal_it;
    struct message_reader again = from;
    again.texts_room = 2; /* too few for most */
    (void)read_settings(&again, &settings);
    if (read_header(&from, &header) < 0)
        return;
    again = from;
    (void)read_stage_start(&again, &start);
    again = from;
    (void)read_workspace_open(&again, &open_it);
    again = from;
    (void)read_workspace_collect(&again, &collect);
    again = from;
    (void)read_stage_signal(&again, &signal_it);
}

/* 1 while the spawner goes on. */
static int send_one(struct world *world, uint8_t with, const uint8_t *bytes, size_t size)
{
    int fds[FD_PASS_MAX];
    size_t count = with & 7;
    renew_pipe(world);
    for (size_t i = 0; i < count; i++)
        fds[i] = world->kinds[with >> (i == 0 ? 3 : 5) & 3];
    char *copy = malloc(size + 1);
    assert(copy);
    memcpy(copy, bytes, size);
    read_exactly(copy, size);
    free(copy);
    if (lseek(world->kinds[0], 0, SEEK_SET) < 0 ||
        fd_send(world->front, bytes, size, fds, count) < 0)
        return 0;
    return spawner_take_request(&world->spawner);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct world world;
    if (!is_set_up)
        set_up();
    open_world(&world);
    for (int rc = 1; rc > 0 && size > HEAD;) {
        size_t len = (size_t)bytes[0] | (size_t)bytes[1] << 8;
        len = MIN(len, size - HEAD);
        rc = send_one(&world, bytes[2], bytes + HEAD, len);
        bytes += HEAD + len;
        size -= HEAD + len;
        if (rc > 0)
            pay(&world.spawner);
        read_replies(&world);
    }
    close_world(&world);
    return 0;
}
