/* SPDX-License-Identifier: MIT */
/* client.h — the front's end of the spawner's socket.
 *
 * The spawner is a program of its own (spawner.h): static, without a library
 * but libc, embedded in this binary and started from an anonymous file. All
 * that can be asked of it are the requests below; it checks each again and dies
 * on a malformed one. Ids are the caller's choice, unique while they live.
 *
 * Requests go out in order and are carried out in order, so a workspace may be
 * asked for and its first stage right behind it, without waiting. A stage gets
 * exactly one REPLY_ENDED, also when it could not be started; a workspace that
 * could not be made shows in the failure of its stages.
 *
 * Sending may block for as long as the spawner is at work on what it was asked before:
 * about a millisecond a request, and for a workspace the time to write its files.
 * Replies are read without blocking.
 */
#ifndef RUNNEL_SANDBOX_CLIENT_H
#define RUNNEL_SANDBOX_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"
#include "sandbox/layers.h"

struct sandbox_file {
    const char *path; /* relative; folders are made; "name/" is a folder, without content */
    struct slice content;
};

struct sandbox_workspace {
    uint64_t bytes;
    uint64_t inodes;
    const struct sandbox_file *files;
    size_t file_count;
};

/* What is wanted back; at most SANDBOX_PATH_MAX bytes of `folder`. */
struct sandbox_collect {
    const char *folder;
    uint64_t max_files;
    uint64_t max_bytes; /* of all files together */
};

struct sandbox_stage {
    const char *const *argv; /* NULL-ended */
    const char *const *env;  /* NULL-ended */
    unsigned rootfs;         /* which of sandbox_settings.rootfs, from 1; 0: the host's /usr */
    bool whole_proc;         /* the machine's part of /proc too, dangerous parts masked */
    bool tty;                /* descriptor 0 is a terminal: make it the controlling one */
    struct limits limits;
};

/* Borrow everything for the call. 0, or -1 when the spawner is lost. */
int sandbox_workspace_open(int socket, uint32_t workspace, const struct sandbox_workspace *spec,
                           struct err *err);
int sandbox_workspace_close(int socket, uint32_t workspace, struct err *err);
/* Once, and no stage after it. REPLY_FOUND, as often as there is something, then
 * REPLY_COLLECTED, unless the workspace is closed before. */
int sandbox_workspace_collect(int socket, uint32_t workspace, const struct sandbox_collect *spec,
                              struct err *err);
/* stdio: the program's descriptors 0, 1 and 2; the caller closes its copies. */
int sandbox_stage_start(int socket, uint32_t stage, uint32_t workspace,
                        const struct sandbox_stage *spec, const int stdio[3], struct err *err);
int sandbox_stage_kill(int socket, uint32_t stage, struct err *err);
int sandbox_stage_signal(int socket, uint32_t stage, int signal, struct err *err);
int sandbox_stage_sample(int socket, uint32_t stage, struct err *err);
int sandbox_stage_probe(int socket, uint32_t stage, struct err *err);

enum sandbox_reply_kind {
    REPLY_STARTED, /* the box exists; its limits run */
    REPLY_SAMPLED, /* usage so far */
    REPLY_PROBED,  /* whether it waits for its input */
    REPLY_ENDED,   /* every process of the box is dead */
    /* of a workspace: */
    REPLY_FOUND,     /* one thing below the folder */
    REPLY_COLLECTED, /* all was told */
};

/* Why a thing that was found is not handed over. */
enum sandbox_refusal {
    REFUSED_NOT,
    REFUSED_SYMLINK,
    REFUSED_HARD_LINK, /* it has a second name */
    REFUSED_FIFO,
    REFUSED_SOCKET,
    REFUSED_DEVICE,
    REFUSED_NO_FOLDER, /* the folder itself is something else */
    REFUSED_MOUNT,     /* it is on another mount */
    REFUSED_DEPTH,     /* a folder in too many folders */
    REFUSED_PATH,      /* its path is too long, and told only in part */
    REFUSED_COUNT,     /* over max_files */
    REFUSED_BYTES,     /* over max_bytes */
    REFUSED_UNOPENED,  /* the kernel would not open it, or not pass it on */
    REFUSALS
};

