/* SPDX-License-Identifier: MIT */
/* multipart_private.h — what multipart.c and multipart_head.c share. */
#ifndef RUNNEL_CODEC_MULTIPART_PRIVATE_H
#define RUNNEL_CODEC_MULTIPART_PRIVATE_H

#include "codec/multipart.h"

/* The lines of a part's head, each with its CRLF, which it changes: names are decoded
 * in place. NULL, or why it is refused. */
const char *multipart_read_head(char *head, size_t len, struct multipart_part *ret_part);

#endif
