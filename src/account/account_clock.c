/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "account/account_private.h"

uint64_t account_unix_ms(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) < 0 || now.tv_sec < 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / NS_PER_MS;
}
