/* SPDX-License-Identifier: MIT */
/* probe.c — asserts every layer by running a real box, at each start.
 *
 * What the host lacks is found by trying: a step of box entry that fails names
 * the layer that it makes, the box is tried again without it, and so on, so that
 * `runnel doctor` can tell all that is missing at once. Whether that will do is
 * the operator's word (allow_missing): if not, there is a refusal, and nothing
 * is ever run.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "sandbox/core_handler.h"
#include "sandbox/spawner.h"

enum { PROBE_WAIT_MS = 10000 };

/* What a probe's box may have; less where a ceiling says so. */
static const struct limits probe_limits = {.value = {
                                               [LIMIT_CPU_TIME] = PROBE_WAIT_MS,
                                               [LIMIT_CPUS] = 1000,
                                               [LIMIT_MEMORY] = 8 * MIB,
                                               [LIMIT_PROCESSES] = 8,
                                               [LIMIT_WORKSPACE] = MIB,
                                               [LIMIT_INODES] = 64,
                                               [LIMIT_FILE_SIZE] = MIB,
                                               [LIMIT_OPEN_FILES] = 64,
                                               [LIMIT_STACK] = MIB,
                                           }};

struct outcome {
    struct sandbox_reply end;
    int failed_layer;
    struct probe_findings findings;
    bool told; /* the findings came */
};

static void set_missing(struct spawner *spawner, enum layer layer, const char *detail)
{
    spawner->report.layer[layer].status = LAYER_MISSING;
    (void)snprintf(spawner->report.layer[layer].detail, sizeof spawner->report.layer[layer].detail,
                   "%s", detail);
}

static void refuse(struct spawner *spawner, const char *why)
{
    (void)snprintf(spawner->refusal, sizeof spawner->refusal, "%s", why);
}

static struct limits under_ceiling(const struct spawner *spawner)
{
    struct limits limits = probe_limits;
    for (int i = 0; i < LIMIT_KINDS; i++) {
        uint64_t ceiling = spawner->settings.ceiling.value[i];
        if (ceiling != 0 && limits.value[i] != 0)
            limits.value[i] = MIN(limits.value[i], ceiling);
    }
    return limits;
}

static void wait_for(struct spawner *spawner, struct spawner_stage *stage, int output,
                     struct outcome *outcome)
{
    struct pollfd fds[] = {
        {.fd = stage->pidfd, .events = POLLIN},
        {.fd = stage->group ? cgroup_oom_fd(stage->group) : -1, .events = POLLIN}};
    while (stage->pidfd >= 0) {
        int ready = poll(fds, ARRAY_LEN(fds), PROBE_WAIT_MS);
        if (ready < 0 && errno == EINTR)
            continue;
        if (fds[1].revents != 0)
            spawner_note_oom(stage);
        if (fds[0].revents != 0)
            spawner_end_stage(spawner, stage);
        else if (ready <= 0)
            spawner_kill_stage(stage);
    }
    outcome->end = stage->end;
    outcome->failed_layer = stage->failed_layer;
    outcome->told =
        read(output, &outcome->findings, sizeof outcome->findings) == sizeof outcome->findings;
}

