/* SPDX-License-Identifier: MIT */
/* file.h — whole files of the user's, read before anything runs. */
#ifndef RUNNEL_CLI_FILE_H
#define RUNNEL_CLI_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* No source that a person runs comes near it, and every byte of it goes into
 * the workspace, which is memory. */
enum { FILE_MAX = 64 * 1024 * 1024 };

/* Reads it all; path "-" is stdin. ERR_NOT_FOUND or ERR_TOO_LARGE. The buf is
 * the caller's, also after a failure. */
int file_load(const char *path, struct buf *ret_bytes, struct err *err);

#endif
