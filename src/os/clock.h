/* SPDX-License-Identifier: MIT */
/* clock.h — the time of day, for what people and other programs are told. Deadlines
 * are the loop's business, whose clock nobody can set. */
#ifndef RUNNEL_OS_CLOCK_H
#define RUNNEL_OS_CLOCK_H

#include <stdint.h>

uint64_t clock_unix_ms(void);

#endif
