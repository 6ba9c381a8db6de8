/* SPDX-License-Identifier: MIT */
/* ini_read.c — libinih, fed line by line.
 *
 * The library tells its handler neither the line nor that a section began, cuts
 * long lines in two and takes an indented line for more of the value above. It
 * asks us for each line, though: so all of that is settled in next_line, before
 * the library sees it.
 */
#include "codec/ini_read.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define FILE_MAX (256 * KIB)
#define LINE_ROOM 8192  /* with the line break and a NUL */
#define SECTION_ROOM 50 /* libinih's own, which it cuts at in silence */
#define PLACE_ROOM 320

struct reading {
    const char *name;
    struct slice rest;
    unsigned line;
    bool failed;
    char place[PLACE_ROOM];
    ini_line_fn *fn;
    void *context;
    struct err *err;
};

static int fail(struct reading *reading, const char *what)
{
    reading->failed = true;
    return err_set(reading->err, ERR_CONFIG, "%s: %s", reading->place, what);
}

static struct slice take_line(struct reading *reading)
{
    const char *end = memchr(reading->rest.at, '\n', reading->rest.len);
    size_t len = end ? (size_t)(end - reading->rest.at) : reading->rest.len;
    struct slice line = {reading->rest.at, len};
    reading->rest.at += end ? len + 1 : len;
    reading->rest.len -= end ? len + 1 : len;
    return line;
}

static struct slice strip(struct slice line)
{
    static const char blanks[] = " \t\r\v\f";
    while (line.len > 0 && memchr(blanks, line.at[0], sizeof blanks - 1)) {
        line.at++;
        line.len--;
    }
    while (line.len > 0 && memchr(blanks, line.at[line.len - 1], sizeof blanks - 1))
        line.len--;
    return line;
}

static int start_section(struct reading *reading, struct slice line)
{
    if (line.len < 3 || memchr(line.at, ']', line.len) != line.at + line.len - 1)
        return fail(reading, "a section is written [name]");
    if (line.len - 2 >= SECTION_ROOM)
        return fail(reading, "the section's name is too long");
    char name[SECTION_ROOM];
    memcpy(name, line.at + 1, line.len - 2);
    name[line.len - 2] = '\0';
    struct ini_line start = {.place = reading->place, .section = name};
    if (reading->fn(reading->context, &start, reading->err) < 0) {
        reading->failed = true;
        return -1;
    }
    return 0;
}

/* libinih also takes "key: value"; one way to write a thing is enough, and a
 * value is likelier to hold a colon than a key is. */
static int check_entry(struct reading *reading, struct slice line)
{
    const char *equals = memchr(line.at, '=', line.len);
    if (!equals || equals == line.at)
        return fail(reading, "a line is written key = value");
    if (memchr(line.at, ':', (size_t)(equals - line.at)))
        return fail(reading, "a key holds no ':'");
    return 0;
}

static int check_line(struct reading *reading, struct slice line, size_t room)
{
    if (line.len >= room)
        return fail(reading, "the line is too long");
    if (line.len == 0 || line.at[0] == '#' || line.at[0] == ';')
        return 0;
    if (memchr(line.at, '\0', line.len))
        return fail(reading, "the line holds a NUL");
    return line.at[0] == '[' ? start_section(reading, line) : check_entry(reading, line);
}

/* libinih's reader: the next line into `text`, NULL at the end. */
static char *next_line(char *text, int room, void *stream)
{
    struct reading *reading = stream;
    if (reading->failed || reading->rest.len == 0)
        return NULL;
    struct slice line = strip(take_line(reading));
    reading->line++;
    (void)snprintf(reading->place, sizeof reading->place, "%.*s:%u", PLACE_ROOM - 16, reading->name,
                   reading->line);
    if (check_line(reading, line, (size_t)room) < 0)
        return NULL;
    memcpy(text, line.at, line.len);
    text[line.len] = '\0';
    return text;
}

static int on_entry(void *user, const char *section, const char *key, const char *value)
{
    struct reading *reading = user;
    struct ini_line line = {
        .place = reading->place, .section = section, .key = key, .value = value};
    if (!reading->failed && reading->fn(reading->context, &line, reading->err) < 0)
        reading->failed = true;
    return !reading->failed;
}

int ini_read(const char *name, struct slice text, ini_line_fn *fn, void *context, struct err *err)
{
    if (text.len >= 3 && memcmp(text.at, "\xEF\xBB\xBF", 3) == 0)
        text = (struct slice){text.at + 3, text.len - 3};
    struct reading reading = {
        .name = name, .rest = text, .place = "", .fn = fn, .context = context, .err = err};
    /* The library's settings are globals; others may be using it too. */
    bool use_stack = ini_use_stack;
    bool inline_comments = ini_allow_inline_comments;
    int initial_alloc = ini_initial_alloc;
    ini_use_stack = false;
    ini_allow_inline_comments = false;
    ini_initial_alloc = LINE_ROOM;
    int rc = ini_parse_stream(next_line, &reading, on_entry, &reading);
    ini_use_stack = use_stack;
    ini_allow_inline_comments = inline_comments;
    ini_initial_alloc = initial_alloc;
    if (reading.failed)
        return -1;
    if (rc < 0)
        return err_set(err, ERR_INTERNAL, "%s: out of memory", name);
    if (rc > 0)
        return err_set(err, ERR_CONFIG, "%s:%d: a line is written key = value", name, rc);
    return 0;
}

int ini_load(const char *path, struct buf *ret_text, struct err *err)
{
    buf_init(ret_text, FILE_MAX);
    FILE *file = fopen(path, "re");
    if (!file)
        return err_set(err, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
    char block[4096];
    size_t len;
    while (!ret_text->failed && (len = fread(block, 1, sizeof block, file)) > 0)
        buf_add(ret_text, block, len);
    int failure = ferror(file) ? errno : 0;
    (void)fclose(file);
    if (failure)
        return err_set(err, ERR_CONFIG, "cannot read %s: %s", path, strerror(failure));
    if (ret_text->failed)
        return err_set(err, ERR_CONFIG, "%s is larger than %llu KiB", path, FILE_MAX / KIB);
    return 0;
}
