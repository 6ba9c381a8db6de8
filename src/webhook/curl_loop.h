/* SPDX-License-Identifier: MIT */
/* curl_loop.h — transfers of libcurl, in our loop.
 *
 *     struct curl_loop *transfers = curl_loop_new(&api, loop, &ops, context);
 *     curl_loop_add(transfers, easy, transfer);     …ops.ended(transfer, result)…
 *     curl_loop_free(transfers);
 *
 * libcurl says which descriptors it waits for, and until when; the loop says when one is
 * ready. `api` is borrowed; the easy handles stay their owner's, and are taken out or ended
 * before all this is freed.
 */
#ifndef RUNNEL_WEBHOOK_CURL_LOOP_H
#define RUNNEL_WEBHOOK_CURL_LOOP_H

#include "webhook/curl_api.h"

struct curl_loop;
struct loop;

/* From the loop; `transfer` is what it was added with, and has been taken out already. Neither may
 * free the curl_loop. */
struct curl_loop_ops {
    void (*ended)(void *transfer, CURLcode result);
    /* libcurl has lost its way, as for want of memory: none of the transfers would go on. Take out
     * all; the next that is added begins anew. */
    void (*broken)(void *context);
};

/* NULL when memory is short, or libcurl does not take what it is told. */
struct curl_loop *curl_loop_new(const struct curl_api *api, struct loop *loop,
                                const struct curl_loop_ops *ops, void *context);
void curl_loop_free(struct curl_loop *transfers);

/* Starts it; its CURLOPT_PRIVATE is ours. -1 when libcurl does not take it, or memory is short. */
int curl_loop_add(struct curl_loop *transfers, CURL *easy, void *transfer);
/* Before it has ended; of one that is not in it, nothing. */
void curl_loop_remove(struct curl_loop *transfers, CURL *easy);

#endif
