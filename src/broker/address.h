/* SPDX-License-Identifier: MIT */
/* address.h — where a broker is and who we are there: scheme://user:password@host:port/path.
 *
 * What is said of a bad one never repeats it: it may hold the password, in a place
 * where none is expected.
 */
#ifndef RUNNEL_BROKER_ADDRESS_H
#define RUNNEL_BROKER_ADDRESS_H

#include "base/err.h"

struct address {
    char user[128]; /* "": none was named */
    char password[512];
    char host[256];
    char port[6];
    char path[256]; /* behind the slash, percent-decoded; "" when there is nothing */
};

struct address_form {
    const char *whose;  /* "the broker": for what is said */
    const char *scheme; /* "amqp" */
    const char *port;   /* where none is named */
};

/* ERR_CONFIG. */
int broker_address_parse(const char *text, const struct address_form *form,
                         struct address *ret_address, struct err *err);

#endif