/* One box from beginning to end. -1 when not even that could be tried. */
static int run_box(struct spawner *spawner, int (*inside)(const struct box_plan *plan),
                   struct outcome *outcome)
{
    *outcome = (struct outcome){.failed_layer = -1};
    int in[2] = {-1, -1};
    int out[2] = {-1, -1};
    auto_close int content = memfd_create("probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (content < 0 || pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1; /* out of descriptors: this process ends */
    static const char *const nothing[] = {NULL};
    struct limits limits = under_ceiling(spawner);
    struct workspace_open_message files = {.bytes = limits.value[LIMIT_WORKSPACE],
                                           .inodes = limits.value[LIMIT_INODES],
                                           .paths = nothing};
    struct stage_start_message message = {.limits = limits, .argv = nothing, .env = nothing};
    struct spawner_workspace *workspace = spawner_make_workspace(spawner, 0, &files, content);
    int stdio[3] = {in[0], out[1], out[1]};
    struct spawner_stage *stage =
        workspace ? spawner_start_stage(spawner, 0, workspace, &message, stdio, inside) : NULL;
    fd_close(&in[0]);
    fd_close(&in[1]);
    fd_close(&out[1]);
    if (stage)
        wait_for(spawner, stage, out[0], outcome);
    fd_close(&out[0]);
    spawner_drop_all(spawner);
    return stage ? 0 : -1;
}

/* Leaves out what this host cannot make, layer by layer, until a box is made. */
static int find_what_can_be_made(struct spawner *spawner, struct outcome *outcome)
{
    for (int tries = 0; tries <= LAYER_COUNT; tries++) {
        if (run_box(spawner, probe_inside, outcome) < 0)
            break;
        if (outcome->end.failed_step[0] == '\0')
            return 0;
        int layer = outcome->failed_layer;
        char detail[120];
        (void)snprintf(detail, sizeof detail, "%s: %s", outcome->end.failed_step,
                       strerror(outcome->end.failed_errno));
        if (layer < 0 || layer >= LAYER_COUNT || (spawner->skip & 1U << layer)) {
            (void)snprintf(spawner->refusal, sizeof spawner->refusal, "a box cannot be made: %s",
                           detail);
            return -1;
        }
        set_missing(spawner, (enum layer)layer, detail);
        spawner->skip |= 1U << layer;
    }
    refuse(spawner, "a box cannot be made on this host");
    return -1;
}

/* What the kernel counted outside must be what the box did inside. */
static void check_group(struct spawner *spawner, const struct outcome *outcome)
{
    const struct sandbox_reply *end = &outcome->end;
    struct outcome memory;
    if (end->usage.cpu_ns == 0 || end->usage.memory_peak_bytes == 0)
        set_missing(spawner, LAYER_CGROUP, "the group's figures did not move");
    else if (end->process_limit_hits == 0)
        set_missing(spawner, LAYER_CGROUP, "the limit of processes did not hold");
    else if (run_box(spawner, probe_memory, &memory) < 0 || !memory.end.out_of_memory)
        set_missing(spawner, LAYER_CGROUP, "the limit of memory did not hold");
}

/* The box's limit of core dumps does not keep a socket away, and from inside nothing shows. */
static void check_core_handler(struct spawner *spawner)
{
    char detail[96];
    int rc = core_handler_is_socket(spawner->proc_fd);
    if (rc < 0) {
        (void)snprintf(detail, sizeof detail, "who gets core dumps is not known: %s",
                       strerror(-rc));
        set_missing(spawner, LAYER_RLIMITS, detail);
    } else if (rc > 0) {
        set_missing(spawner, LAYER_RLIMITS, "a socket of the host gets core dumps (core_pattern)");
    }
}

static void refuse_missing(struct spawner *spawner)
{
    for (int layer = 0; layer < LAYER_COUNT && spawner->refusal[0] == '\0'; layer++) {
        if (spawner->report.layer[layer].status != LAYER_MISSING ||
            (spawner->settings.allow_missing & 1U << layer))
            continue;
        (void)snprintf(spawner->refusal, sizeof spawner->refusal,
                       "the layer '%s' does not hold: %s. Remedy: %s; or accept boxes without it "
                       "by --allow-missing=%s",
                       layer_name((enum layer)layer), spawner->report.layer[layer].detail,
                       layer_remedy((enum layer)layer), layer_name((enum layer)layer));
    }
}

void spawner_probe(struct spawner *spawner)
{
    struct outcome outcome;
    if (find_what_can_be_made(spawner, &outcome) < 0)
        return;
    if (!outcome.told) {
        refuse(spawner, "the box that looks at itself did not answer");
        return;
    }
    spawner->probed = true;
    for (int layer = 0; layer < LAYER_COUNT; layer++) {
        char *seen = outcome.findings.missing[layer];
        seen[sizeof outcome.findings.missing[layer] - 1] = '\0';
        if (seen[0] != '\0')
            set_missing(spawner, (enum layer)layer, seen);
    }
    if (spawner->groups)
        check_group(spawner, &outcome);
    check_core_handler(spawner);
    refuse_missing(spawner);
}
