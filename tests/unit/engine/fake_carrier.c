/* SPDX-License-Identifier: MIT */
#include "fake_carrier.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fake_cargo *of(const struct cargo *cargo)
{
    return CONTAINER_OF(cargo, struct fake_cargo, cargo);
}

static struct fake_carrier *carrier_of(const struct carrier *carrier)
{
    return CONTAINER_OF(carrier, struct fake_carrier, carrier);
}

static const char *isolation(const struct carrier *carrier)
{
    (void)carrier;
    return "elsewhere";
}

static bool has_language(const struct carrier *carrier, const struct language *language)
{
    (void)language;
    return !carrier_of(carrier)->is_alone;
}

static struct cargo *prepare(struct carrier *carrier, struct run *run, const struct run_spec *spec,
                             struct err *err)
{
    struct fake_carrier *fake = carrier_of(carrier);
    assert(spec->source.at);
    if (fake->cannot_encode) {
        (void)err_set(err, ERR_TOO_LARGE, "the fake cannot send so much");
        return NULL;
    }
    return &fake_cargo_new(fake, run)->cargo;
}

static int send(struct cargo *cargo, struct err *err)
{
    struct fake_cargo *fake = of(cargo);
    if (fake->carrier->refuses)
        return err_set(err, fake->carrier->refuses, "the fake does not send it");
    fake->sent++;
    assert(fake->sent == 1);
    return 0;
}

static int write_input(struct cargo *cargo, struct slice bytes, struct err *err)
{
    struct fake_cargo *fake = of(cargo);
    assert(!fake->input_closed);
    if (fake->input.len + bytes.len > fake->input.max)
        return err_set(err, ERR_BUSY, "the fake is full");
    buf_add_slice(&fake->input, bytes);
    return 0;
}

static void close_input(struct cargo *cargo)
{
    assert(!of(cargo)->input_closed);
    of(cargo)->input_closed = true;
}

static void send_signal(struct cargo *cargo, int signal)
{
    of(cargo)->signal = signal;
}

static void resize(struct cargo *cargo, unsigned columns, unsigned rows)
{
    of(cargo)->columns = columns;
    of(cargo)->rows = rows;
}

static void cancel(struct cargo *cargo, const char *why)
{
    struct fake_cargo *fake = of(cargo);
    fake->cancels++;
    (void)snprintf(fake->why, sizeof fake->why, "%s", why);
}

static void taken(struct cargo *cargo, uint64_t bytes)
{
    of(cargo)->taken = bytes;
    of(cargo)->takes++;
}

static size_t position(const struct cargo *cargo)
{
    return of(cargo)->position;
}

static uint64_t wait_ms(const struct cargo *cargo)
{
    return of(cargo)->wait_ms;
}

static bool may_have_begun(const struct cargo *cargo)
{
    return of(cargo)->may_have_begun;
}

static void free_cargo(struct cargo *cargo)
{
    struct fake_cargo *fake = of(cargo);
    const struct run_result *result = fake->run ? run_result(fake->run) : NULL;
    fake->carrier->last_verdict = result ? (int)result->verdict : FAKE_GONE_ON;
    fake->carrier->live--;
    fake->carrier->freed++;
    list_remove(&fake->link);
    buf_fini(&fake->input);
    free(fake);
}

static void find(struct carrier *carrier, const char *id,
                 void (*found)(void *context, struct run *run), void *context)
{
    struct fake_carrier *fake = carrier_of(carrier);
    fake->finds++;
    (void)snprintf(fake->wanted, sizeof fake->wanted, "%s", id);
    fake->found = found;
    fake->context = context;
    if (!fake->holds_answers)
        fake_carrier_answer(fake);
}

static void list(struct carrier *carrier, size_t max,
                 void (*listed)(void *context, const char *ids, size_t count), void *context)
{
    struct fake_carrier *fake = carrier_of(carrier);
    size_t count = fake->elsewhere.id ? MIN(max, (size_t)1) : 0;
    fake->lists++;
    listed(context, count > 0 ? fake->elsewhere.id : "", count);
}

void fake_carrier_answer(struct fake_carrier *carrier)
{
    struct run *run = NULL;
    const char *known = carrier->elsewhere.id;
    if (known && strcmp(known, carrier->wanted) == 0) {
        struct fake_cargo *cargo = fake_cargo_new(carrier, NULL);
        size_t live = carrier->live;
        run = engine_adopt(carrier->engine, &carrier->elsewhere, &cargo->cargo, 0, NULL);
        if (carrier->live == live) /* else it is known already */
            cargo->run = run;
    }
    carrier->found(carrier->context, run);
}

struct fake_cargo *fake_cargo_new(struct fake_carrier *carrier, struct run *run)
{
    struct fake_cargo *cargo = calloc(1, sizeof *cargo);
    assert(cargo);
    cargo->cargo.ops = carrier->carrier.ops;
    cargo->carrier = carrier;
    cargo->run = run;
    buf_init(&cargo->input, MIB);
    list_append(&carrier->cargos, &cargo->link);
    carrier->live++;
    return cargo;
}

void fake_carrier_init(struct fake_carrier *carrier)
{
    static const struct carrier_ops ops = {
        .name = "fake",
        .isolation = isolation,
        .has_language = has_language,
        .prepare = prepare,
        .send = send,
        .write = write_input,
        .close_input = close_input,
        .signal = send_signal,
        .resize = resize,
        .cancel = cancel,
        .taken = taken,
        .position = position,
        .wait_ms = wait_ms,
        .may_have_begun = may_have_begun,
        .free = free_cargo,
        .find = find,
        .list = list,
    };
    *carrier = (struct fake_carrier){.carrier = {&ops}};
    list_init(&carrier->cargos);
}

void fake_carrier_fini(struct fake_carrier *carrier)
{
    assert(carrier->live == 0);
}

struct fake_cargo *fake_cargo_of(struct fake_carrier *carrier, const struct run *run)
{
    list_for_each (link, &carrier->cargos) {
        struct fake_cargo *cargo = CONTAINER_OF(link, struct fake_cargo, link);
        if (cargo->run == run)
            return cargo;
    }
    return NULL;
}
