/* SPDX-License-Identifier: MIT */
/* signed_path.h — a path of ours that whoever holds the link may GET until it expires.
 *
 *     text     {"path":"/v1/files/file_x","exp":1700000000,"method":"GET"}
 *     payload  base64url of the text, without padding
 *     sig      HMAC-SHA256 of the text, lower-case hexadecimal
 *
 * as clients of services of this form know it, to the byte.
 */
#ifndef RUNNEL_CODEC_SIGNED_PATH_H
#define RUNNEL_CODEC_SIGNED_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* Appends "<path>?payload=…&sig=…". The path holds nothing that JSON would escape. */
void signed_path_write(struct buf *buf, const char *path, uint64_t expires_s, struct slice key);

/* NULL: it holds, under one of the keys. Else what is wrong, in the words that clients
 * know: "missing signature", "invalid signature", "path mismatch", "method mismatch" or
 * "url expired". Compares in constant time. */
const char *signed_path_check(const char *path, const char *payload, const char *sig,
                              const struct slice *keys, size_t key_count, uint64_t now_s);

#endif
