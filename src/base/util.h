/* SPDX-License-Identifier: MIT */
/* util.h — the handful of macros that every file may use. */
#ifndef RUNNEL_BASE_UTIL_H
#define RUNNEL_BASE_UTIL_H

#include <stddef.h>

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define PRINTF_LIKE(format_at, first_at) __attribute__((format(printf, format_at, first_at)))

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL
#define KIB 1024ULL
#define MIB (1024ULL * KIB)
#define GIB (1024ULL * MIB)

#endif
