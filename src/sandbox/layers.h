/* SPDX-License-Identifier: MIT */
/* layers.h — the layers of a box, as the operator names and sees them.
 *
 * At start the spawner runs a real box that looks at itself from inside and
 * tries what each layer must refuse; this is what it found. A layer that does
 * not hold refuses service, unless --allow-missing names it.
 */
#ifndef RUNNEL_SANDBOX_LAYERS_H
#define RUNNEL_SANDBOX_LAYERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* clang-format off */
/*    id                 name            what it does                                           remedy */
#define LAYER_TABLE(X) \
    X(LAYER_CGROUP,      "cgroup",       "memory, process and cpu limits for the whole box",    "run as root, or delegate a cgroup with the memory, pids and cpu controllers to this user") \
    X(LAYER_NAMESPACES,  "namespaces",   "own processes, mounts, IPC, host name and cgroup view", "allow user namespaces (kernel.unprivileged_userns_clone, user.max_user_namespaces) or run as root") \
    X(LAYER_NETWORK,     "network",      "a network with nothing but its own loopback",         "allow network namespaces (user.max_net_namespaces)") \
    X(LAYER_ROOT,        "root",         "a read-only tree without any path of the host",       "allow mounts in a namespace of our own (an AppArmor or container profile forbids it)") \
    X(LAYER_IDENTITY,    "identity",     "a host user of its own for each box, no capability",  "run as root: without it all boxes share this user") \
    X(LAYER_RLIMITS,     "rlimits",      "limits of each process: files, core dumps, stack",    "a hard limit of core dumps of at least 1 (ulimit -Hc), and a file or a pipe as kernel.core_pattern") \
    X(LAYER_DESCRIPTORS, "descriptors",  "descriptors 0, 1 and 2 and no other",                 "Linux 5.9 or newer (close_range)") \
    X(LAYER_LANDLOCK,    "landlock",     "a second, independent barrier around paths",          "Linux 5.13 or newer with landlock in the lsm= list") \
    X(LAYER_SECCOMP,     "seccomp",      "an allowlist of system calls",                        "a kernel with CONFIG_SECCOMP_FILTER")
/* clang-format on */

enum layer {
#define X(id, name, what, remedy) id,
    LAYER_TABLE(X)
#undef X
        LAYER_COUNT
};

enum layer_status {
    LAYER_UNTRIED, /* no box could be made to look */
    LAYER_MISSING, /* does not hold */
    LAYER_WEAKER,  /* holds, but less than it could: `detail` says how */
    LAYER_HOLDS,
};

struct layer_report {
    struct {
        enum layer_status status;
        char detail[128]; /* "v1: memory, pids, cpu, cpuacct", "unshare was not refused" … */
    } layer[LAYER_COUNT];
    bool privileged;    /* started as root */
    unsigned front_uid; /* the host user that the front may become; 0: it has none of its own */
};

const char *layer_name(enum layer layer);
const char *layer_purpose(enum layer layer);
const char *layer_remedy(enum layer layer);
/* Comma-separated names → bits (1u << layer). ERR_CONFIG names the unknown one. */
int layers_parse(const char *names, unsigned *ret_bits, struct err *err);
/* "full", or "reduced: no landlock, identity: one host user for all boxes". */
const char *layers_summary(const struct layer_report *report, char *text, size_t size);

#endif
