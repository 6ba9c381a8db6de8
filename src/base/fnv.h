/* SPDX-License-Identifier: MIT */
/* fnv.h — the hash FNV-1a of 64 bits, for what nobody can choose so that it collides. */
#ifndef RUNNEL_BASE_FNV_H
#define RUNNEL_BASE_FNV_H

#include <stdint.h>

#define FNV_START 14695981039346656037ULL

static inline uint64_t fnv_add(uint64_t hash, char byte)
{
    return (hash ^ (unsigned char)byte) * 1099511628211ULL;
}

static inline uint64_t fnv_text(const char *text)
{
    uint64_t hash = FNV_START;
    for (; *text; text++)
        hash = fnv_add(hash, *text);
    return hash;
}

#endif
