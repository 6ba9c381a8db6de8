/* SPDX-License-Identifier: MIT */
#include "webhook/curl_api.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stddef.h>
#include <string.h>

#include "base/util.h"

#define LIBRARY "libcurl.so.4"
/* CURLOPT_QUICK_EXIT: without it a name server that does not answer holds us up. */
#define OLDEST 0x075700U

#define FUNCTION(name_)                                  \
    {                                                    \
        "curl_" #name_, offsetof(struct curl_api, name_) \
    }

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
    FUNCTION(global_init),         FUNCTION(global_cleanup),      FUNCTION(version_info),
    FUNCTION(easy_init),           FUNCTION(easy_setopt),         FUNCTION(easy_getinfo),
    FUNCTION(easy_strerror),       FUNCTION(easy_cleanup),        FUNCTION(slist_append),
    FUNCTION(slist_free_all),      FUNCTION(multi_init),          FUNCTION(multi_setopt),
    FUNCTION(multi_add_handle),    FUNCTION(multi_remove_handle), FUNCTION(multi_assign),
    FUNCTION(multi_socket_action), FUNCTION(multi_info_read),     FUNCTION(multi_cleanup),
};

/* A row that was forgotten would be a call of NULL. */
_Static_assert(sizeof(struct curl_api) == ARRAY_LEN(functions) * sizeof(void (*)(void)),
               "each function has a row");

static int find_functions(struct curl_api *api, struct err *err)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return err_set(err, ERR_UNAVAILABLE,
                       "webhooks need " LIBRARY ", which is not installed (Debian's package is "
                       "libcurl4)");
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        void *function = dlsym(library, functions[i].name);
        if (!function)
            return err_set(err, ERR_UNAVAILABLE, "webhooks: " LIBRARY " has no %s",
                           functions[i].name);
        memcpy((char *)api + functions[i].offset, &function, sizeof function);
    }
    return 0;
}

static int check_version(const struct curl_api *api, struct err *err)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): find_functions filled it, by offsets */
    const curl_version_info_data *version = api->version_info(CURLVERSION_NOW);
    if (version->version_num < OLDEST)
        return err_set(err, ERR_UNAVAILABLE, "webhooks need libcurl 7.87 or newer, and this is %s",
                       version->version);
    if (!(version->features & CURL_VERSION_ASYNCHDNS))
        return err_set(err, ERR_UNAVAILABLE,
                       "webhooks need a libcurl that resolves names without waiting");
    return 0;
}

/* The first look at a name reads how names are looked up. */
static void load_resolver(void)
{
    struct addrinfo *found = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &found) == 0)
        freeaddrinfo(found);
}

int curl_api_load(struct curl_api *ret_api, struct err *err)
{
    struct curl_api api;
    if (find_functions(&api, err) < 0 || check_version(&api, err) < 0)
        return -1;
    if (api.global_init(CURL_GLOBAL_ALL) != CURLE_OK)
        return err_set(err, ERR_UNAVAILABLE, "webhooks: " LIBRARY " does not start");
    load_resolver();
    *ret_api = api;
    return 0;
}
