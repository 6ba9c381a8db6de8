/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <limits.h>

#include "fleet/wire_private.h"

/* What a kind of command has: how many numbers, how large, and whether bytes. */
static const struct kind {
    const char *name;
    uint64_t min;
    uint64_t max;
    unsigned numbers;
    bool bytes;
} kinds[] = {
    [COMMAND_INPUT] = {"input", .bytes = true},
    [COMMAND_EOF] = {"eof"},
    [COMMAND_SIGNAL] = {"signal", 1, 64, .numbers = 1},
    [COMMAND_RESIZE] = {"resize", 1, USHRT_MAX, .numbers = 2},
    [COMMAND_CANCEL] = {"cancel", .bytes = true},
    [COMMAND_TAKEN] = {"taken", 0, UINT64_MAX, .numbers = 1},
    [COMMAND_ANEW] = {"anew"},
};
_Static_assert(ARRAY_LEN(kinds) == COMMAND_KINDS, "every kind has its row");

void command_encode(const struct command *command, struct buf *text)
{
    const struct kind *kind = &kinds[command->kind];
    buf_add_format(text, "%" PRIu64 " %s", command->number, kind->name);
    if (kind->numbers > 0)
        buf_add_format(text, " %" PRIu64, command->a);
    if (kind->numbers > 1)
        buf_add_format(text, " %" PRIu64, command->b);
    buf_add_char(text, '\n');
    if (kind->bytes)
        buf_add_slice(text, command->bytes);
}

static bool find_kind(struct wire_line *line, enum command_kind *ret_kind)
{
    const char *names[COMMAND_KINDS];
    unsigned word = 0;
    for (size_t i = 0; i < COMMAND_KINDS; i++)
        names[i] = kinds[i].name;
    if (!wire_line_one_of(line, names, COMMAND_KINDS, &word))
        return false;
    *ret_kind = (enum command_kind)word;
    return true;
}

int command_decode(struct slice text, struct command *ret_command, struct err *err)
{
    struct command command = {0};
    struct wire_line line;
    if (wire_line_start(text, &line, err) < 0)
        return err_wrap(err, "not a command");
    if (!wire_line_u64(&line, 1, UINT64_MAX, &command.number))
        return err_set(err, ERR_INVALID, "not a command: its number is missing");
    if (!find_kind(&line, &command.kind))
        return err_set(err, ERR_INVALID, "not a command of a known kind");
    const struct kind *kind = &kinds[command.kind];
    if ((kind->numbers > 0 && !wire_line_u64(&line, kind->min, kind->max, &command.a)) ||
        (kind->numbers > 1 && !wire_line_u64(&line, kind->min, kind->max, &command.b)))
        return err_set(err, ERR_INVALID, "a command '%s' without what belongs to it", kind->name);
    if (kind->bytes)
        command.bytes = line.bytes;
    *ret_command = command;
    return 0;
}
