/* SPDX-License-Identifier: MIT */
/* shared_watch.h — waiting on descriptors 0, 1 and 2, which are not ours alone.
 *
 * A terminal or a pipe that we were started with is one open file with those
 * who hold it too: were it made non-blocking, as loop_watch makes it, the shell
 * or the next command would meet EAGAIN. So it is watched through an epoll
 * instance of ours, and its mode is left as it is. What epoll does not take (a
 * regular file, /dev/null) never blocks, and counts as always ready.
 */
#ifndef RUNNEL_CLI_SHARED_WATCH_H
#define RUNNEL_CLI_SHARED_WATCH_H

#include <stdbool.h>

#include "loop/loop.h"

struct shared_watch;

/* events: LOOP_READ or LOOP_WRITE. Starts disabled. NULL and errno on failure.
 * Called again and again while it is enabled and the descriptor is ready. */
struct shared_watch *shared_watch_new(struct loop *loop, int fd, unsigned events, loop_fn *fn,
                                      void *context);
void shared_watch_enable(struct shared_watch *watch, bool enabled);
/* True when the descriptor never blocks. */
bool shared_watch_always_ready(const struct shared_watch *watch);
/* NULL is allowed; a callback may free its own watch. */
void shared_watch_free(struct shared_watch *watch);

#endif
