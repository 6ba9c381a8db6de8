/* SPDX-License-Identifier: MIT */
/* cleanup.h — release bound to scope.
 *
 *     auto_free char *text = strdup(name);
 *     …
 *     *ret_text = take_ptr(&text);     on success: hand over
 *
 * Every releaser accepts NULL and keeps errno, so that it may stand between a
 * failure and its report. Descriptors have theirs in os/fd.h.
 */
#ifndef RUNNEL_BASE_CLEANUP_H
#define RUNNEL_BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>

#define auto_cleanup(function) __attribute__((cleanup(function)))
#define auto_free auto_cleanup(cleanup_free)

static inline void cleanup_free(void *pointer)
{
    int saved = errno;
    free(*(void **)pointer);
    errno = saved;
}

/* Returns *pointer and leaves NULL behind. */
#define take_ptr(pointer)                           \
    ({                                              \
        __typeof__(*(pointer)) taken_ = *(pointer); \
        *(pointer) = NULL;                          \
        taken_;                                     \
    })

#endif
