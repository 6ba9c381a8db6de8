/* SPDX-License-Identifier: MIT */
/* engineio_fake.h — sessions on a real loop, between a transport and an owner
 * that write down, line by line, what they are told:
 *
 *     poll a: 200 text/plain; charset=UTF-8 40{"sid":"…"}
 *     frame 2 · close ws · connected · event input {"data":"x"} · writable · closed
 *
 * Separators are shown as '|', and ids as '…'.
 */
#ifndef RUNNEL_TEST_ENGINEIO_FAKE_H
#define RUNNEL_TEST_ENGINEIO_FAKE_H

#include "base/buf.h"
#include "loop/loop.h"
#include "server/engineio.h"

#define TEXT_PLAIN "text/plain; charset=UTF-8"

struct fake {
    struct loop *loop;
    struct engineio *engineio;
    struct engineio_session *session; /* of the owner, or the one opened by fake_open_ws */
    struct buf said;
    char sid[32]; /* of the last open packet */
    char id[32];  /* of the last connect */
    uint64_t holder;
    bool ws_full; /* what ws_send tells */
    bool refuse_clients;
    const char *emit_at_once; /* by `connected` */
    bool disconnect_on_event;
    size_t bytes; /* of answers and frames that were too long to be written down */
};

/* NULL: long intervals, in which nothing happens by itself. */
void fake_start(struct fake *fake, const struct engineio_config *config);
void fake_end(struct fake *fake);
void fake_run(struct fake *fake, uint64_t ms);

/* Fails unless exactly this was said since the last call. Runs a turn first. */
void fake_expect(struct fake *fake, const char *said);

/* Requests with the last sid. Polls have names of one letter. */
struct engineio_query fake_query(const struct fake *fake, const char *method);
struct engineio_session *fake_poll(struct fake *fake, const char *name);
/* 200 and "ok"? */
bool fake_post(struct fake *fake, const char *body);
void fake_frame(struct fake *fake, const char *text);

void fake_open(struct fake *fake);    /* a session that polls */
void fake_connect(struct fake *fake); /* and its client is connected */
void fake_open_ws(struct fake *fake); /* a session over a WebSocket, connected */
/* A WebSocket beside the polls; false when the session takes none. */
bool fake_arrive_ws(struct fake *fake);

#endif