enum { SANDBOX_PATH_MAX = 1024 };

struct sandbox_usage {
    uint64_t wall_ns;
    uint64_t cpu_ns;
    uint64_t memory_bytes; /* now */
    uint64_t memory_peak_bytes;
};

struct sandbox_reply {
    enum sandbox_reply_kind kind;
    uint32_t id; /* of the stage, or of the workspace */
    struct sandbox_usage usage;
    bool waiting; /* REPLY_PROBED: no task of it runs, and one sleeps until stdin can be read */
    /* REPLY_ENDED: */
    char failed_step[32]; /* "" or the step of box entry that failed, with failed_errno */
    int failed_errno;     /* of REPLY_COLLECTED too */
    int exit_code;
    int signal;
    bool out_of_memory; /* its own limit was met, and the kernel killed for it */
    bool starved;       /* killed because a group above it, or the machine, ran out */
    uint64_t process_limit_hits;
    uint64_t workspace_full; /* 1 when no byte or no inode was left at the end */
    /* REPLY_FOUND: */
    enum sandbox_refusal refusal;
    int fd; /* read-only, the receiver's to close; -1: refused, or no room for it here */
    uint64_t size;
    /* REPLY_COLLECTED: how many were found and not told, at least */
    uint64_t unlisted;
    /* REPLY_FOUND; "" is the folder itself. Last: no more of it is sent than is used. */
    char path[SANDBOX_PATH_MAX + 1];
};

/* 1: *ret_reply; 0: none now; -1: the spawner is gone. */
int sandbox_receive(int socket, struct sandbox_reply *ret_reply, struct err *err);

/* What the spawner must know, fixed at its start. */
struct sandbox_settings {
    struct limits ceiling;       /* of any plan, checked again by the spawner; 0 = none */
    unsigned max_boxes;          /* live at once */
    unsigned allow_missing;      /* bits of enum layer (layers.h) that the operator does without */
    const char *cgroup_root;     /* NULL: below our own cgroup */
    uint32_t uid_base;           /* first host uid of the range for boxes; 0: the default */
    uint32_t front_uid;          /* the front's before, which it has again if it can be; 0: none */
    const char *const *etc;      /* paths under /etc to show in boxes; NULL-ended */
    const char *const *rootfs;   /* directories that may replace the toolchains' tree; NULL-ended */
    const void *seccomp_program; /* struct sock_filter array for boxes */
    size_t seccomp_size;         /* in bytes */
};

/* How many boxes at once the hard limit of open files is enough for. A spawner that
 * cannot take a request's descriptors would have to end. */
unsigned sandbox_boxes_max(void);
/* How many there are host users for, from where settings' uid_base says. UINT_MAX where
 * this process has no privilege, and all boxes share its own. */
unsigned sandbox_host_users_max(uint32_t uid_base);

/* Makes this process the spawner, which starts `front_argv` (this very binary
 * again) with the socket's number in the environment as RUNNEL_SPAWNER, starts
 * it again when it dies, and ends when it exits or SIGTERM comes. Returns only
 * on failure. */
int sandbox_become_spawner(const struct sandbox_settings *settings, char *const *front_argv,
                           struct err *err);

/* Starts a spawner as a child of this process and returns the socket to it; it
 * dies with this process, and so does every box. */
int sandbox_start_spawner(const struct sandbox_settings *settings, int *ret_socket,
                          struct err *err);
/* Closes the socket and waits until that spawner has removed all that it made. */
void sandbox_stop_spawner(int socket);

/* In a front that a spawner started: the socket, -1 when there is none. */
int sandbox_inherited_socket(void);

/* The first message of a spawner: what the host offers (waits for it, at most
 * 30 s). Fails with ERR_UNAVAILABLE when a layer is missing that
 * allow_missing does not name; the report is filled all the same. */
int sandbox_receive_report(int socket, struct layer_report *ret_report, struct err *err);

#endif
