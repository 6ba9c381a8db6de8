/* SPDX-License-Identifier: MIT */
/* box.h — the inside of a box, from clone to the program's first instruction.
 *
 * Theory of operation. The spawner prepares a plan, clones, and the child is
 * the box's init (pid 1). It carries out init_steps in their order, forks, and
 * the child of that carries out program_steps, the last of which is either exec
 * or the plan's `continue_with` (a start without exec: the self-check today,
 * warm runs later). Init stays, reaps, reports how the program ended, and ends:
 * the kernel then kills whatever is left in its pid namespace.
 *
 *     spawner ──clone3──► init ──vfork──► program
 *        ▲                  │               │ failed step
 *        └──── report ◄─────┴───────────────┘
 *
 * Nothing in here allocates, locks, prints or touches libc state: the plan lies
 * ready in memory, and all that is left are system calls. The order of the two
 * tables is the security argument; each row says why it stands where it stands,
 * and which layer it makes, so that a layer that the host lacks and the operator
 * does without can be left out.
 */
#ifndef RUNNEL_SANDBOX_BOX_H
#define RUNNEL_SANDBOX_BOX_H

#include <errno.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/limits.h"
#include "sandbox/cgroup.h"
#include "sandbox/layers.h"

enum { BOX_UID = 1000, BOX_GID = 1000 }; /* the program's ids, as it sees them */

struct box_plan {
    /* descriptors, -1 when there is none */
    int spawner;         /* pidfd of the parent, without which the box must not live */
    int report;          /* init and the program write struct box_report here */
    int stdio[3];        /* the program's 0, 1 and 2 */
    int workspace_mount; /* detached mount for /work */
    int netns;           /* namespace to enter; -1: make one */
    int mntns;           /* tree to enter when it is not the spawner's own */
    int cgroup_attach[CGROUP_ATTACH_MAX];
    size_t cgroup_attach_count;

    bool privileged; /* the spawner is root in its namespace: the box gets its own host ids */
    unsigned skip;   /* bits of enum layer that are left out */
    uid_t host_uid;  /* in the spawner's namespace */
    gid_t host_gid;
    bool whole_proc;
    bool tty;
    int landlock_abi; /* 0: none */

    char tmp_options[128]; /* for the tmpfs at /tmp and /dev/shm */
    char uid_map[48];
    char gid_map[48];

    struct limits limits;
    const struct sock_filter *filter;
    size_t filter_count;

    char *const *argv;
    char *const *env;
    /* Instead of exec; runs inside, with every layer on. Its return value is
     * the exit status. */
    int (*continue_with)(const struct box_plan *plan);
};

/* What comes over the report pipe. A failed step is final; else one `ended`. */
struct box_report {
    char failed_step[32]; /* "" : the program ended */
    int failed_errno;
    int layer;       /* enum layer of the failed step, -1: none */
    int wait_status; /* as from waitpid */
};

/* clone3's namespace flags for a box: what one clone can make at once. */
uint64_t box_clone_flags(const struct box_plan *plan);

/* The child's side of that clone: pid 1. */
void box_init(const struct box_plan *plan) __attribute__((noreturn));

/* box_program.c: the child of init. */
void box_program(const struct box_plan *plan) __attribute__((noreturn));

/* One row of a table of steps. */
struct box_step {
    const char *name;
    int layer;            /* enum layer that it makes; -1: none, or one that every box must have */
    bool privileged_only; /* unprivileged, there is nothing to do or no right to */
    int (*run)(const struct box_plan *plan); /* 0 or -errno */
    const char *why_here;
};

/* What a libc call returned, as a step says it. */
static inline int box_checked(int rc)
{
    return rc < 0 ? -errno : 0;
}

/* box_steps.c: runs the rows in order; on failure reports it and ends the process. */
void box_run_steps(const struct box_step *steps, size_t count, const struct box_plan *plan);

void box_report_failure(const struct box_plan *plan, const struct box_step *step, int errnum);

/* box_mounts.c, box_landlock.c: steps with a file of their own. */
int box_step_workspace(const struct box_plan *plan);
int box_step_mounts(const struct box_plan *plan);
int box_step_landlock(const struct box_plan *plan);

#endif
