/* SPDX-License-Identifier: MIT */
/* spawner_log.c — time and a word to the operator. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "sandbox/spawner.h"

enum { PATIENCE_MS = 50 };

uint64_t spawner_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void spawner_log(const char *level, const char *event, const char *detail)
{
    struct timespec now;
    struct tm utc;
    char time[32];
    char plain[256]; /* a path in it may hold anything */
    (void)snprintf(plain, sizeof plain, "%s", detail);
    for (char *at = plain; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || (unsigned char)*at >= 127 || *at == '"' || *at == '\\')
            *at = '\'';
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (!gmtime_r(&now.tv_sec, &utc) || strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &utc) == 0)
        time[0] = '\0';
    char line[512];
    int len =
        snprintf(line, sizeof line,
                 "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"event\":\"%s\",\"detail\":\"%s\"}\n",
                 time, now.tv_nsec / 1000000, level, event, plain);
    if (len > 0 && fd_takes_a_line(STDERR_FILENO, PATIENCE_MS)) /* else nobody reads it */
        (void)!write(STDERR_FILENO, line, MIN((size_t)len, sizeof line - 1));
}
