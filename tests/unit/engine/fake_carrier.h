/* SPDX-License-Identifier: MIT */
/* fake_carrier.h — a carrier that takes everything and says nothing: what comes back is
 * the test's to say, by run_carried_*.
 *
 * It holds the engine to the contract of carrier.h: a cargo is sent once, freed once, and
 * asked nothing afterwards; what is freed is shown to have been the run's end.
 */
#ifndef RUNNEL_TESTS_FAKE_CARRIER_H
#define RUNNEL_TESTS_FAKE_CARRIER_H

#include "base/buf.h"
#include "base/list.h"
#include "engine/carrier.h"

enum { FAKE_GONE_ON = -1 }; /* the verdict of a cargo freed before its run had one */

struct fake_carrier {
    struct carrier carrier;
    struct list cargos; /* that live, oldest first */
    size_t live;
    size_t freed;
    int last_verdict; /* of the run whose cargo was freed last */
    bool is_alone;    /* nobody has any language */
    bool cannot_encode;
    enum err_code refuses; /* the next send; 0: it is sent */
    /* What find and list give: an id that is known elsewhere, and how the run there looks. */
    struct engine *engine;
    struct run_spec elsewhere;
    bool holds_answers; /* until fake_carrier_answer */
    size_t finds;
    size_t lists;
    char wanted[RUN_ID_SIZE];
    void (*found)(void *context, struct run *run);
    void *context;
};

struct fake_cargo {
    struct cargo cargo;
    struct list link;
    struct fake_carrier *carrier;
    struct run *run;
    unsigned sent;
    unsigned cancels;
    char why[64];
    struct buf input;
    bool input_closed;
    int signal;
    unsigned columns;
    unsigned rows;
    uint64_t taken;
    unsigned takes; /* how often it was said */
    size_t position;
    uint64_t wait_ms;
    bool may_have_begun;
};

void fake_carrier_init(struct fake_carrier *carrier);
void fake_carrier_fini(struct fake_carrier *carrier); /* checks that all was freed */
struct fake_cargo *fake_cargo_of(struct fake_carrier *carrier, const struct run *run);
/* A cargo of the caller's, for engine_adopt. */
struct fake_cargo *fake_cargo_new(struct fake_carrier *carrier, struct run *run);
void fake_carrier_answer(struct fake_carrier *carrier);

#endif
