/* SPDX-License-Identifier: MIT */
/* curl_api.h — libcurl, loaded when it is wanted: what runs one program on the
 * command line does not pay for 30 libraries that it has no use for.
 *
 * All of it is loaded here, so that nothing has to be when new code is forbidden:
 * TLS reads its configuration, and the resolver its modules.
 */
#ifndef RUNNEL_WEBHOOK_CURL_API_H
#define RUNNEL_WEBHOOK_CURL_API_H

#define CURL_DISABLE_TYPECHECK /* its macros would call what we do not link */
#include <curl/curl.h>

#include "base/err.h"

struct curl_api {
    CURLcode (*global_init)(long flags);
    void (*global_cleanup)(void);
    curl_version_info_data *(*version_info)(CURLversion age);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
    const char *(*easy_strerror)(CURLcode code);
    void (*easy_cleanup)(CURL *easy);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
    void (*slist_free_all)(struct curl_slist *list);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
    CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_assign)(CURLM *multi, curl_socket_t fd, void *context);
    CURLMcode (*multi_socket_action)(CURLM *multi, curl_socket_t fd, int events, int *ret_running);
    CURLMsg *(*multi_info_read)(CURLM *multi, int *ret_left);
    CURLMcode (*multi_cleanup)(CURLM *multi);
};

/* ERR_UNAVAILABLE with a sentence about what is missing. Each load is undone by a
 * global_cleanup; the library itself stays. */
int curl_api_load(struct curl_api *ret_api, struct err *err);

#endif
