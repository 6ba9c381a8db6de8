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

#endif
