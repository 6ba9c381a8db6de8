/* SPDX-License-Identifier: MIT */
/* report.h — what a selftest found, for a terminal, for an auditor, for a program. */
#ifndef RUNNEL_SELFTEST_REPORT_H
#define RUNNEL_SELFTEST_REPORT_H

#include "config/config.h"
#include "selftest/selftest.h"

struct report_host {
    const char *isolation;
    const struct layer_report *layers;
    const struct config *config;
    uint64_t unix_ms; /* when it began */
};

enum report_length {
    REPORT_SHORT, /* one line for each layer and for each row that did not hold */
    REPORT_WHOLE, /* with the host's facts, the configuration and every row */
};

/* Lines of at most 80 columns; the last one says how it went. */
void report_text(struct buf *to, const struct selftest *selftest, const struct report_host *host,
                 enum report_length length);
/* One object. */
void report_json(struct buf *to, const struct selftest *selftest, const struct report_host *host);

/* Layers that rows name, in the order of the table: those of a box, then what else
 * stops them. NULL-ended. */
const char *const *report_layers(void);
const char *report_state_word(enum row_state state);
void report_date(const struct report_host *host, char *text, size_t size);
const char *report_layer_word(const struct report_host *host, const char *layer);

#endif
