/* SPDX-License-Identifier: MIT */
/* json_parse.c — a text to a tree, and sentences about what is wrong with it.
 *
 * jansson does the parsing. It recurses as deep as the text nests, and makes of
 * three bytes ("{},") a value of hundreds, so depth and values are counted before
 * it starts; and it reports a position but not a name, so the
 * path to that position ("files[2].content") is found by a second look, taken
 * only when something is wrong.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json_read.h"
#include "codec/surrogates.h"
#include "codec/utf8.h"

#define DEPTH_MAX 32
/* Values, and names of members. The dearest is an object without any: 232 bytes. So a tree takes
 * at most 15 MiB and what its texts do, and an honest request has some thousands. */
#define PARTS_MAX ((size_t)65536)
/* A result between machines of ours: 65536 events of up to three, 4096 artifacts of up to nine. */
#define PARTS_LARGE_MAX (4 * PARTS_MAX)

/* jansson's flags. */
enum { STRICT = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, LENIENT = STRICT | JSON_ALLOW_NUL };

struct level {
    bool array;
    bool in_value;    /* object: the colon was passed */
    size_t index;     /* array */
    struct slice key; /* object: raw, with its escapes; at NULL before the first */
};

/* Where in the tree the bytes read so far end. */
struct place {
    struct level levels[DEPTH_MAX];
    size_t depth;
};

/* The end of the string that starts behind the quote at `at`: its closing quote
 * or `end`. */
static size_t string_end(const char *text, size_t at, size_t end)
{
    while (at < end && text[at] != '"')
        at += text[at] == '\\' ? 2 : 1;
    return at < end ? at : end;
}

static bool is_between_parts(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == ',' ||
           byte == ':';
}

static bool is_bracket(char byte)
{
    return byte == '{' || byte == '}' || byte == '[' || byte == ']';
}

/* The last byte of the number or the word that starts at `at`. */
static size_t word_end(struct slice text, size_t at)
{
    while (at + 1 < text.len && !is_between_parts(text.at[at + 1]) &&
           !is_bracket(text.at[at + 1]) && text.at[at + 1] != '"')
        at++;
    return at;
}

/* What the bytes before `at` would make. */
struct extent {
    size_t at;
    size_t depth;
    size_t parts;
};

static bool is_too_much(const struct extent *extent, size_t parts_max)
{
    return extent->depth > DEPTH_MAX || extent->parts > parts_max;
}

/* Up to the part that is too much, or to the end. */
static struct extent measure(struct slice text, size_t parts_max)
{
    struct extent extent = {0};
    for (; extent.at < text.len; extent.at++) {
        char byte = text.at[extent.at];
        if (is_between_parts(byte))
            continue;
        if (byte == '}' || byte == ']') {
            extent.depth -= extent.depth > 0;
            continue;
        }
        extent.parts++;
        extent.depth += is_bracket(byte);
        if (is_too_much(&extent, parts_max))
            break;
        if (byte == '"')
            extent.at = string_end(text.at, extent.at + 1, text.len);
        else if (!is_bracket(byte))
            extent.at = word_end(text, extent.at);
    }
    return extent;
}

static void step(struct place *place, char byte)
{
    if ((byte == '{' || byte == '[') && place->depth < DEPTH_MAX)
        place->levels[place->depth++] = (struct level){.array = byte == '['};
    else if ((byte == '}' || byte == ']') && place->depth > 0)
        place->depth--;
    if (place->depth == 0)
        return;
    struct level *level = &place->levels[place->depth - 1];
    if (byte == ':')
        level->in_value = true;
    if (byte == ',') {
        level->in_value = false;
        level->index++;
    }
}

/* Up to `end` the text is known to be well-formed. */
static void find_place(struct slice text, size_t end, struct place *ret_place)
{
    *ret_place = (struct place){0};
    for (size_t at = 0; at < end; at++) {
        if (text.at[at] != '"') {
            step(ret_place, text.at[at]);
            continue;
        }
        size_t start = at + 1;
        at = string_end(text.at, start, end);
        struct level *level = &ret_place->levels[ret_place->depth - (ret_place->depth > 0)];
        if (!level->array && !level->in_value)
            level->key = (struct slice){text.at + start, at - start};
    }
}

/* "files[2].content"; "" at the top. */
static void format_place(const struct place *place, char *path, size_t size)
{
    struct buf buf;
    buf_init(&buf, 8 * size);
    for (size_t i = 0; i < place->depth; i++) {
        const struct level *level = &place->levels[i];
        if (level->array)
            buf_add_format(&buf, "[%zu]", level->index);
        else if (level->key.at)
            buf_add_format(&buf, "%s%.*s", buf.len > 0 ? "." : "", (int)MIN(level->key.len, size),
                           level->key.at);
    }
    /* Where it is cut, the first part still leads there. */
    utf8_for_people(path, size, buf_slice(&buf));
    buf_fini(&buf);
}

/* jansson's own words, fit for a sentence. */
static int syntax_error(const json_error_t *found, struct err *err)
{
    char words[sizeof found->text];
    utf8_for_people(words, sizeof words, slice_of(found->text));
    return err_set(err, ERR_INVALID, "the JSON text is wrong at line %d, column %d: %s",
                   found->line, found->column, words);
}

