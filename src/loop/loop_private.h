/* SPDX-License-Identifier: MIT */
/* loop_private.h — the loop itself, for loop.c (descriptors, timers, signals, tasks) and
 * loop_threads.c. */
#ifndef RUNNEL_LOOP_LOOP_PRIVATE_H
#define RUNNEL_LOOP_LOOP_PRIVATE_H

#include <uv.h>
#undef MIN /* sys/param.h's, which uv.h brings along: the same in other letters */
#undef MAX

#include "base/list.h"
#include "base/util.h"
#include "loop/loop.h"

#define LOOP_POOL_THREADS "4"

struct loop {
    uv_loop_t uv;
    uv_idle_t idle;    /* active while tasks is not empty */
    struct list tasks; /* scheduled, in the order of scheduling */
    struct list mark;  /* in tasks, while they run: this turn's end */
    size_t objects;    /* made and not yet freed */
};

void loop_check_or_die(int rc, const char *what);
void *loop_alloc_or_die(size_t size);
void *loop_new_object(struct loop *loop, size_t size); /* counts among loop.objects */
/* For uv_close. The handle is the first member of its object. */
void loop_on_closed(uv_handle_t *handle);

#endif
