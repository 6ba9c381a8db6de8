/* SPDX-License-Identifier: MIT */
#include "selftest/report.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

enum { COLUMNS = 80 };

const char *const *report_layers(void)
{
    static const char *names[LAYER_COUNT + 3];
    for (int i = 0; i < LAYER_COUNT; i++)
        names[i] = layer_name((enum layer)i);
    names[LAYER_COUNT] = "supervisor";    /* limits of time and output, verdicts, clean-up */
    names[LAYER_COUNT + 1] = "interface"; /* what goes in, and what is shown */
    return names;
}

const char *report_state_word(enum row_state state)
{
    static const char *const words[] = {[ROW_WAITS] = "not run",
                                        [ROW_HELD] = "held",
                                        [ROW_DID_NOT_HOLD] = "did not hold",
                                        [ROW_UNDECIDED] = "undecided",
                                        [ROW_SKIPPED] = "skipped",
                                        [ROW_NOT_RUN] = "not run"};
    return words[state];
}

const char *report_layer_word(const struct report_host *host, const char *layer)
{
    static const char *const words[] = {[LAYER_UNTRIED] = "untried",
                                        [LAYER_MISSING] = "missing",
                                        [LAYER_WEAKER] = "weaker",
                                        [LAYER_HOLDS] = "holds"};
    for (int i = 0; i < LAYER_COUNT; i++) {
        if (strcmp(layer_name((enum layer)i), layer) == 0)
            return words[host->layers->layer[i].status];
    }
    return "-";
}

void report_date(const struct report_host *host, char *text, size_t size)
{
    time_t now = (time_t)(host->unix_ms / 1000);
    struct tm parts;
    if (!gmtime_r(&now, &parts) || strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        *text = '\0';
}

/* Words of one line, broken where the terminal would; all but the first line are indented
 * by two more. */
static void add_wrapped(struct buf *to, size_t indent, const char *text, size_t len)
{
    size_t column = 0;
    while (len > 0) {
        size_t blanks = strspn(text, " ");
        size_t word = MIN(blanks + strcspn(text + blanks, " \n"), len);
        if (column == 0 || column + word > COLUMNS) {
            size_t margin = indent + (column > 0 ? 2 : 0);
            buf_add_format(to, "%s%*s", column > 0 ? "\n" : "", (int)margin, "");
            column = margin;
            text += MIN(blanks, len);
            len -= MIN(blanks, len);
            word -= MIN(blanks, word);
        }
        buf_add(to, text, word);
        column += word;
        text += word;
        len -= word;
    }
    buf_add_char(to, '\n');
}

static void add_lines(struct buf *to, size_t indent, const char *text)
{
    for (; text && *text; text += strspn(text, "\n")) {
        size_t len = strcspn(text, "\n");
        add_wrapped(to, indent, text, len);
        text += len;
    }
}

static void add_head(struct buf *to, const struct selftest *selftest,
                     const struct report_host *host)
{
    char date[32];
    char line[600];
    struct utsname machine;
    report_date(host, date, sizeof date);
    (void)uname(&machine);
    buf_add_format(to, "runnel selftest %s: %zu rows, %s\n", RUNNEL_VERSION,
                   selftest_count(selftest), date);
    buf_add_format(to, "host: %s, %s %s %s, %s\n", machine.nodename, machine.sysname,
                   machine.release, machine.machine,
                   host->layers->privileged ? "as root" : "without privilege");
    (void)snprintf(line, sizeof line, "isolation: %s", host->isolation);
    add_wrapped(to, 0, line, strlen(line));
    buf_add_char(to, '\n');
}

static void add_list(struct buf *to, const char *name, const struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        buf_add_format(to, "  %s = %s\n", name, list->items[i]);
}

static void add_configuration(struct buf *to, const struct config *config)
{
    buf_add_text(to, "configuration that bears on it:\n");
    add_list(to, "allow_missing", &config->allow_missing);
    add_list(to, "languages_dirs", &config->languages_dirs);
    if (config->cgroup_root)
        buf_add_format(to, "  cgroup_root = %s\n", config->cgroup_root);
    buf_add_format(to, "  uid_base = %llu\n", (unsigned long long)config->uid_base);
    for (int i = 0; i < LIMIT_KINDS; i++) {
        const struct limit_info *info = limit_info((enum limit)i);
        if (config->ceiling.value[i] != 0)
            buf_add_format(to, "  ceiling of %s = %llu\n", info->json_name,
                           (unsigned long long)(config->ceiling.value[i] / info->scale));
    }
    buf_add_char(to, '\n');
}

static void add_layers(struct buf *to, const struct report_host *host)
{
    buf_add_text(to, "the layers of a box, each tried by one that looked at itself:\n");
    for (int i = 0; i < LAYER_COUNT; i++) {
        char line[512];
        const char *name = layer_name((enum layer)i);
        const char *detail = host->layers->layer[i].detail;
        (void)snprintf(line, sizeof line, "%-12s %-8s %s%s%s%s", name,
                       report_layer_word(host, name), layer_purpose((enum layer)i),
                       *detail ? " (" : "", detail, *detail ? ")" : "");
        add_wrapped(to, 2, line, strlen(line));
    }
    buf_add_char(to, '\n');
}

static void add_table(struct buf *to, const struct selftest *selftest,
                      const struct report_host *host)
{
    buf_add_format(to, "%-12s %-8s %6s %13s %10s %8s\n", "LAYER", "HERE", "HELD", "DID NOT HOLD",
                   "UNDECIDED", "SKIPPED");
    for (const char *const *layer = report_layers(); *layer; layer++) {
        size_t held = selftest_tally(selftest, *layer, ROW_HELD);
        size_t not_held = selftest_tally(selftest, *layer, ROW_DID_NOT_HOLD);
        size_t undecided = selftest_tally(selftest, *layer, ROW_UNDECIDED);
        size_t skipped = selftest_tally(selftest, *layer, ROW_SKIPPED);
        size_t not_run = selftest_tally(selftest, *layer, ROW_NOT_RUN);
        if (held + not_held + undecided + skipped + not_run == 0)
            continue;
        buf_add_format(to, "%-12s %-8s %6zu %13zu %10zu %8zu\n", *layer,
                       report_layer_word(host, *layer), held, not_held, undecided, skipped);
    }
}

static void add_failures(struct buf *to, const struct selftest *selftest)
{
    const char *title = "\ndid not hold:\n";
    for (size_t i = 0; i < selftest_count(selftest); i++) {
        const struct row_result *result = selftest_at(selftest, i);
        if (result->state != ROW_DID_NOT_HOLD)
            continue;
        buf_add_format(to, "%s  %s (%s; %s)\n", title, result->row->name, result->row->language,
                       result->row->layers[0]);
        add_lines(to, 6, result->reason);
        title = "";
    }
    if (*selftest_left(selftest)) {
        buf_add_text(to, "\nleft in the end:\n");
        add_lines(to, 2, selftest_left(selftest));
    }
}

static bool is_alike(const struct row_result *result, const struct row_result *other)
{
    return result->state == other->state && strcmp(result->reason, other->reason) == 0;
}

/* Has a row before this one the same reason? */
static bool is_told(const struct selftest *selftest, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (is_alike(selftest_at(selftest, i), selftest_at(selftest, index)))
            return true;
    }
    return false;
}

