/* SPDX-License-Identifier: MIT */
/* reserve.h — memory for what cannot be refused any more.
 *
 * A request that there is no memory for is answered so. But a timer of a run that has begun, or
 * the place for an answer that was promised, cannot be refused: nobody would be told. Those few and
 * small things come from here, while malloc has nothing: as many as a service needs to refuse what
 * comes next and to end what runs.
 */
#ifndef RUNNEL_BASE_RESERVE_H
#define RUNNEL_BASE_RESERVE_H

#include <stddef.h>

enum { RESERVE_BLOCK = 4096, RESERVE_BLOCKS = 128 };

/* Zeroed. NULL: neither malloc nor the reserve has so much. From any thread. */
void *reserve_take(size_t size);
void reserve_give(void *block); /* NULL is allowed */

#endif
