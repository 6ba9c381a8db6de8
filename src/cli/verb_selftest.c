/* SPDX-License-Identifier: MIT */
/* verb_selftest.c — `runnel selftest`: the attack corpus on this machine, through this
 * configuration, and what held. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/verb.h"
#include "cli/wiring.h"
#include "os/clock.h"
#include "selftest/report.h"

enum {
    NOTHING_RUN = 2, /* the exit status; 0 and 1 are the selftest's own */
    KEEP_MS = 60000,
    ROWS_AT_ONCE_MAX = 8,
};

struct selftest_options {
    struct config_flags config; /* first: option_set_config takes it for the target */
    bool json;
    bool list;
    bool quick;
    const char *only;
    const char *report;
};

/* clang-format off */
static const struct option rows[] = {
    {"quick", 0, NULL, "one row of each layer", option_set_switch, offsetof(struct selftest_options, quick)},
    {"only", 0, "WORDS", "rows whose number, name, language or layer is among these", option_set_text, offsetof(struct selftest_options, only)},
    {"list", 0, NULL, "print the rows, and run none", option_set_switch, offsetof(struct selftest_options, list)},
    {"json", 0, NULL, "the report as one JSON object", option_set_switch, offsetof(struct selftest_options, json)},
    {"report", 0, "FILE", "write the whole report there, for an auditor", option_set_text, offsetof(struct selftest_options, report)},
    CONFIG_OPTION_ROWS,
    {0},
};
/* clang-format on */

static bool is_listed(const struct selftest_options *options, const struct corpus_row *row)
{
    return (!options->quick || row->quick) && corpus_is_meant(row, options->only);
}

static bool is_any_listed(const struct selftest_options *options)
{
    for (const struct corpus_row *row = corpus_rows; row->number; row++) {
        if (is_listed(options, row))
            return true;
    }
    return false;
}

/* Each of --only by itself: whoever mistypes one would take the others for all. */
static int check_words(const struct selftest_options *options, struct err *err)
{
    static const char between[] = ", \t";
    const char *at = options->only;
    do {
        char word[64];
        at += strspn(at, between);
        size_t len = strcspn(at, between);
        (void)snprintf(word, sizeof word, "%.*s", (int)MIN(len, sizeof word), at);
        struct selftest_options one = {.quick = options->quick, .only = word};
        if (!is_any_listed(&one))
            return err_set(
                err, ERR_INVALID,
                "--only %s: no row%s has such a number, name, language or layer ('runnel "
                "selftest --list' shows all)",
                word, options->quick ? " of --quick" : "");
        at += len;
    } while (at[strspn(at, between)] != '\0');
    return 0;
}

static int check_options(const struct selftest_options *options, struct err *err)
{
    if (options->list && (options->json || options->report))
        return err_set(err, ERR_INVALID, "--list runs nothing that %s could tell; leave one out",
                       options->json ? "--json" : "--report");
    return options->only ? check_words(options, err) : 0;
}

static int print_list(const struct selftest_options *options)
{
    for (const struct corpus_row *row = corpus_rows; row->number; row++) {
        if (!is_listed(options, row))
            continue;
        (void)printf("%-4s %-32s %-11s", row->number, row->name, row->language);
        for (size_t i = 0; row->layers[i]; i++)
            (void)printf("%s%s", i > 0 ? ", " : " ", row->layers[i]);
        (void)printf("\n");
    }
    return 0;
}

/* As many rows as a service here makes runs: most wait more than they compute. */
static unsigned rows_at_once(const struct wiring *wiring)
{
    return MIN(wiring_concurrency(&wiring->config), (unsigned)ROWS_AT_ONCE_MAX);
}

static int start_engine(struct wiring *wiring, struct err *err)
{
    unsigned slots = rows_at_once(wiring) * SELFTEST_RUNS_A_ROW;
    struct engine_config config = {.concurrency = slots,
                                   .queue_length = slots,
                                   .keep_ms = KEEP_MS,
                                   .ceiling = wiring->config.ceiling};
    for (const struct embedded_file *file = corpus_languages; file->name; file++) {
        if (catalogue_load_text(wiring->catalogue, file->name,
                                (struct slice){file->text, file->len}, err) < 0)
            return -1;
    }
    if (wiring_start_spawner(wiring, slots, err) < 0 || wiring_make_executor(wiring, err) < 0)
        return -1;
    return wiring_make_engine(wiring, &config, err);
}

static void show_progress(void *context, size_t done, size_t all, const struct row_result *result)
{
    (void)context;
    (void)fprintf(stderr, "\r%4zu of %zu  %-40.40s", done, all,
                  done < all ? result->row->name : "");
    if (done == all)
        (void)fputs("\r\033[K", stderr);
}

