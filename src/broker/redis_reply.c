/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "broker/redis_private.h"

/* hiredis' parser with objects of our own: the reader calls us for each value, outermost
 * first, and an array's items are made in their places. So nothing is converted, and what
 * a server claims (*2000000000) is weighed before there is memory for it. To refuse is to
 * return NULL, which the reader takes for a lack of memory and stops. */

/* hiredis grows its own buffer by at most 1 MiB beyond what it needs. */
static bool pay(const redisReadTask *task, size_t bytes)
{
    struct redis_answers *answers = task->privdata;
    if (!task->parent)
        answers->room = REDIS_REPLY_MAX;
    if (bytes > answers->room) {
        answers->is_too_large = true;
        return false;
    }
    answers->room -= bytes;
    return true;
}

static struct redis_reply *place_of(const redisReadTask *task)
{
    if (!task->parent)
        return calloc(1, sizeof(struct redis_reply));
    const struct redis_reply *array = task->parent->obj;
    return (struct redis_reply *)&array->items[task->idx];
}

static void *create(const redisReadTask *task, struct redis_reply value)
{
    struct redis_reply *reply = place_of(task);
    if (reply)
        *reply = value;
    return reply;
}

static void *create_string(const redisReadTask *task, char *text, size_t len)
{
    if (!pay(task, len + 1))
        return NULL;
    char *copy = malloc(len + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    void *reply =
        create(task, (struct redis_reply){
                         .kind = task->type == REDIS_REPLY_ERROR ? REDIS_ERROR : REDIS_STRING,
                         .text = {copy, len},
                     });
    if (!reply)
        free(copy);
    return reply;
}

static void *create_array(const redisReadTask *task, int count)
{
    size_t size = (size_t)count * sizeof(struct redis_reply);
    if (!pay(task, size))
        return NULL;
    struct redis_reply *items = calloc(MAX((size_t)count, 1), sizeof *items);
    if (!items)
        return NULL;
    void *reply = create(
        task, (struct redis_reply){.kind = REDIS_ARRAY, .items = items, .count = (size_t)count});
    if (!reply)
        free(items);
    return reply;
}

static void *create_integer(const redisReadTask *task, long long number)
{
    return pay(task, 0)
               ? create(task, (struct redis_reply){.kind = REDIS_INTEGER, .integer = number})
               : NULL;
}

static void *create_nil(const redisReadTask *task)
{
    return pay(task, 0) ? create(task, (struct redis_reply){.kind = REDIS_NIL}) : NULL;
}

/* As deep as the reader goes: eight. */
static void release_values(const struct redis_reply *reply) /* NOLINT(misc-no-recursion) */
{
    for (size_t i = 0; i < reply->count; i++)
        release_values(&reply->items[i]);
    free((void *)reply->items);
    free((void *)reply->text.at);
}

void redis_reply_free(struct redis_reply *reply)
{
    if (!reply)
        return;
    release_values(reply);
    free(reply);
}

static void free_object(void *reply)
{
    redis_reply_free(reply);
}

int redis_answers_init(struct redis_answers *answers)
{
    static redisReplyObjectFunctions functions = {
        .createString = create_string,
        .createArray = create_array,
        .createInteger = create_integer,
        .createNil = create_nil,
        .freeObject = free_object,
    };
    *answers = (struct redis_answers){.reader = redisReaderCreateWithFunctions(&functions)};
    if (!answers->reader)
        return -ENOMEM;
    answers->reader->privdata = answers;
    return 0;
}

void redis_answers_fini(struct redis_answers *answers)
{
    if (answers->reader)
        redisReaderFree(answers->reader);
    answers->reader = NULL;
}

static int say_too_large(struct err *err)
{
    return err_set(err, ERR_BROKER, "an answer of more than %llu MiB",
                   (unsigned long long)(REDIS_REPLY_MAX / MIB));
}

int redis_answers_feed(struct redis_answers *answers, struct slice bytes, struct err *err)
{
    if (redisReaderFeed(answers->reader, bytes.at, bytes.len) == REDIS_OK)
        return 0;
    return err_set(err, ERR_BROKER, "no memory for an answer");
}

/* What the reader holds without making anything of it. */
static int check_rest(const struct redis_answers *answers, struct err *err)
{
    const redisReader *reader = answers->reader;
    size_t rest = reader->len - reader->pos;
    bool has_length = reader->ridx >= 0 && reader->rstack[reader->ridx].type == REDIS_REPLY_STRING;
    if (rest > REDIS_REPLY_MAX)
        return say_too_large(err);
    if (rest > REDIS_LINE_MAX && !has_length)
        return err_set(err, ERR_BROKER, "an answer that is none: a line does not end");
    return 0;
}

int redis_answers_next(struct redis_answers *answers, struct redis_reply **ret_reply,
                       struct err *err)
{
    void *reply = NULL;
    if (redisReaderGetReply(answers->reader, &reply) != REDIS_OK)
        return answers->is_too_large ? say_too_large(err)
                                     : err_set(err, ERR_BROKER, "an answer that is none: %s",
                                               answers->reader->errstr);
    if (!reply)
        return check_rest(answers, err);
    *ret_reply = reply;
    return 1;
}

uint64_t redis_reply_number(const struct redis_reply *reply)
{
    char text[24] = "";
    uint64_t number = 0;
    if (reply->kind == REDIS_INTEGER)
        return reply->integer > 0 ? (uint64_t)reply->integer : 0;
    if (reply->kind != REDIS_STRING || reply->text.len >= sizeof text)
        return 0;
    memcpy(text, reply->text.at, reply->text.len);
    return parse_u64(text, &number) == 0 ? number : 0;
}
