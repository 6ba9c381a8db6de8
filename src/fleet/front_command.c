/* SPDX-License-Identifier: MIT */
/* front_command.c — what clients say to a run: messages on its channel, from the moment on
 * at which its worker listens. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fleet/front_private.h"
#include "os/clock.h"

#define HELD_MAX MIB

struct held_command {
    struct list link;
    size_t len;
    char bytes[];
};

static int publish(struct front_cargo *cargo, struct slice text)
{
    struct fleet_key channel = commands_key(cargo->id);
    return redis_command(cargo->front->redis, NULL, NULL, slice_of("PUBLISH"),
                         slice_of(channel.text), text);
}

static int hold(struct front_cargo *cargo, struct slice text, struct err *err)
{
    if (cargo->held_bytes + text.len > HELD_MAX)
        return err_set(err, ERR_BUSY, "the program has not read its earlier input yet");
    struct held_command *held = malloc(sizeof *held + text.len);
    if (!held)
        return err_sys(err, ENOMEM, "cannot keep the input");
    held->len = text.len;
    memcpy(held->bytes, text.at, text.len);
    list_append(&cargo->commands, &held->link);
    cargo->held_bytes += text.len;
    return 0;
}

static int say(struct cargo *base, struct command command, struct err *err)
{
    struct front_cargo *cargo = front_cargo_of(base);
    auto_buf struct buf text;
    buf_init(&text, command.bytes.len + KIB);
    command.number = cargo->command_number + 1;
    command_encode(&command, &text);
    if (text.failed)
        return err_sys(err, ENOMEM, "cannot pass it on");
    int rc = 0;
    if (!cargo->started)
        rc = hold(cargo, buf_slice(&text), err);
    else if (publish(cargo, buf_slice(&text)) < 0)
        rc = err_set(err, ERR_BROKER, "the way to the run's worker is lost for now");
    if (rc == 0)
        cargo->command_number++;
    return rc;
}

void front_commands_flush(struct front_cargo *cargo)
{
    list_for_each (link, &cargo->commands) {
        struct held_command *held = CONTAINER_OF(link, struct held_command, link);
        (void)publish(cargo, (struct slice){held->bytes, held->len});
    }
    front_commands_drop(cargo);
}

void front_commands_drop(struct front_cargo *cargo)
{
    list_for_each_safe (link, following, &cargo->commands) {
        list_remove(link);
        free(CONTAINER_OF(link, struct held_command, link));
    }
    cargo->held_bytes = 0;
}

int front_write(struct cargo *base, struct slice bytes, struct err *err)
{
    return say(base, (struct command){.kind = COMMAND_INPUT, .bytes = bytes}, err);
}

void front_close_input(struct cargo *base)
{
    (void)say(base, (struct command){.kind = COMMAND_EOF}, NULL);
}

void front_signal(struct cargo *base, int signal)
{
    (void)say(base, (struct command){.kind = COMMAND_SIGNAL, .a = (uint64_t)signal}, NULL);
}

void front_resize(struct cargo *base, unsigned columns, unsigned rows)
{
    (void)say(base, (struct command){.kind = COMMAND_RESIZE, .a = columns, .b = rows}, NULL);
}

void front_taken(struct cargo *base, uint64_t bytes)
{
    if (front_cargo_of(base)->started)
        (void)say(base, (struct command){.kind = COMMAND_TAKEN, .a = bytes}, NULL);
}

void front_say_anew(struct front_cargo *cargo)
{
    (void)say(&cargo->cargo, (struct command){.kind = COMMAND_ANEW}, NULL);
}

bool front_is_too_late(const struct front_cargo *cargo)
{
    uint64_t now_ms = clock_unix_ms(); /* which may have been set back */
    uint64_t age_ms = now_ms - MIN(now_ms, cargo->submitted_ms);
    return cargo->queue_ms > 0 && age_ms >= cargo->queue_ms;
}

/* To whoever has it, which may be somebody of whom we have not heard. */
static void shout_cancel(struct front_cargo *cargo, const char *why)
{
    auto_buf struct buf text;
    buf_init(&text, KIB);
    command_encode(&(struct command){COMMAND_CANCEL, 1, .bytes = slice_of(why)}, &text);
    (void)publish(cargo, buf_slice(&text));
}

/* Written down first, for a worker that has it still before it; said to one that runs it;
 * and if nobody has begun, it ends here. */
void front_cancel(struct cargo *base, const char *why)
{
    struct front_cargo *cargo = front_cargo_of(base);
    struct fleet_key run = run_key(cargo->id);
    (void)redis_command(cargo->front->redis, NULL, NULL, slice_of("HSET"), slice_of(run.text),
                        slice_of("cancel"), slice_of(why));
    if (cargo->started) {
        (void)say(base, (struct command){.kind = COMMAND_CANCEL, .bytes = slice_of(why)}, NULL);
        return;
    }
    shout_cancel(cargo, why);
    (void)front_end(cargo, front_is_too_late(cargo) ? VERDICT_QUEUE_TIMEOUT : VERDICT_CANCELLED,
                    why);
}
