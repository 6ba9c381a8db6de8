/* SPDX-License-Identifier: MIT */
#include "webhook/curl_loop.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/util.h"
#include "loop/loop.h"

struct curl_loop {
    const struct curl_api *api;
    struct loop *loop;
    const struct curl_loop_ops *ops;
    void *context;
    bool is_broken; /* a descriptor is not watched, or libcurl says no */
    CURLM *multi;   /* NULL until the next transfer, once it was broken */
    struct loop_timer *timer;
    struct list sockets;
};

/* A descriptor of libcurl's that our loop watches. */
struct watched {
    struct list link;
    struct curl_loop *transfers;
    curl_socket_t fd;
    struct loop_watch *watch;
};

/* --- what the loop says --- */

static void collect(struct curl_loop *transfers)
{
    const struct curl_api *api = transfers->api;
    int left = 0;
    for (CURLMsg *message; (message = api->multi_info_read(transfers->multi, &left)) != NULL;) {
        CURL *easy = message->easy_handle;
        CURLcode result = message->data.result; /* the message goes with its transfer */
        char *transfer = NULL;
        if (message->msg != CURLMSG_DONE ||
            api->easy_getinfo(easy, CURLINFO_PRIVATE, &transfer) != CURLE_OK)
            continue;
        curl_loop_remove(transfers, easy);
        transfers->ops->ended(transfer, result);
    }
}

static void give_up(struct curl_loop *transfers);

static void go_on(struct curl_loop *transfers, curl_socket_t fd, int events)
{
    int running = 0;
    CURLMcode rc = transfers->api->multi_socket_action(transfers->multi, fd, events, &running);
    collect(transfers);
    transfers->is_broken |= rc != CURLM_OK;
    if (transfers->is_broken)
        give_up(transfers);
}

static void on_ready(void *context, unsigned ready)
{
    const struct watched *watched = context; /* which may go meanwhile */
    go_on(watched->transfers, watched->fd,
          (ready & LOOP_READ ? CURL_CSELECT_IN : 0) | (ready & LOOP_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_time(void *context)
{
    go_on(context, CURL_SOCKET_TIMEOUT, 0);
}

/* --- what libcurl says --- */

static int on_curl_timer(CURLM *multi, long ms, void *context)
{
    const struct curl_loop *transfers = context;
    (void)multi;
    if (ms < 0)
        loop_timer_stop(transfers->timer);
    else
        loop_timer_start(transfers->timer, (uint64_t)ms);
    return 0;
}

static void watched_free(struct watched *watched)
{
    loop_watch_free(watched->watch);
    list_remove(&watched->link);
    free(watched);
}

static void watch(struct curl_loop *transfers, curl_socket_t fd, unsigned events)
{
    struct watched *watched = calloc(1, sizeof *watched);
    if (!watched) {
        transfers->is_broken = true;
        return;
    }
    *watched = (struct watched){.transfers = transfers, .fd = fd};
    watched->watch = loop_watch_new(transfers->loop, fd, events, on_ready, watched);
    list_append(&transfers->sockets, &watched->link);
    if (transfers->api->multi_assign(transfers->multi, fd, watched) != CURLM_OK)
        transfers->is_broken = true;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket)
{
    struct watched *watched = socket; /* as `watch` assigned it; NULL: a new one */
    unsigned events =
        (what & CURL_POLL_IN ? LOOP_READ : 0U) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0U);
    (void)easy;
    if (what != CURL_POLL_REMOVE && !watched)
        watch(context, fd, events);
    else if (what != CURL_POLL_REMOVE)
        loop_watch_set(watched->watch, events);
    else if (watched)
        watched_free(watched);
    return 0;
}

/* --- the object --- */

static CURLM *multi_new(struct curl_loop *transfers)
{
    const struct curl_api *api = transfers->api;
    CURLMcode (*set)(CURLM *, CURLMoption, ...) = api->multi_setopt;
    CURLM *multi = api->multi_init();
    if (multi && set(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket) == CURLM_OK &&
        set(multi, CURLMOPT_SOCKETDATA, transfers) == CURLM_OK &&
        set(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer) == CURLM_OK &&
        set(multi, CURLMOPT_TIMERDATA, transfers) == CURLM_OK)
        return multi;
    if (multi)
        (void)api->multi_cleanup(multi);
    return NULL;
}

static void forget_sockets(struct curl_loop *transfers)
{
    list_for_each_safe (member, following, &transfers->sockets)
        watched_free(CONTAINER_OF(member, struct watched, link));
}

/* It goes at once, also when there is no memory for another one yet: libcurl has left things half
 * done, and used again it has ended the process (7.88: a division by the size of a table that it
 * did not get). */
static void give_up(struct curl_loop *transfers)
{
    transfers->ops->broken(transfers->context);
    (void)transfers->api->multi_cleanup(transfers->multi);
    transfers->multi = NULL;
    transfers->is_broken = false;
    loop_timer_stop(transfers->timer);
    forget_sockets(transfers);
}

struct curl_loop *curl_loop_new(const struct curl_api *api, struct loop *loop,
                                const struct curl_loop_ops *ops, void *context)
{
    struct curl_loop *transfers = calloc(1, sizeof *transfers);
    if (!transfers)
        return NULL;
    *transfers = (struct curl_loop){.api = api, .loop = loop, .ops = ops, .context = context};
    list_init(&transfers->sockets);
    transfers->timer = loop_timer_new(loop, on_time, transfers);
    transfers->multi = multi_new(transfers);
    if (!transfers->multi) {
        curl_loop_free(transfers);
        return NULL;
    }
    return transfers;
}

void curl_loop_free(struct curl_loop *transfers)
{
    if (!transfers)
        return;
    if (transfers->multi)
        (void)transfers->api->multi_cleanup(transfers->multi);
    forget_sockets(transfers);
    loop_timer_free(transfers->timer);
    free(transfers);
}

/* --- transfers --- */

int curl_loop_add(struct curl_loop *transfers, CURL *easy, void *transfer)
{
    const struct curl_api *api = transfers->api;
    if (!transfers->multi)
        transfers->multi = multi_new(transfers);
    if (!transfers->multi || api->easy_setopt(easy, CURLOPT_PRIVATE, transfer) != CURLE_OK ||
        api->multi_add_handle(transfers->multi, easy) != CURLM_OK)
        return -1;
    return 0;
}

void curl_loop_remove(struct curl_loop *transfers, CURL *easy)
{
    if (transfers->multi)
        (void)transfers->api->multi_remove_handle(transfers->multi, easy);
}
