/* SPDX-License-Identifier: MIT */
/* terminal.h — the caller's terminal, handed to a program for a while: every key
 * goes to it as it is, Ctrl-C too, and it learns of each change of size.
 *
 * One at a time. The mode comes back with terminal_restore, and by itself when
 * this process exits or is ended by a signal that can be caught.
 */
#ifndef RUNNEL_CLI_TERMINAL_H
#define RUNNEL_CLI_TERMINAL_H

#include <stdbool.h>

#include "base/err.h"

/* Are stdin and stdout one? */
bool terminal_is_there(void);
/* 0 columns when it does not say. */
void terminal_size(unsigned *ret_columns, unsigned *ret_rows);

int terminal_make_raw(struct err *err);
void terminal_restore(void); /* harmless when it is not raw */

#endif