/* Rows in this state, those with the same reason together. */
static void add_reasons(struct buf *to, const struct selftest *selftest, enum row_state state)
{
    bool titled = false;
    for (size_t i = 0; i < selftest_count(selftest); i++) {
        auto_buf struct buf line;
        buf_init(&line, MIB);
        const struct row_result *result = selftest_at(selftest, i);
        if (result->state != state || is_told(selftest, i))
            continue;
        buf_add_format(&line, "%s:", result->reason);
        for (size_t k = i; k < selftest_count(selftest); k++) {
            if (is_alike(selftest_at(selftest, k), result))
                buf_add_format(&line, " %s", selftest_at(selftest, k)->row->name);
        }
        if (!titled)
            buf_add_format(to, "\n%s:\n", report_state_word(state));
        add_wrapped(to, 2, buf_text(&line), line.len);
        titled = true;
    }
}

/* Those that held at their second try. */
static void add_second_tries(struct buf *to, const struct selftest *selftest)
{
    auto_buf struct buf line;
    buf_init(&line, MIB);
    for (size_t i = 0; i < selftest_count(selftest); i++) {
        const struct row_result *result = selftest_at(selftest, i);
        if (result->state == ROW_HELD && result->tries > 1)
            buf_add_format(&line, " %s", result->row->name);
    }
    if (line.len > 0) {
        buf_add_text(to, "\nheld when nothing else ran, and were too slow before:\n");
        add_wrapped(to, 2, buf_text(&line) + 1, line.len - 1);
    }
}

static void add_rows(struct buf *to, const struct selftest *selftest)
{
    buf_add_format(to, "\n%-32s %-10s %-11s %-12s %s\n", "ROW", "LANGUAGE", "LAYER", "", "MS");
    for (size_t i = 0; i < selftest_count(selftest); i++) {
        const struct row_result *result = selftest_at(selftest, i);
        buf_add_format(to, "%-32s %-10s %-11s %-12s", result->row->name, result->row->language,
                       result->row->layers[0], report_state_word(result->state));
        if (result->verdict)
            buf_add_format(to, " %llu", (unsigned long long)result->ms);
        buf_add_char(to, '\n');
    }
}

static void add_last_line(struct buf *to, const struct selftest *selftest)
{
    size_t held = selftest_tally(selftest, NULL, ROW_HELD);
    size_t not_held = selftest_tally(selftest, NULL, ROW_DID_NOT_HOLD);
    size_t undecided = selftest_tally(selftest, NULL, ROW_UNDECIDED);
    size_t skipped = selftest_tally(selftest, NULL, ROW_SKIPPED);
    size_t not_run = selftest_tally(selftest, NULL, ROW_NOT_RUN);
    const char *how = selftest_exit_status(selftest) == 1 ? "it does not hold"
                      : selftest_exit_status(selftest) == 0
                          ? undecided == 0 ? "all held" : "not all decided"
                      : held > 0      ? "it was interrupted"
                      : undecided > 0 ? "nothing is decided"
                                      : "nothing could be run";
    buf_add_format(to, "\n%s: %zu held, %zu did not hold, ", how, held, not_held);
    if (undecided > 0)
        buf_add_format(to, "%zu undecided, ", undecided);
    buf_add_format(to, "%zu skipped", skipped);
    if (not_run > 0)
        buf_add_format(to, ", %zu not run", not_run);
    buf_add_format(to, ", %llu s\n", (unsigned long long)(selftest_ms(selftest) + 500) / 1000);
}

void report_text(struct buf *to, const struct selftest *selftest, const struct report_host *host,
                 enum report_length length)
{
    add_head(to, selftest, host);
    if (length == REPORT_WHOLE) {
        add_layers(to, host);
        add_configuration(to, host->config);
    }
    add_table(to, selftest, host);
    add_failures(to, selftest);
    add_reasons(to, selftest, ROW_UNDECIDED);
    add_reasons(to, selftest, ROW_SKIPPED);
    add_second_tries(to, selftest);
    if (length == REPORT_WHOLE)
        add_rows(to, selftest);
    add_last_line(to, selftest);
}
