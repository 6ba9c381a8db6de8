/* SPDX-License-Identifier: MIT */
/* corpus.h — the attack corpus (tests/sandbox), as tools/embed_corpus.py put it into
 * the program. tests/sandbox/README.md says what each key of a row means. */
#ifndef RUNNEL_SELFTEST_CORPUS_H
#define RUNNEL_SELFTEST_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/embedded.h"

enum corpus_stream { CORPUS_OUT, CORPUS_ERR, CORPUS_REASON, CORPUS_NEVER };
enum corpus_input { CORPUS_NO_INPUT, CORPUS_OPEN_INPUT, CORPUS_RANDOM_INPUT, CORPUS_TEXT_INPUT };
enum corpus_pair { CORPUS_SINGLE, CORPUS_TOGETHER, CORPUS_AFTER };

/* Must be found in its stream; CORPUS_NEVER: may be in neither. */
struct corpus_pattern {
    enum corpus_stream of;
    const char *text; /* an extended regular expression; NULL ends a list */
};

struct corpus_check {
    const char *fact; /* "usage.cpu_ms"; NULL ends a list */
    const char *comparison;
    uint64_t number;
};

struct corpus_text { /* `at`, `times` times one after the other */
    const char *at;
    size_t len;
    size_t times; /* 0: not given */
};

/* Lists have an end, and are NULL when they are empty. */
struct corpus_row {
    const char *number; /* of the attack in the list of threats; NULL ends the table */
    const char *name;   /* "034_exit_codes", "005_spin/ruby" */
    const char *language;
    const char *source;
    const char *const *layers; /* what is to stop it, the first one first */
    const char *const *needs;
    const char *const *expect; /* verdicts, or "refused" */
    const char *exit_code;
    const char *signal;
    const struct corpus_pattern *patterns;
    const struct corpus_check *checks;
    struct corpus_text out_is;
    struct corpus_text err_is;
    const char *const *limits; /* "timeout=5s" */
    const char *const *args;
    const char *const *env;
    const char *const *each; /* run once for each of these; NULL: once */
    enum corpus_pair pair;
    enum corpus_input input;
    const char *input_text;
    size_t input_bytes;
    bool raw;      /* what was sent to stdin must come back byte for byte */
    bool terminal; /* it has one of its own */
    bool alone;    /* nothing else runs meanwhile */
    bool quick;    /* the one of its first layer that --quick takes */
};

extern const struct corpus_row corpus_rows[];
extern const struct embedded_file corpus_languages[]; /* that only the corpus has */
extern const char corpus_saw_header[];                /* include/saw.h */
extern const char corpus_hello[];                     /* bash: the ordinary run after each row */

/* A name, and what stands for it; a NULL name ends a list. */
struct corpus_value {
    const char *name;
    const char *value;
};

/* Adds the text with {NAME}s replaced. What is no name stays. */
void corpus_fill(struct buf *to, const char *text, const struct corpus_value *values);
/* Adds the row's source: "saw.h" in its place, @NAME@s replaced. */
void corpus_source(struct buf *to, const struct corpus_row *row, const struct corpus_value *values);

/* Is the row meant by one of these words (blanks or commas between them)? They are looked for
 * in its number, name, language and layers. NULL means every row. */
bool corpus_is_meant(const struct corpus_row *row, const char *words);
bool corpus_list_has(const char *const *list, const char *word);

#endif
