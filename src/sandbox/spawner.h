/* SPDX-License-Identifier: MIT */
/* spawner.h — the one privileged process: what it keeps, and what its files do.
 *
 * Theory of operation. One thread, one poll. It is told what may exist at its
 * start (settings), gets the host ready once (spawner_host.c), runs a box that
 * looks at itself (probe.c), and then does nothing but carry out the requests
 * of message.h: workspaces (spawner_workspace.c) and stages (spawner_stage.c).
 * It reads plans, never a byte of a program's streams or files, and of what a
 * program can set only the exit report of a box's init, whose size is fixed, the
 * numbers of spawner_waiting.c, which are only compared, and the names of the files
 * that it left (spawner_collect.c), once it is dead.
 *
 *     settings ──► host ready ──► probe ──► report ──► requests and replies …
 *                                             │
 *               under `serve`, to each front that it starts (spawner_front.c)
 *
 * Every box dies with this process (parent-death signals), and what it leaves
 * in cgroups is found by its successor. A request that no front of ours sends
 * ends it: a front that has been taken over gets nothing to try on.
 */
#ifndef RUNNEL_SANDBOX_SPAWNER_H
#define RUNNEL_SANDBOX_SPAWNER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/list.h"
#include "sandbox/box.h"
#include "sandbox/cgroup.h"
#include "sandbox/client.h"
#include "sandbox/host_ids.h"
#include "sandbox/message.h"
#include "sandbox/netns.h"
#include "sandbox/workspace.h"

struct spawner_workspace {
    struct list link;
    uint32_t id;
    uint64_t bytes; /* its size, which /tmp gets too */
    uint64_t inodes;
    uid_t uid;   /* the box's host user, leased while it lives; 0: none of its own */
    int error;   /* -errno when it could not be made: shows in its stages */
    bool closed; /* by the front; goes when its last stage has ended */
    unsigned stages;
    bool collected;                        /* asked for, so that no stage comes any more */
    struct spawner_collection *collection; /* NULL: none, or all of it was told */
    struct workspace_mount mount;
};

struct spawner_stage {
    struct list link;
    uint32_t id;
    struct spawner_workspace *workspace;
    int pidfd;
    int report; /* our end of the report pipe */
    pid_t pid;  /* of the box's init */
    struct cgroup *group;
    struct netns *netns;
    uint64_t since_ns;
    bool out_of_memory;    /* by its own limit; the kernel said so, before anything was killed */
    int failed_layer;      /* enum layer of the step of box entry that failed, -1: none */
    unsigned owed;         /* bits of 1 << enum sandbox_reply_kind, to be sent */
    uint64_t signals_owed; /* to a program that is not there yet; bits of 1 << (signal - 1) */
    uint64_t signals_until_ns;
    struct sandbox_usage sample;
    bool waiting;              /* what the last look saw */
    struct spawner_look *look; /* NULL: none is at work */
    uint64_t probe_after_ns;
    dev_t input_device; /* its stdin */
    ino_t input_inode;
    bool input_is_tty;
    struct sandbox_reply end; /* when it has ended */
};

/* A process that looks whether a program waits for its input. */
struct spawner_look {
    struct list link;
    struct spawner_stage *stage; /* NULL: it has ended, and nobody asks any more */
    int pidfd;
    pid_t pid;
    uint64_t since_ns;
    bool killed;
};

enum { ROOTFS_MAX = 16 };

struct spawner {
    struct settings_message settings; /* texts point into the settings' bytes */
    struct layer_report report;
    char refusal[sizeof((struct report_message *)0)->refusal];
    bool privileged;
    unsigned skip; /* bits of enum layer that boxes go without */
    bool probed;   /* a box has looked at itself, and told */

    int self;                               /* pidfd of this process, for the boxes' leash */
    int proc_fd;                            /* the host's /proc */
    int home_mntns, home_root, home_folder; /* where fronts live */
    int trees[ROOTFS_MAX];                  /* mount namespaces of settings.rootfs, in its order */
    size_t tree_count;
    int landlock_abi;
    struct host_ids ids;
    struct cgroup_tree *groups;  /* NULL: none */
    struct netns_pool *networks; /* NULL: each box makes its own */

    int front; /* pidfd of the front that we started; -1: none, or our parent */
    pid_t front_pid;
    uint64_t front_since_ns;
    unsigned front_restarts; /* in a row, for the back-off */
    uint64_t front_due_ns;   /* when to start it again; 0: not waiting */
    bool stopping;           /* we were told to end */
    int signals;             /* signalfd */
    int socket;              /* to the front */
    struct list workspaces;
    size_t workspace_count;
    struct list stages;
    size_t stage_count;
    struct list looks; /* also those that were killed and are not yet dead */
    size_t look_count;
    struct list collections; /* the first is at work */
};

