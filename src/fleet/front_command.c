/* SPDX-License-Identifier: MIT */
/* front_command.c — what clients say to a run: messages on its channel, from the moment on
 * at which its worker listens. What is said while Redis is away is lost, and who writes is told so;
 * but the end of the input and a cancel are said again until they are heard: nobody says them
 * twice. */
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
    front_say_closed(cargo);
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

static void on_closed(void *context, const struct redis_reply *reply)
{
    struct front_cargo *cargo = context;
    bool is_heard = reply && reply->kind == REDIS_INTEGER && reply->integer > 0;
    cargo->close_is_heard = cargo->close_is_heard || is_heard;
    front_cargo_release(cargo);
}

/* Under its number, which a worker that has heard it passes over; what was said behind it has taken
 * that place. */
static void publish_closed(struct front_cargo *cargo)
{
    struct fleet_key channel = commands_key(cargo->id);
    auto_buf struct buf text;
    if (cargo->close_number == 0 || cargo->close_number != cargo->command_number)
        cargo->close_number = ++cargo->command_number;
    buf_init(&text, KIB);
    command_encode(&(struct command){.kind = COMMAND_EOF, .number = cargo->close_number}, &text);
    front_cargo_hold(cargo);
    if (text.failed || redis_command(cargo->front->redis, on_closed, cargo, slice_of("PUBLISH"),
                                     slice_of(channel.text), buf_slice(&text)) < 0)
        front_cargo_release(cargo);
}

void front_say_closed(struct front_cargo *cargo)
{
    if (cargo->closed && cargo->started && !cargo->close_is_heard)
        publish_closed(cargo);
}

void front_close_input(struct cargo *base)
{
    struct front_cargo *cargo = front_cargo_of(base);
    cargo->closed = true;
    front_say_closed(cargo);
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

/* A worker begins without Redis, too; then we hear of it at its end alone. */
bool front_may_have_begun(const struct cargo *base)
{
    const struct front_cargo *cargo = CONTAINER_OF(base, struct front_cargo, cargo);
    const struct fleet_front *front = cargo->front;
    return !redis_is_connected(front->redis) || front->unheard_ns >= cargo->known_ns;
}

void front_note_cancel(struct front_cargo *cargo, const char *why)
{
    if (cargo->cancel[0] != '\0')
        return;
    bool too_late = !cargo->started && front_is_too_late(cargo);
    cargo->cancelled_as = too_late ? VERDICT_QUEUE_TIMEOUT : VERDICT_CANCELLED;
    (void)snprintf(cargo->cancel, sizeof cargo->cancel, "%s", why[0] ? why : "it was stopped");
}

/* To whoever has it, which may be somebody of whom we have not heard: a cancel counts under any
 * number. */
static void shout_cancel(struct front_cargo *cargo)
{
    auto_buf struct buf text;
    buf_init(&text, KIB);
    command_encode(&(struct command){COMMAND_CANCEL, 1, .bytes = slice_of(cargo->cancel)}, &text);
    (void)publish(cargo, buf_slice(&text));
}

/* Written down first, for a worker that has it still before it, or that Redis is away for; said to
 * one that runs it; and if nobody has begun, it ends here. */
void front_cancel(struct cargo *base, const char *why)
{
    struct front_cargo *cargo = front_cargo_of(base);
    struct fleet_key run = run_key(cargo->id);
    front_note_cancel(cargo, why);
    (void)redis_command(cargo->front->redis, NULL, NULL, slice_of("HSET"), slice_of(run.text),
                        slice_of("cancel"), slice_of(cargo->cancel));
    shout_cancel(cargo);
    if (!cargo->started)
        (void)front_end(cargo, cargo->cancelled_as, cargo->cancel);
}

void front_say_again(struct front_cargo *cargo)
{
    cargo->close_is_heard = false;
    front_say_closed(cargo);
    if (cargo->cancel[0] != '\0')
        cargo->cargo.ops->cancel(&cargo->cargo, cargo->cancel);
}
