/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "broker/amqp_private.h"

/* Copied in two passes that do the same: the first, without memory, counts. */
struct space {
    char *at; /* NULL: only count */
    size_t used;
};

static void *keep(struct space *space, const void *from, size_t size)
{
    size_t at = space->used;
    space->used +=
        (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
    if (!space->at || !from)
        return NULL;
    return memcpy(space->at + at, from, size);
}

static const char *keep_text(struct space *space, const char *text)
{
    return text ? keep(space, text, strlen(text) + 1) : NULL;
}

static const struct amqp_argument *keep_arguments(struct space *space,
                                                  const struct amqp_argument *arguments)
{
    size_t count = 0;
    if (!arguments)
        return NULL;
    while (arguments[count].name)
        count++;
    assert(count <= ARGUMENTS_MAX);
    struct amqp_argument *copy = keep(space, arguments, (count + 1) * sizeof *arguments);
    for (size_t i = 0; i < count; i++) {
        const char *name = keep_text(space, arguments[i].name);
        const char *text = keep_text(space, arguments[i].text);
        if (copy)
            copy[i] = (struct amqp_argument){name, text, arguments[i].number};
    }
    return copy;
}

static const struct amqp_declaration *keep_declarations(struct space *space,
                                                        const struct amqp_config *config)
{
    const struct amqp_declaration *from = config->declarations;
    struct amqp_declaration *copy = keep(space, from, config->declaration_count * sizeof *from);
    for (size_t i = 0; i < config->declaration_count; i++) {
        struct amqp_declaration one = from[i];
        one.exchange = keep_text(space, from[i].exchange);
        one.type = keep_text(space, from[i].type);
        one.queue = keep_text(space, from[i].queue);
        one.key = keep_text(space, from[i].key);
        one.arguments = keep_arguments(space, from[i].arguments);
        if (copy)
            copy[i] = one;
    }
    return copy;
}

static const struct amqp_consumer *keep_consumers(struct space *space,
                                                  const struct amqp_config *config)
{
    const struct amqp_consumer *from = config->consumers;
    struct amqp_consumer *copy = keep(space, from, config->consumer_count * sizeof *from);
    for (size_t i = 0; i < config->consumer_count; i++) {
        const char *queue = keep_text(space, from[i].queue);
        if (copy)
            copy[i].queue = queue;
    }
    return copy;
}

static struct amqp_config *copy_into(struct space *space, const struct amqp_config *config)
{
    struct amqp_config *copy = keep(space, config, sizeof *config);
    const char *name = keep_text(space, config->name);
    const struct amqp_declaration *declarations = keep_declarations(space, config);
    const struct amqp_consumer *consumers = keep_consumers(space, config);
    if (copy) {
        copy->url = NULL; /* it was parsed */
        copy->name = name;
        copy->declarations = declarations;
        copy->consumers = consumers;
    }
    return copy;
}

struct amqp_config *config_copy(const struct amqp_config *config)
{
    struct space space = {0};
    (void)copy_into(&space, config);
    space = (struct space){.at = malloc(space.used)};
    return space.at ? copy_into(&space, config) : NULL;
}
