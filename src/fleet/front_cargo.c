/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fnv.h"
#include "fleet/front_private.h"
#include "os/clock.h"

static struct list *row_of(const struct fleet_front *front, const char *id)
{
    return (struct list *)&front->rows[fnv_text(id) % CARGO_ROWS]; /* ids are random and ours */
}

struct front_cargo *front_cargo_new(struct fleet_front *front, const char *id,
                                    const struct run_spec *spec, struct err *err)
{
    struct front_cargo *cargo = calloc(1, sizeof *cargo);
    if (!cargo) {
        (void)err_sys(err, ENOMEM, "cannot send the run");
        return NULL;
    }
    *cargo = (struct front_cargo){
        .cargo = {.ops = front->carrier.ops},
        .form = &front_own_form,
        .front = front,
        .holds = 1,
        .lane = spec->lane,
        .tenant = spec->tenant,
        .batch = job_is_batch(spec),
        .streaming = spec->streaming,
        .submitted_ms = clock_unix_ms(),
        .known_ns = loop_now_ns(),
        .attempt = 1,
        .next_number = 1,
    };
    memcpy(cargo->id, id, strlen(id) + 1);
    buf_init(&cargo->job, SIZE_MAX / 2); /* bounded by the encoder */
    buf_init(&cargo->meta, SIZE_MAX / 2);
    buf_init(&cargo->result, RESULT_MAX_BYTES);
    list_init(&cargo->commands);
    list_append(&front->cargos, &cargo->link);
    list_append(row_of(front, id), &cargo->row);
    return cargo;
}

void front_cargo_set_form(struct front_cargo *cargo, const struct front_form *form)
{
    cargo->form = form;
    cargo->cargo.ops = form->ops;
}

struct front_cargo *front_cargo_of(struct cargo *cargo)
{
    return CONTAINER_OF(cargo, struct front_cargo, cargo);
}

struct front_cargo *front_cargo_find(const struct fleet_front *front, const char *id)
{
    const struct list *row = row_of(front, id);
    list_for_each (link, row) {
        struct front_cargo *cargo = CONTAINER_OF(link, struct front_cargo, row);
        if (cargo->run && strcmp(cargo->id, id) == 0)
            return cargo;
    }
    return NULL;
}

void front_cargo_hold(struct front_cargo *cargo)
{
    cargo->holds++;
}

void front_cargo_release(struct front_cargo *cargo)
{
    if (--cargo->holds > 0)
        return;
    list_remove(&cargo->link);
    list_remove(&cargo->row);
    buf_fini(&cargo->job);
    buf_fini(&cargo->meta);
    buf_fini(&cargo->result);
    free(cargo);
}

void front_cargo_waits(struct front_cargo *cargo, bool waits)
{
    struct fleet_front *front = cargo->front;
    size_t *count = cargo->is_anothers ? &front->others_waiting : &front->waiting;
    if (waits == cargo->waits)
        return;
    cargo->waits = waits;
    if (waits)
        ++*count;
    else
        --*count;
}

void front_cargo_free(struct cargo *base)
{
    struct front_cargo *cargo = front_cargo_of(base);
    struct fleet_key events = events_key(cargo->id);
    front_cargo_waits(cargo, false);
    front_commands_drop(cargo);
    if (cargo->run && cargo->front->redis)
        redis_unsubscribe(cargo->front->redis, events.text);
    cargo->run = NULL;
    front_cargo_release(cargo);
}
