/* SPDX-License-Identifier: MIT */
#include "broker/amqp_api.h"

#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

#include "base/util.h"

#define LIBRARY "librabbitmq.so.4"
/* Time limits of its own for the handshake and for answers: not before. */
#define OLDEST AMQP_VERSION_CODE(0, 10, 0, 0)

#define FUNCTION(name_)                                  \
    {                                                    \
        "amqp_" #name_, offsetof(struct amqp_api, name_) \
    }

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
    FUNCTION(version_number),
    FUNCTION(error_string2),
    FUNCTION(new_connection),
    FUNCTION(destroy_connection),
    FUNCTION(tcp_socket_new),
    FUNCTION(tcp_socket_set_sockfd),
    FUNCTION(set_handshake_timeout),
    FUNCTION(set_rpc_timeout),
    FUNCTION(login_with_properties),
    FUNCTION(get_heartbeat),
    FUNCTION(simple_rpc),
    FUNCTION(send_method),
    FUNCTION(basic_publish),
    FUNCTION(simple_wait_frame_noblock),
    FUNCTION(frames_enqueued),
    FUNCTION(data_in_buffer),
    FUNCTION(maybe_release_buffers_on_channel),
    FUNCTION(connection_close),
};

/* A row that was forgotten would be a call of NULL. */
_Static_assert(sizeof(struct amqp_api) == ARRAY_LEN(functions) * sizeof(void (*)(void)),
               "each function has a row");

static int find_functions(struct amqp_api *api, struct err *err)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return err_set(err, ERR_UNAVAILABLE,
                       "a broker needs " LIBRARY ", which is not installed (Debian's package is "
                       "librabbitmq4)");
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        void *function = dlsym(library, functions[i].name);
        if (!function)
            return err_set(err, ERR_UNAVAILABLE, "a broker: " LIBRARY " has no %s",
                           functions[i].name);
        memcpy((char *)api + functions[i].offset, &function, sizeof function);
    }
    return 0;
}

/* The first look at a name reads how names are looked up. */
static void load_resolver(void)
{
    struct addrinfo *found = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &found) == 0)
        freeaddrinfo(found);
}

int amqp_api_load(struct amqp_api *ret_api, struct err *err)
{
    struct amqp_api api;
    if (find_functions(&api, err) < 0)
        return -1;
    /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): find_functions filled it, by offsets */
    if (api.version_number() < OLDEST)
        return err_set(err, ERR_UNAVAILABLE, "a broker needs librabbitmq 0.10 or newer");
    load_resolver();
    *ret_api = api;
    return 0;
}