static int describe(struct slice text, const json_error_t *found, struct err *err)
{
    struct place place;
    char path[sizeof err->field];
    size_t end = found->position > 0 ? (size_t)found->position : 0;
    find_place(text, MIN(end, text.len), &place);
    format_place(&place, path, sizeof path);
    const char *name = path[0] ? path : "the value";

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum" /* the rest is jansson's other doings */
    switch (json_error_code(found)) {
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return err_field(err, path, "%s holds the character U+0000 (line %d, column %d)", name,
                         found->line, found->column);
    case json_error_duplicate_key:
        return err_field(err, path, "%s is given twice (line %d, column %d)", name, found->line,
                         found->column);
    case json_error_numeric_overflow:
        return err_field(err, path, "%s is too large a number (line %d, column %d)", name,
                         found->line, found->column);
    case json_error_invalid_utf8:
        return err_set(err, ERR_INVALID, "the JSON text is not UTF-8 at line %d, column %d",
                       found->line, found->column);
    case json_error_premature_end_of_input:
        return err_set(err, ERR_INVALID, "the JSON text ends too early, at line %d, column %d",
                       found->line, found->column);
    case json_error_end_of_input_expected:
        return err_set(err, ERR_INVALID,
                       "something stands behind the JSON value, at line %d, column %d", found->line,
                       found->column);
    default:
        return syntax_error(found, err);
    }
#pragma GCC diagnostic pop
}

static int too_much(struct slice text, const struct extent *extent, size_t parts_max,
                    struct err *err)
{
    size_t line = 1;
    size_t column = 1;
    for (size_t i = 0; i < extent->at; i++) {
        bool first_byte = ((unsigned char)text.at[i] & 0xC0) != 0x80;
        line += text.at[i] == '\n';
        column = text.at[i] == '\n' ? 1 : column + first_byte;
    }
    if (extent->depth > DEPTH_MAX)
        return err_set(err, ERR_INVALID,
                       "the JSON text nests deeper than %d levels at line %zu, column %zu",
                       DEPTH_MAX, line, column);
    return err_set(err, ERR_INVALID,
                   "the JSON text has more than %zu values and names at line %zu, column %zu",
                   parts_max, line, column);
}

/* What jansson would refuse in words that lead nowhere. */
static int check_start(struct slice text, struct err *err)
{
    size_t blanks = 0;
    while (blanks < text.len && strchr(" \t\r\n", text.at[blanks]) && text.at[blanks] != '\0')
        blanks++;
    if (blanks == text.len)
        return err_set(err, ERR_INVALID, "the JSON text is empty");
    if (text.len >= 3 && memcmp(text.at, "\xEF\xBB\xBF", 3) == 0)
        return err_set(err, ERR_INVALID,
                       "the JSON text starts with a byte order mark, which JSON does not allow");
    return 0;
}

/* Jansson does not tell want of memory: in the midst of a value the text is wrong there, in its
 * words, and a byte of a text that it had no room for is simply left out. */
static _Thread_local bool starved;

static void *allocate(size_t size)
{
    void *memory = malloc(size);
    starved = starved || !memory;
    return memory;
}

static void watch_memory(void)
{
    json_set_alloc_funcs(allocate, free);
}

static json_t *load(struct slice text, size_t flags, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    json_error_t found;
    (void)pthread_once(&once, watch_memory);
    starved = false;
    json_t *tree = json_loadb(text.at, text.len, flags, &found);
    if (starved) {
        json_decref(tree);
        (void)err_set(err, ERR_INTERNAL, "out of memory while reading JSON");
        return NULL;
    }
    if (!tree)
        (void)describe(text, &found, err);
    return tree;
}

static json_t *read_value(struct slice text, size_t flags, size_t parts_max, struct err *err)
{
    if (check_start(text, err) < 0)
        return NULL;
    struct extent extent = measure(text, parts_max);
    if (is_too_much(&extent, parts_max)) {
        (void)too_much(text, &extent, parts_max, err);
        return NULL;
    }
    return load(text, flags, err);
}

static json_t *read_leniently(struct slice text, struct err *err)
{
    if (surrogates_find_lone(text, 0) == text.len)
        return read_value(text, LENIENT, PARTS_MAX, err);
    auto_buf struct buf clean;
    buf_init(&clean, text.len);
    surrogates_append_clean(&clean, text);
    if (!clean.failed)
        return read_value(buf_slice(&clean), LENIENT, PARTS_MAX, err);
    (void)err_set(err, ERR_INTERNAL, "out of memory while reading JSON");
    return NULL;
}

/* Takes the tree. */
static json_t *only_object(json_t *tree, struct err *err)
{
    if (!tree || json_is_object(tree))
        return tree;
    json_decref(tree);
    (void)err_set(err, ERR_INVALID, "the JSON text must be an object: {…}");
    return NULL;
}

static json_t *only_array(json_t *tree, struct err *err)
{
    if (!tree || json_is_array(tree))
        return tree;
    json_decref(tree);
    (void)err_set(err, ERR_INVALID, "the JSON text must be an array: […]");
    return NULL;
}

json_t *json_read_object(struct slice text, struct err *err)
{
    return only_object(read_value(text, STRICT, PARTS_MAX, err), err);
}

json_t *json_read_large_object(struct slice text, struct err *err)
{
    return only_object(read_value(text, STRICT, PARTS_LARGE_MAX, err), err);
}

json_t *json_read_array(struct slice text, struct err *err)
{
    return only_array(read_value(text, STRICT, PARTS_MAX, err), err);
}

json_t *json_read_lenient_object(struct slice text, struct err *err)
{
    return only_object(read_leniently(text, err), err);
}

json_t *json_read_lenient_array(struct slice text, struct err *err)
{
    return only_array(read_leniently(text, err), err);
}