static int print_report(const struct selftest_options *options, const struct selftest *selftest,
                        const struct report_host *host, FILE *file, struct err *err)
{
    auto_buf struct buf text;
    auto_buf struct buf whole;
    buf_init(&text, SIZE_MAX);
    buf_init(&whole, SIZE_MAX);
    if (options->json)
        report_json(&text, selftest, host);
    else
        report_text(&text, selftest, host, REPORT_SHORT);
    report_text(&whole, selftest, host, REPORT_WHOLE);
    if (text.failed || whole.failed)
        return err_set(err, ERR_INTERNAL, "out of memory");
    (void)printf("%s%s", buf_text(&text), options->json ? "\n" : "");
    if (file && (fputs(buf_text(&whole), file) < 0 || fflush(file) != 0))
        return err_sys(err, errno, "--report %s", options->report);
    return 0;
}

/* Takes the wiring down in between: what is left shows when the spawner has ended. */
static int test(const struct selftest_options *options, struct wiring *wiring,
                struct canaries *canaries, FILE *file, struct err *err)
{
    struct selftest_spec spec = {
        .rows = corpus_rows,
        .only = options->only,
        .quick = options->quick,
        .loop = wiring->loop,
        .engine = wiring->engine,
        .catalogue = wiring->catalogue,
        .layers = &wiring->report,
        .ceiling = wiring->config.ceiling,
        .canaries = canaries,
        .at_once = rows_at_once(wiring),
        .progress = isatty(STDERR_FILENO) ? show_progress : NULL,
    };
    const struct report_host host = {wiring->isolation, &wiring->report, &wiring->config,
                                     clock_unix_ms()};
    struct selftest *selftest = selftest_new(&spec, err);
    if (!selftest)
        return -1;
    selftest_run(selftest);
    wiring_stop_boxes(wiring);
    selftest_finish(selftest);
    int status = selftest_exit_status(selftest);
    if (print_report(options, selftest, &host, file, err) < 0)
        status = -1;
    selftest_free(selftest);
    return status;
}

/* The canaries come first: the spawner inherits what no program may see. */
static int attack(const struct selftest_options *options, struct wiring *wiring, FILE *file,
                  struct err *err)
{
    if (wiring_load(wiring, &options->config, false, err) < 0)
        return -1;
    struct canaries *canaries = canaries_new(err);
    if (!canaries)
        return -1;
    int status = start_engine(wiring, err);
    if (status == 0)
        status = test(options, wiring, canaries, file, err);
    canaries_free(canaries);
    return status;
}

/* The report's file is opened before minutes are spent on what goes into it. */
static int examine(const struct selftest_options *options, struct wiring *wiring, struct err *err)
{
    FILE *file = options->report ? fopen(options->report, "we") : NULL;
    if (options->report && !file)
        return err_sys(err, errno, "--report %s", options->report);
    int status = attack(options, wiring, file, err);
    if (file)
        (void)fclose(file);
    return status;
}

static int run_selftest(const struct verb *verb, int argc, char **argv, struct err *err)
{
    struct selftest_options options = {0};
    struct wiring wiring = {.socket = -1};
    int rc = verb_parse_alone(verb, argc, argv, &options, err);
    if (rc == OPTIONS_DONE && check_options(&options, err) < 0) {
        rc = -1;
    } else if (rc == OPTIONS_DONE && options.list) {
        rc = print_list(&options);
    } else if (rc == OPTIONS_DONE) {
        rc = examine(&options, &wiring, err);
        if (rc < 0) {
            (void)fprintf(stderr, "runnel: %s\n", err->text);
            rc = NOTHING_RUN;
        }
    } else if (rc == OPTIONS_HELP) {
        rc = 0;
    }
    wiring_fini(&wiring);
    config_flags_fini(&options.config);
    return rc;
}

const struct verb verb_selftest = {
    .name = "selftest",
    .summary = "attack the boxes of this machine, and say what held",
    .synopsis = "selftest [--quick] [--only WORDS] [--json] [--report FILE]",
    .teaching =
        "examples:\n"
        "  sudo runnel selftest                      some minutes\n"
        "  sudo runnel selftest --quick              one row of each layer, seconds\n"
        "  runnel selftest --only forkbomb,network   rows by number, name, language, layer\n"
        "  sudo runnel selftest --report held.txt    every row, the host, the settings\n"
        "\n"
        "Each row is a program that attacks, or uses up, what it is given. It is run as\n"
        "'runnel run' would run it, with this configuration and its ceilings; after it the\n"
        "next run must be an ordinary one, and nothing be left. Fork bombs and memory hogs\n"
        "are among them: a machine that serves others is busy meanwhile. Files that no\n"
        "program may find (.runnel-canary-...) lie in /tmp and its like until the end.\n"
        "\n"
        "The exit status is 0 when all that could be run held, 1 when something did not,\n"
        "and 2 when nothing could be run, or it was interrupted. A row that failed where a\n"
        "ceiling is too low for it is undecided: it is told, and changes no status.\n",
    .options = {.rows = rows},
    .run = run_selftest,
};
