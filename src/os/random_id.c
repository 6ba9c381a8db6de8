/* SPDX-License-Identifier: MIT */
#include "os/random_id.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>

enum { CHARACTERS = 12, ALPHABET = 62, FAIR = 256 - 256 % ALPHABET };

int random_id(const char *prefix, char ret_id[RANDOM_ID_SIZE])
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    size_t at = strlen(prefix);
    size_t end = at + CHARACTERS;
    assert(end < RANDOM_ID_SIZE);
    memcpy(ret_id, prefix, at);
    while (at < end) {
        unsigned char bytes[2 * CHARACTERS];
        if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
            return -errno;
        /* Above FAIR the first letters would come more often. */
        for (size_t i = 0; i < sizeof bytes && at < end; i++) {
            if (bytes[i] < FAIR)
                ret_id[at++] = alphabet[bytes[i] % ALPHABET];
        }
    }
    ret_id[at] = '\0';
    return 0;
}
