/* SPDX-License-Identifier: MIT */
/* fixture.h — an engine on a fake loop and a fake executor, and a client that
 * writes down what it reads. */
#ifndef RUNNEL_TESTS_ENGINE_FIXTURE_H
#define RUNNEL_TESTS_ENGINE_FIXTURE_H

/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/buf.h"
#include "engine/engine.h"
#include "fake_executor.h"
#include "fake_loop.h"

/* A client: reads all that comes, as soon as it comes. */
struct client {
    struct reader *reader;
    bool slow;      /* leaves on_ready unanswered */
    unsigned calls; /* of on_ready */
    struct buf out; /* stdout, stderr and notices as they are */
    struct buf err;
    struct buf notice;
    char story[512]; /* "queued preparing running out err finished end" */
    unsigned ends;
    uint64_t last_number;
    unsigned attempt;
    uint64_t lost_bytes;
};

struct carrier;

struct fixture {
    struct loop *loop;
    struct executor *executor;
    struct engine *engine;
    struct buf observed; /* "queued preparing …" of all runs */
    /* Of the recorder: the last that it was given; it keeps it until the test says
     * run_recorded, unless records_at_once. */
    struct run *recorded;
    const struct run_result *result;
    struct run_artifact *artifacts;
    size_t artifact_count;
    unsigned recordings;
    bool records_at_once;
    size_t quotas;       /* that have begun, and not ended */
    uint64_t charged_ms; /* by those that have */
};

extern const struct language interpreted; /* python {source} {args} */
extern const struct language compiled;    /* cc {source} {files}, ld, then ./main */

void fixture_init(struct fixture *fixture, unsigned concurrency, size_t queue_length);
/* Its runs go to the carrier, and there is no executor. */
void fixture_init_carried(struct fixture *fixture, struct carrier *carrier, size_t queue_length);
/* Another engine in its place. */
void fixture_renew(struct fixture *fixture, const struct engine_config *config);
void fixture_fini(struct fixture *fixture); /* drains, and checks that nothing is left */

struct run_spec spec_of(const struct language *language);
struct run_spec live_spec(void); /* of `interpreted`, for clients that read while it runs */
struct run *submit(struct fixture *fixture, const struct run_spec *spec);
struct run *submit_one(struct fixture *fixture); /* of `interpreted` */
/* Submits, and lets the loop run until the first stage was asked for. */
struct run *submit_and_settle(struct fixture *fixture, const struct run_spec *spec);
struct fake_stage *stage_of(struct fixture *fixture); /* the newest; fails when none */
struct fake_executor *fake_of_fixture(struct fixture *fixture);
void end_oldest_stage(struct fixture *fixture);            /* with 0, and lets the loop run */
void keep_id(char id[RUN_ID_SIZE], const struct run *run); /* beyond the run */

void client_attach(struct client *client, struct run *run, uint64_t from, enum reader_form form);
void client_read(struct client *client);
void client_leave(struct client *client);
/* Attaches, reads all of a finished run, leaves `story` and the texts. */
void client_replay(struct client *client, struct run *run, enum reader_form form);
void client_fini(struct client *client);

#endif