/* spawner_log.c */
uint64_t spawner_now_ns(void); /* monotonic */
/* One JSON line on stderr, as the front writes them; texts are ours alone. */
void spawner_log(const char *level, const char *event, const char *detail);

/* spawner_host.c: makes ready what boxes share. A layer that cannot be had goes
 * into the report, not into err; err is for what no box can do without. */
int spawner_prepare_host(struct spawner *spawner, struct err *err);
void spawner_leave_host(struct spawner *spawner);

/* probe.c: runs boxes that look at themselves, and fills report and refusal. */
void spawner_probe(struct spawner *spawner);
/* probe_inside.c: what that box does; its findings go to its stdout. */
struct probe_findings {
    char missing[LAYER_COUNT][96]; /* "" : the layer holds, else what was seen */
};
int probe_inside(const struct box_plan *plan);
int probe_memory(const struct box_plan *plan); /* takes more memory than it may */

/* spawner_requests.c: carries out the one message that waits on the socket.
 * 1; 0: the front is gone; -1: it asked for what no front of ours asks for. */
int spawner_take_request(struct spawner *spawner);
/* spawner_workspace.c */
struct spawner_workspace *spawner_find_workspace(struct spawner *spawner, uint32_t id);
/* Its files come from `content`. A failure shows in its stages; NULL only when
 * there is no memory to note it in. */
struct spawner_workspace *spawner_make_workspace(struct spawner *spawner, uint32_t id,
                                                 const struct workspace_open_message *message,
                                                 int content);
void spawner_release_workspace(struct spawner *spawner, struct spawner_workspace *workspace);

/* spawner_collect.c: what was left in a workspace, told piece by piece. */
int spawner_collect(struct spawner *spawner, struct spawner_workspace *workspace,
                    const struct workspace_collect_message *message); /* 0 or -ENOMEM */
void spawner_forget_collection(struct spawner_workspace *workspace);
/* A small part of what is left to do. False when the socket takes no more now. */
bool spawner_collect_some(struct spawner *spawner);

/* spawner_stage.c */
struct spawner_stage *spawner_find_stage(struct spawner *spawner, uint32_t id);
/* stdio is taken. A failure to start shows as the end of the stage. NULL only
 * when there is no memory to note it in. */
struct spawner_stage *spawner_start_stage(struct spawner *spawner, uint32_t id,
                                          struct spawner_workspace *workspace,
                                          const struct stage_start_message *message, int stdio[3],
                                          int (*continue_with)(const struct box_plan *plan));
void spawner_kill_stage(struct spawner_stage *stage);
/* The kernel said that its group, or one above it, is out of memory. */
void spawner_note_oom(struct spawner_stage *stage);
void spawner_sample_stage(struct spawner_stage *stage);
void spawner_end_stage(struct spawner *spawner, struct spawner_stage *stage); /* pidfd is ready */
/* After its end was told. */
void spawner_free_stage(struct spawner *spawner, struct spawner_stage *stage);
/* Kills every box, waits for it, and lets go of every workspace. */
void spawner_drop_all(struct spawner *spawner);

/* spawner_signals.c */
enum { SIGNALS_MAX = 64 };
void spawner_signal_stage(struct spawner *spawner, struct spawner_stage *stage, int signal);
/* What is owed by now. True when some of it is still, and is to be tried again soon. */
bool spawner_send_signals(struct spawner *spawner);

/* spawner_waiting.c */
void spawner_note_input(struct spawner_stage *stage, int fd); /* its stdin */
/* May be held up by the program for as long as it likes. */
bool spawner_sees_waiting(int proc_fd, const struct spawner_stage *stage);

/* spawner_look.c */
void spawner_probe_stage(struct spawner *spawner, struct spawner_stage *stage);
void spawner_reap_looks(struct spawner *spawner); /* a pidfd of theirs is ready */
/* Those that take too long end. Milliseconds until the next one does; -1: none. */
int spawner_hurry_looks(struct spawner *spawner);
void spawner_leave_look(struct spawner_stage *stage); /* its box has ended */
void spawner_drop_looks(struct spawner *spawner);

/* spawner_front.c */
int spawner_set_up_socket(int socket);                  /* our end of one to a front; 0 or -errno */
int spawner_send_report(const struct spawner *spawner); /* to the front; 0 or -errno */
int spawner_start_front(struct spawner *spawner, struct err *err);
/* The front that we started is dead: notes when to start another. Returns -1,
 * or the exit status with which it, and so we, are done. */
int spawner_front_ended(struct spawner *spawner);

/* Of fd_send: the front's socket takes it later, when there is room or memory. */
static inline bool spawner_must_wait(int rc)
{
    return rc == -EAGAIN || rc == -ENOMEM || rc == -ENOBUFS;
}

/* spawner_loop.c. Returns the exit status. */
int spawner_loop(struct spawner *spawner);

#endif
