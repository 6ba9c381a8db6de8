/* SPDX-License-Identifier: MIT */
/* ask.h — runs that are asked for over HTTP, and what the machine does meanwhile. */
#ifndef RUNNEL_BENCH_ASK_H
#define RUNNEL_BENCH_ASK_H

#include <stdint.h>

/* A connection to a service on this machine. All of these end the program on failure. */
int ask_connect(uint16_t port);
/* Posts the body, and waits for the answer, which must hold `expected`. */
void ask_once(int fd, const char *path, const char *body, const char *expected);

/* Time of all processors together that somebody had. */
double busy_ms(void);

#endif
