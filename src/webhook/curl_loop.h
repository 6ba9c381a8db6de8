/* SPDX-License-Identifier: MIT */
/* curl_loop.h — transfers of libcurl, in our loop.
 *
 *     struct curl_loop *transfers = curl_loop_new(&api, loop, on_ended);
 *     curl_loop_add(transfers, easy, context);      …on_ended(context, result)…
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

/* From the loop; the transfer has been taken out already. Must not free the curl_loop. */
typedef void curl_loop_ended_fn(void *context, CURLcode result);

/* NULL when memory is short, or libcurl does not take what it is told. */
struct curl_loop *curl_loop_new(const struct curl_api *api, struct loop *loop,
                                curl_loop_ended_fn *ended);
void curl_loop_free(struct curl_loop *transfers);

/* Starts it; its CURLOPT_PRIVATE is ours. -1 when libcurl does not take it. */
int curl_loop_add(struct curl_loop *transfers, CURL *easy, void *context);
/* Before it has ended; of one that is not in it, nothing. */
void curl_loop_remove(struct curl_loop *transfers, CURL *easy);

#endif
