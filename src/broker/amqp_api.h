/* SPDX-License-Identifier: MIT */
/* amqp_api.h — librabbitmq, loaded when a broker is named: it brings a TLS library along,
 * for which one who runs a program on the command line has no use.
 *
 * All of it is loaded here, so that nothing has to be when new code is forbidden.
 */
#ifndef RUNNEL_BROKER_AMQP_API_H
#define RUNNEL_BROKER_AMQP_API_H

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

#include "base/err.h"

struct timeval;

struct amqp_api {
    uint32_t (*version_number)(void);
    const char *(*error_string2)(int status);
    amqp_connection_state_t (*new_connection)(void);
    int (*destroy_connection)(amqp_connection_state_t state);
    amqp_socket_t *(*tcp_socket_new)(amqp_connection_state_t state);
    void (*tcp_socket_set_sockfd)(amqp_socket_t *socket, int fd);
    int (*set_handshake_timeout)(amqp_connection_state_t state, const struct timeval *timeout);
    int (*set_rpc_timeout)(amqp_connection_state_t state, const struct timeval *timeout);
    amqp_rpc_reply_t (*login_with_properties)(amqp_connection_state_t state, const char *vhost,
                                              int channel_max, int frame_max, int heartbeat,
                                              const amqp_table_t *properties,
                                              amqp_sasl_method_enum method, ...);
    int (*get_heartbeat)(amqp_connection_state_t state);
    amqp_rpc_reply_t (*simple_rpc)(amqp_connection_state_t state, amqp_channel_t channel,
                                   amqp_method_number_t request, amqp_method_number_t *replies,
                                   void *decoded);
    int (*send_method)(amqp_connection_state_t state, amqp_channel_t channel,
                       amqp_method_number_t method, void *decoded);
    int (*basic_publish)(amqp_connection_state_t state, amqp_channel_t channel,
                         amqp_bytes_t exchange, amqp_bytes_t key, amqp_boolean_t mandatory,
                         amqp_boolean_t immediate, const amqp_basic_properties_t *properties,
                         amqp_bytes_t body);
    int (*simple_wait_frame_noblock)(amqp_connection_state_t state, amqp_frame_t *frame,
                                     const struct timeval *timeout);
    amqp_boolean_t (*frames_enqueued)(amqp_connection_state_t state);
    amqp_boolean_t (*data_in_buffer)(amqp_connection_state_t state);
    void (*maybe_release_buffers_on_channel)(amqp_connection_state_t state, amqp_channel_t channel);
    amqp_rpc_reply_t (*connection_close)(amqp_connection_state_t state, int code);
};

/* ERR_UNAVAILABLE with a sentence about what is missing. The library stays. */
int amqp_api_load(struct amqp_api *ret_api, struct err *err);

#endif
