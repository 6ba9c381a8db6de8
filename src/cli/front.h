/* SPDX-License-Identifier: MIT */
/* front.h — what a process gives up before it parses strangers' bytes.
 *
 * After this, owning the process gives a user of no account: no capability, no
 * way to get one, and a short list of system calls. All that it can still ask
 * for is what the spawner's messages say.
 */
#ifndef RUNNEL_CLI_FRONT_H
#define RUNNEL_CLI_FRONT_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* First, before it reads what an earlier front may have made: it is this user, its own
 * and no box's, with no capability but to bind. uid 0: it stays who it is. spawner: the
 * process without which it must not live, 0 for none. Not to be taken back. */
int front_become_user(uid_t uid, pid_t spawner, struct err *err);

/* Then, when it is bound, all the rest. Not to be taken back. */
int front_drop_privilege(struct err *err);

#endif
