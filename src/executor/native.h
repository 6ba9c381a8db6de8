/* SPDX-License-Identifier: MIT */
/* native.h — the executor that carries out stages in our own boxes.
 *
 * It is the front's half of a box: it makes the pipes (or the terminal), asks
 * the spawner to put a program behind them, and moves the program's bytes. The
 * spawner never sees a byte; it says only when the box was made and how it
 * ended.
 */
#ifndef RUNNEL_EXECUTOR_NATIVE_H
#define RUNNEL_EXECUTOR_NATIVE_H

#include "base/err.h"
#include "executor/executor.h"

struct loop;

struct native_config {
    const char *isolation; /* "full", or what is reduced; copied */
    /* The very list that the spawner was started with (sandbox_settings.rootfs);
     * borrowed while the executor lives. NULL: none. */
    const char *const *rootfs;
    /* The spawner is gone: told once, from the loop. Every live stage ends as
     * failed right after, and none can be started any more. */
    void (*lost)(void *context, const struct err *why);
    void *lost_context;
};

/* Takes the socket on success. SIGPIPE must be ignored in this process. */
int native_executor_new(struct loop *loop, int socket, const struct native_config *config,
                        struct executor **ret_executor, struct err *err);

#endif
