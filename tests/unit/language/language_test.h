/* SPDX-License-Identifier: MIT */
/* language_test.h — what the tests of this module share. */
#ifndef RUNNEL_TESTS_LANGUAGE_TEST_H
#define RUNNEL_TESTS_LANGUAGE_TEST_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h> /* needs those above */
/* clang-format on */

#include "base/util.h"
#include "language/language.h"

/* The least that a file must say; more lines may follow. */
#define LEAST                       \
    "name = toy\n"                  \
    "title = Toy\n"                 \
    "extensions = toy\n"            \
    "source = main.toy\n"           \
    "execute = /bin/toy {source}\n" \
    "requires = /bin/sh\n"

static inline struct catalogue *catalogue_of(const char *text)
{
    struct err err = {0};
    struct catalogue *catalogue = catalogue_new();
    if (catalogue_load_text(catalogue, "toy.lang", slice_of(text), &err) < 0)
        fail_msg("%s", err.text);
    return catalogue;
}

/* Of a file that cannot be taken: says where, and what is wrong. */
static inline void check_mistake(const char *text, const char *expected)
{
    struct err err = {0};
    struct catalogue *catalogue = catalogue_new();
    assert_int_equal(catalogue_load_text(catalogue, "toy.lang", slice_of(text), &err), -1);
    assert_string_equal(err.text, expected);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_int_equal(catalogue_count(catalogue), 0);
    catalogue_free(catalogue);
}

/* Of lines that repeat, `allowed` are taken, and one more is not. */
static inline void check_list_limit(const char *head, const char *key, bool numbered,
                                    unsigned allowed)
{
    for (unsigned extra = 0; extra < 2; extra++) {
        char text[2048];
        size_t len = (size_t)snprintf(text, sizeof text, "%s", head);
        for (unsigned n = 0; n < allowed + extra; n++) {
            char number[16] = "";
            if (numbered)
                (void)snprintf(number, sizeof number, "%u", n);
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%s = /bin/x\n", key, number);
        }
        struct err err = {0};
        struct catalogue *catalogue = catalogue_new();
        int rc = catalogue_load_text(catalogue, "toy.lang", slice_of(text), &err);
        assert_int_equal(rc, extra ? -1 : 0);
        catalogue_free(catalogue);
    }
}

#endif
