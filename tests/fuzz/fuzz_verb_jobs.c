/* SPDX-License-Identifier: MIT */
/* What `runnel jobs` shows an operator of what others have put into Redis and RabbitMQ. First a
 * letter: 'l'ist, 's'how, 'c'ancel, 'd'ead list, 'D'ead show, 'r'eplay; then 'j' for --json. Then,
 * a form feed before each: 'r' and an answer (fake_reply.h), 'd' and a line REASON,QUEUE,ID with
 * the body of a dead message behind it. Nothing that is printed moves a terminal; what is JSON
 * can be read. */
#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "broker/redis_private.h"
#include "cli/verb_jobs.h"
#include "fake_reply.h"
#include "lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct world {
    struct slice left; /* of the input */
    redis_reply_fn *fn;
    void *context;
} world;

/* ---- fleet_link.h, and what it stands on ---- */

/* The next step of this letter; those before it are passed by. */
static bool next(char letter, struct slice *ret_rest)
{
    struct slice step;
    while (fuzz_next_step(&world.left, &step)) {
        if (step.len == 0 || step.at[0] != letter)
            continue;
        *ret_rest = (struct slice){step.at + 1, step.len - 1};
        return true;
    }
    return false;
}

static struct redis_reply *next_reply(void)
{
    struct slice lines;
    return next('r', &lines) ? fake_reply(lines) : NULL;
}

int fleet_link_ask_argv(struct fleet_link *link, redis_reply_fn *take, void *context,
                        struct err *err, size_t argc, const struct slice *argv)
{
    (void)link;
    assert(argc > 0 && argv[0].len > 0);
    struct redis_reply *reply = next_reply();
    bool is_answer = reply && reply->kind != REDIS_ERROR;
    if (is_answer && take)
        take(context, reply);
    redis_reply_free(reply);
    return is_answer ? 0 : err_set(err, ERR_BROKER, "it has gone");
}

int redis_command_argv(struct redis *redis, redis_reply_fn *fn, void *context, size_t argc,
                       const struct slice *argv)
{
    (void)redis, (void)argc, (void)argv;
    world.fn = fn;
    world.context = context;
    return 0;
}

void fleet_link_wait(struct fleet_link *link)
{
    (void)link;
    struct redis_reply *reply = next_reply();
    if (world.fn)
        world.fn(world.context, reply);
    redis_reply_free(reply);
}

void fleet_link_settle(struct fleet_link *link)
{
    (void)link;
}

int fleet_link_get(struct fleet_link *link, const char *queue,
                   void (*take)(void *context, const struct amqp_delivery *delivery), void *context,
                   struct err *err)
{
    struct slice rest;
    (void)link, (void)queue, (void)err;
    if (!next('d', &rest))
        return 0;
    char *text = fuzz_text((const uint8_t *)rest.at, rest.len);
    char *body = strchr(text, '\n');
    if (body)
        *body++ = '\0';
    char *at = text;
    const char *reason = strsep(&at, ",");
    const char *from = at ? strsep(&at, ",") : "";
    struct amqp_delivery delivery = {
        .queue = queue,
        .exchange = "",
        .key = "",
        .body = {body ? body : "", body ? rest.len - (size_t)(body - text) : 0},
        .size = rest.len,
        .message_id = at ? at : "",
        .correlation_id = "",
        .reply_to = "",
        .death_reason = reason,
        .death_queue = from,
    };
    take(context, &delivery);
    free(text);
    return 1;
}

int fleet_link_publish(struct fleet_link *link, const struct amqp_message *message, struct err *err)
{
    (void)link, (void)err;
    assert(message->body.len > 0);
    return 0;
}

void amqp_settle(struct amqp *amqp, struct amqp_ref ref, enum amqp_settlement settlement)
{
    (void)amqp, (void)ref, (void)settlement;
}

/* ---- what is printed ---- */

static void check_for_people(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        assert((byte >= ' ' || byte == '\n') && byte != 0x7f);
        if (byte == 0xc2 && i + 1 < len) /* the controls beyond ASCII */
            assert((unsigned char)text[i + 1] >= 0xa0);
    }
}

static void check_json(const char *text, size_t len)
{
    json_t *value =
        len > 0 ? json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : json_null();
    assert(value);
    json_decref(value);
}

/* stdout and stderr go where they can be looked at. */
static void run(jobs_action *action, const struct jobs_options *options)
{
    struct fleet_link link = {0};
    struct err err = {0};
    FILE *const before[] = {stdout, stderr};
    char *said[2] = {NULL, NULL};
    size_t len[2] = {0, 0};
    stdout = open_memstream(&said[0], &len[0]);
    stderr = open_memstream(&said[1], &len[1]);
    assert(stdout && stderr);
    int rc = action(&link, options, "run_a", &err);
    (void)fclose(stdout);
    (void)fclose(stderr);
    stdout = before[0];
    stderr = before[1];
    if (options->json)
        check_json(said[0], len[0]);
    else
        check_for_people(said[0], len[0]);
    check_for_people(said[1], len[1]);
    assert(rc == 0 || err.text[0]);
    if (rc < 0)
        check_for_people(err.text, strlen(err.text));
    free(said[0]);
    free(said[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct {
        char letter;
        jobs_action *action;
    } actions[] = {{'l', jobs_list},      {'s', jobs_show},      {'c', jobs_cancel},
                   {'d', jobs_dead_list}, {'D', jobs_dead_show}, {'r', jobs_dead_replay}};
    const char *text = (const char *)bytes;
    if (size < 2)
        return 0;
    const struct jobs_options options = {.json = text[1] == 'j', .all = text[1] == 'a'};
    world = (struct world){.left = {text + 1, size - 1}};
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (text[0] == actions[i].letter)
            run(actions[i].action, &options);
    }
    return 0;
}
