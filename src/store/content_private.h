/* SPDX-License-Identifier: MIT */
/* content_private.h — a content while it is being written: content_part.c, for
 * content_writer.c and content_copy.c. One thread at a time has a part.
 *
 * A part has a descriptor of the folder of its own: work on the pool may end
 * later than the one who asked for it.
 */
#ifndef RUNNEL_STORE_CONTENT_PRIVATE_H
#define RUNNEL_STORE_CONTENT_PRIVATE_H

#include <nettle/sha2.h>

#include "store/content.h"

enum { CONTENT_ID_SIZE = 40, CONTENT_PART_NAME_SIZE = CONTENT_ID_SIZE + 5 };

struct content_part {
    int folder; /* -1: it has ended */
    int fd;
    bool is_kept;
    char id[CONTENT_ID_SIZE];
    uint64_t size;
    struct sha256_ctx hash;
};

/* content.c */
bool content_id_is_plain(const char *id);
/* -1, and the sentence: on a full disk, ERR_STORAGE_FULL. */
int content_failed(struct err *err, int errnum, const char *what);

/* content_part.c */
/* Fails if this id is being written already. */
int content_part_open(struct content_part *part, int folder, const char *id, struct err *err);
int content_part_write(struct content_part *part, struct slice bytes, struct err *err);
/* It is a content from now on. After a failure nothing is left but to drop it. */
int content_part_keep(struct content_part *part, struct content *ret_content, struct err *err);
/* Ends it, and what was written goes, even when it was kept. Ended ones are allowed. */
void content_part_drop(struct content_part *part);
/* Ends one that was kept. */
void content_part_end(struct content_part *part);

#endif
