/* SPDX-License-Identifier: MIT */
/* netns_figures.h — what a use of a network namespace leaves in it, as the kernel's own text.
 *
 * The files are opened inside and show that namespace for good, wherever they are read.
 */
#ifndef RUNNEL_SANDBOX_NETNS_FIGURES_H
#define RUNNEL_SANDBOX_NETNS_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

enum { NETNS_FIGURE_FILES = 6, NETNS_FIGURES_SIZE = 48 << 10 };

struct netns_figures {
    int fds[NETNS_FIGURE_FILES]; /* -1: this kernel has no such file */
};
void netns_figures_init(struct netns_figures *ret_figures); /* none is open */

/* Of a namespace that was never used: each file, and where it ends, in order. */
struct netns_pristine {
    char text[NETNS_FIGURES_SIZE];
    size_t end[NETNS_FIGURE_FILES];
    char scratch[NETNS_FIGURES_SIZE];
};

/* net_fd: a directory descriptor of /proc/self/net, of the namespace this process is in. 0 or
 * -errno; what was opened until then is to be closed, too. */
int netns_figures_open(int net_fd, struct netns_figures *figures);
void netns_figures_close(struct netns_figures *figures);

/* 0 or -errno: -E2BIG where they are more than can be kept. */
int netns_figures_remember(const struct netns_figures *figures,
                           struct netns_pristine *ret_pristine);
/* Byte for byte. False, too, of what cannot be read. */
bool netns_figures_are(const struct netns_figures *figures, struct netns_pristine *pristine);

#endif
