/* SPDX-License-Identifier: MIT */
/* runs_hooks.h — webhooks: the records of runs that have ended, to where their clients
 * asked for, again and again for an hour from the first attempt. Keys take turns. What is
 * due stands in the store; here is who looks. */
#ifndef RUNNEL_DIALECT_RUNS_HOOKS_H
#define RUNNEL_DIALECT_RUNS_HOOKS_H

struct runs;
struct runs_hooks;
struct webhooks;

/* Looks at once for what was left due. NULL when memory is short. */
struct runs_hooks *runs_hooks_new(const struct runs *runs, struct webhooks *webhooks);
/* The store must be done with before (store_free). */
void runs_hooks_free(struct runs_hooks *hooks);
/* There may be something due. */
void runs_hooks_look(struct runs_hooks *hooks);

#endif
