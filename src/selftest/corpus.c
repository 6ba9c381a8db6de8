/* SPDX-License-Identifier: MIT */
#include "selftest/corpus.h"

#include <stdio.h>
#include <string.h>

static void fill(struct buf *to, const char *text, const struct corpus_value *values,
                 const char marks[2])
{
    for (; *text; text++) {
        const char *end = *text == marks[0] ? strchr(text + 1, marks[1]) : NULL;
        const struct corpus_value *value = values;
        while (end && value->name &&
               !slice_is((struct slice){text + 1, (size_t)(end - text - 1)}, value->name))
            value++;
        if (end && value->name) {
            buf_add_text(to, value->value);
            text = end;
        } else {
            buf_add_char(to, *text);
        }
    }
}

void corpus_fill(struct buf *to, const char *text, const struct corpus_value *values)
{
    fill(to, text, values, "{}");
}

void corpus_source(struct buf *to, const struct corpus_row *row, const struct corpus_value *values)
{
    static const char line[] = "#include \"saw.h\"\n";
    auto_buf struct buf whole;
    buf_init(&whole, SIZE_MAX);
    const char *include = strstr(row->source, line);
    if (include) {
        buf_add(&whole, row->source, (size_t)(include - row->source));
        buf_add_text(&whole, corpus_saw_header);
        buf_add_text(&whole, include + strlen(line));
    } else {
        buf_add_text(&whole, row->source);
    }
    fill(to, buf_text(&whole), values, "@@");
    to->failed = to->failed || whole.failed;
}

bool corpus_list_has(const char *const *list, const char *word)
{
    for (; list && *list; list++) {
        if (strcmp(*list, word) == 0)
            return true;
    }
    return false;
}

static bool is_meant_by(const struct corpus_row *row, const char *word)
{
    if (word[strspn(word, "0123456789")] == '\0') /* "34" and "034", and not all with a 34 */
        return strcmp(row->number, word + strspn(word, "0")) == 0;
    return strstr(row->name, word) || strcmp(row->language, word) == 0 ||
           corpus_list_has(row->layers, word);
}

bool corpus_is_meant(const struct corpus_row *row, const char *words)
{
    static const char between[] = ", \t";
    if (!words)
        return true;
    for (size_t len = 0; *words; words += len) {
        char word[64];
        words += strspn(words, between);
        len = strcspn(words, between);
        if (len == 0 || len >= sizeof word)
            continue;
        (void)snprintf(word, sizeof word, "%.*s", (int)len, words);
        if (is_meant_by(row, word))
            return true;
    }
    return false;
}
