/* SPDX-License-Identifier: MIT */
/* cgroup_driver.h — what cgroup.c asks of a version of cgroups, and the small
 * tools that both versions use. Private to the cgroup files.
 *
 * A driver embeds struct cgroup_tree and struct cgroup as the first members of
 * its own. It allocates and frees both; cgroup.c keeps the lists.
 */
#ifndef RUNNEL_SANDBOX_CGROUP_DRIVER_H
#define RUNNEL_SANDBOX_CGROUP_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "sandbox/cgroup.h"

struct cgroup_driver;

struct cgroup_tree {
    const struct cgroup_driver *driver;
    struct list idle;   /* first in, first out */
    struct list doomed; /* the kernel still holds them: rmdir said EBUSY */
    unsigned last_number;
    bool reuses;            /* figures of a group can be set back to those of a new one */
    uint64_t residue_bytes; /* that an empty group may be charged with: cgroup.c */
    char about[64];
};

enum { CGROUP_NAME_SIZE = 16 }; /* "b4294967295" */

struct cgroup {
    struct cgroup_tree *tree;
    struct list link; /* idle or doomed */
    char name[CGROUP_NAME_SIZE];
};

/* What the drivers must know of this process and its host. */
struct cgroup_host {
    const char *self;     /* /proc/self/cgroup */
    const char *mounts;   /* /proc/self/mountinfo */
    const char *root;     /* the operator's choice, or NULL: our own cgroup */
    const char *own_name; /* of this spawner's directory: cgroup_own_name */
};

struct cgroup_driver {
    /* 0, or -1 when this host cannot be served this way; err says why. */
    int (*open)(const struct cgroup_host *host, struct cgroup_tree **ret_tree, struct err *err);
    void (*close)(struct cgroup_tree *tree); /* directories of groups too; frees it */

    struct cgroup *(*create)(struct cgroup_tree *tree, const char *name, struct err *err);
    /* Fails when the group is not as good as a new one: processes or too much
     * memory are left in it. */
    int (*start_figures)(struct cgroup *cgroup);
    /* 0: none. */
    int (*limit_memory)(struct cgroup *cgroup, uint64_t bytes);
    int (*limit_processes)(struct cgroup *cgroup, uint64_t processes);
    /* Written at every use, also when it stays the same: that fills the quota up
     * again, else a box would start in the stall that the last one has earned. */
    int (*limit_cpu)(struct cgroup *cgroup, uint64_t milli);
    int (*remove)(struct cgroup *cgroup); /* its directories. 0: gone; -EBUSY: later */
    void (*free)(struct cgroup *cgroup);  /* memory and descriptors only */

    int (*clone_fd)(const struct cgroup *cgroup);
    size_t (*attach_fds)(const struct cgroup *cgroup, int fds[CGROUP_ATTACH_MAX]);
    int (*oom_fd)(const struct cgroup *cgroup);
    bool (*ran_out)(struct cgroup *cgroup); /* its own limit was met */
    int (*usage)(struct cgroup *cgroup, struct cgroup_usage *ret_usage);
    void (*kill)(struct cgroup *cgroup);
};

/* cgroup.c: takes off what the group was charged with before its present use. */
void cgroup_subtract_residue(struct cgroup_usage *usage, uint64_t memory_before);

/* 100 ms, the kernel's own default. A shorter one would stall a long-running
 * program less at a time (half a CPU: 50 ms), but most runs are short: within
 * one period a program may use its whole quota at once, so an interpreter that
 * starts in 40 ms of cpu time at half a CPU is not stalled at all; with 20 ms
 * it would take 80. It is also the shortest that lets the smallest share (1 %)
 * reach the smallest quota the kernel takes, 1 ms. */
enum { CPU_PERIOD_US = 100000 };

extern const struct cgroup_driver cgroup_v1;
extern const struct cgroup_driver cgroup_v2;

/* cgroup_find.c: where a cgroup of a hierarchy can be seen.
 *
 * A place is a directory: path[0..mount_len) is the mount, the rest lies in it. */
struct cgroup_place {
    char path[1024];
    size_t mount_len;
};

/* The place of this process's own cgroup (or of host->root) in the hierarchy of
 * `controller`; NULL is the v2 hierarchy. 0, -ENOENT: no such hierarchy;
 * -ENXIO: it is mounted, but not the part that holds our cgroup; -ENAMETOOLONG. */
int cgroup_find(const struct cgroup_host *host, const char *controller,
                struct cgroup_place *ret_place);

/* cgroup_files.c: figures in and out of small files. 0 or -errno.
 *
 * A group's file is opened at its first use and stays open: reading it costs a
 * microsecond, opening it first five more, and a box needs a dozen of them. */
struct cgroup_file {
    int dir_fd; /* borrowed */
    const char *name;
    int mode; /* O_RDONLY, O_WRONLY or O_RDWR */
    int fd;   /* -1 until used; fd_close() ends it */
};

/* The figure after `key`; NULL: the file holds nothing else. */
int cgroup_file_read(struct cgroup_file *file, const char *key, uint64_t *ret_value);
int cgroup_file_write(struct cgroup_file *file, const char *text);
int cgroup_file_write_u64(struct cgroup_file *file, uint64_t value);
/* The value after `key` in lines of "key value"; -ENOENT when it is not there. */
int cgroup_key_in(const char *text, const char *key, uint64_t *ret_value);
bool cgroup_word_in(const char *text, const char *word); /* words between blanks or commas */
/* A group's directory, made unless it is there: its descriptor, or -errno. */
int cgroup_make_directory(int parent_fd, const char *name);
/* A whole file of any size, to be freed; NULL with errno. */
char *cgroup_read_whole(int dir_fd, const char *file);

/* cgroup_remove.c: killing, removing, leftovers. */
/* Signals every process listed once; how many there were, or -errno. */
int cgroup_kill_members(int dir_fd);
/* Kills and removes what is below `name` and then itself, trying for at most a
 * second. 0 or -errno. */
int cgroup_remove_tree(int parent_fd, const char *name);
/* The same for the groups below our own directory, by their names. */
void cgroup_remove_groups(int own_fd);
/* "runnel-<pid namespace>-<pid>-<start time>": says whose a directory is. */
int cgroup_own_name(char *name, size_t size);
/* Removes the directories of spawners of this pid namespace that are dead. */
void cgroup_reap_leftovers(int parent_fd);

#endif
