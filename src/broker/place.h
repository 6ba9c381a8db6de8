/* SPDX-License-Identifier: MIT */
/* place.h — where a broker is and who we are there: scheme://user:password@host:port/path.
 *
 * What is said of a bad one never repeats it: it may hold the password, in a place
 * where none is expected.
 */
#ifndef RUNNEL_BROKER_PLACE_H
#define RUNNEL_BROKER_PLACE_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

struct place {
    char user[128]; /* "": none was named */
    char password[512];
    char host[256];
    char port[6];
    char path[256]; /* behind the slash, percent-decoded; "" when there is nothing */
};

struct place_form {
    const char *whose;  /* "the broker": for what is said */
    const char *key;    /* of the configuration */
    const char *scheme; /* "amqp" */
    const char *port;   /* where none is named */
};

/* ERR_CONFIG. */
int place_parse(const char *text, const struct place_form *form, struct place *ret_place,
                struct err *err);

/* The address of a name with which an attempt to connect began. All zeros: none did. */
struct place_first {
    struct sockaddr_storage at;
    socklen_t len;
    bool is_in_vain; /* its owner says so when the attempt has failed */
};

struct addrinfo;
/* The addresses of a name in the order in which they are to be tried: behind one that was in
 * vain, and around. So nobody waits for ever for one that is dead, in whatever order a name
 * server tells them. */
struct addrinfo *place_turn(struct addrinfo *addresses, struct place_first *first);

#endif
