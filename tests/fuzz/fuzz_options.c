/* SPDX-License-Identifier: MIT */
/* Words of a command line, one a line, by a table of options with letters, values and switches, and
 * as names of layers. What is handed on is a piece of a word, operands are whole ones in their
 * order, and what is wrong is said in one line. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "cli/options.h"
#include "lines.h"
#include "sandbox/layers.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { WORDS_MAX = 64 };

static char *words[WORDS_MAX];
static int word_count;

static bool is_of_a_word(const char *text)
{
    for (int i = 0; i < word_count; i++) {
        if (text >= words[i] && text <= words[i] + strlen(words[i]))
            return true;
    }
    return false;
}

static int set(void *target, const struct option *option, const char *value, struct err *err)
{
    assert(target == &word_count && option->name && !option->value == !value);
    assert(!value || is_of_a_word(value));
    return value && strcmp(value, "bad") == 0 ? option_refuse(err, option, value, "it is bad") : 0;
}

static int set_key(void *target, const struct option *option, const char *value, struct err *err)
{
    (void)err;
    assert(strcmp(option->name, "key") == 0 || strcmp(option->name, "switch") == 0);
    assert(target == &word_count && (!value || is_of_a_word(value)));
    return 0;
}

static bool is_key(const char *name, bool *ret_wants_value)
{
    *ret_wants_value = strcmp(name, "key") == 0;
    return *ret_wants_value || strcmp(name, "switch") == 0;
}

static const struct option rows[] = {
    {"language", 'l', "NAME", "a value, with a letter", set, 0, NULL},
    {"interactive", 'i', NULL, "a switch", set, 0, NULL},
    {"memory", 0, "SIZE", "without a letter", set, 0, NULL},
    {0},
};

static void take(char *line)
{
    if (word_count < WORDS_MAX)
        words[word_count++] = line;
}

static void parse(const struct option_table *table)
{
    struct words operands = {0};
    struct err err = {0};
    int rc = options_parse(table, word_count, words, &word_count, &operands, &err);
    assert(rc == OPTIONS_DONE || rc == OPTIONS_HELP || rc == -1);
    assert((rc == -1) == (err.text[0] != '\0'));
    int at = 0;
    for (size_t i = 0; i < operands.count; i++) {
        while (at < word_count && words[at] != operands.items[i])
            at++;
        assert(at++ < word_count);
    }
    words_fini(&operands);
}

static void parse_layers(void)
{
    for (int i = 0; i < word_count; i++) {
        unsigned bits = 0;
        struct err err = {0};
        if (layers_parse(words[i], &bits, &err) == 0)
            assert(bits >> LAYER_COUNT == 0);
        else
            assert(err.text[0] != '\0');
    }
}

static void look(char *text)
{
    static const struct option_table plain = {.rows = rows};
    static const struct option_table keyed = {.rows = rows, .is_key = is_key, .set_key = set_key};
    char *rest = text;
    word_count = 0;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        take(line);
    parse(&plain);
    parse(&keyed);
    parse_layers();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = fuzz_text(bytes, size);
    look(text);
    free(text);
    return 0;
}
