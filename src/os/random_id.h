/* SPDX-License-Identifier: MIT */
/* random_id.h — names that nobody can guess: "run_" and 12 letters and digits. */
#ifndef RUNNEL_OS_RANDOM_ID_H
#define RUNNEL_OS_RANDOM_ID_H

enum { RANDOM_ID_SIZE = 24 }; /* a prefix of up to 11 bytes, 12 characters, the NUL */

/* 71 random bits. 0 or -errno. */
int random_id(const char *prefix, char ret_id[RANDOM_ID_SIZE]);

#endif
