/* SPDX-License-Identifier: MIT */
#include "cli/process.h"

#include <stdio.h>
#include <unistd.h>

#include "observe/log.h"
#include "os/fd.h"

/* Each run has one box at a time, and a toolchain may be asked for its version. */
static unsigned boxes(const struct config *config)
{
    return wiring_concurrency(config) + 1;
}

int process_become_spawner(struct wiring *wiring, int argc, char **argv, struct err *err)
{
    struct sandbox_settings settings;
    struct words command = {0};
    int rc = wiring_settings(wiring, boxes(&wiring->config), &settings, err);
    if (rc == 0)
        rc = words_add(&command, "runnel", err);
    for (int i = 0; i < argc && rc == 0; i++)
        rc = words_add(&command, argv[i], err);
    if (rc == 0)
        rc = sandbox_become_spawner(&settings, (char *const *)command.items, err);
    words_fini(&command);
    return rc;
}

/* The loop writes the log itself, and whoever reads it may stop: a pager, a collector that hangs.
 * Then lines are lost, and not the service. One that is only slow is waited for, once. */
static void write_log(const char *line, unsigned long len)
{
    enum { PATIENCE_MS = 50 };
    static uint64_t lost;
    uint64_t untold = lost;
    if (untold > 0 && fd_takes_a_line(STDERR_FILENO, 0)) {
        lost = 0;
        log_event(LOG_ERROR, "log_lines_lost", LOG_U64("lines", untold), LOG_END);
        lost = lost > 0 ? untold : 0; /* it comes here, too, and may be lost itself */
    }
    if (fd_takes_a_line(STDERR_FILENO, untold > 0 ? 0 : PATIENCE_MS))
        (void)!write(STDERR_FILENO, line, len);
    else
        lost++;
}

void process_open_log(const struct config *config)
{
    enum log_level level = LOG_INFO;
    log_set_sink(write_log);
    (void)log_level_parse(config->log_level, &level);
    log_set_level(level);
}

void process_spawner_lost(void *context)
{
    (void)context;
    log_event(LOG_ERROR, "spawner_lost", LOG_END);
    _exit(err_exit_status(ERR_INTERNAL));
}

void process_log_run(const struct run *run)
{
    const struct run_result *result = run_result(run);
    log_event(LOG_INFO, "run_finished", LOG_TEXT("run", run_id(run)),
              LOG_TEXT("language", run_language(run)->name),
              LOG_TEXT("verdict", verdict_name(result->verdict)),
              LOG_U64("wall_ms", result->usage.wall_ms), LOG_U64("cpu_ms", result->usage.cpu_ms),
              LOG_U64("queued_ms", result->usage.queued_ms), LOG_END);
    if (result->verdict == VERDICT_INTERNAL_ERROR)
        log_event(LOG_ERROR, "run_failed", LOG_TEXT("run", run_id(run)),
                  LOG_TEXT("reason", result->reason), LOG_END);
}

static void print_languages(const struct catalogue *catalogue, bool installed, const char *title,
                            const char *end)
{
    bool first = true;
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        const struct language *language = catalogue_at(catalogue, i);
        if (language->installed != installed)
            continue;
        (void)printf("%s%s", first ? title : " ", language->name);
        first = false;
    }
    if (!first)
        (void)printf("%s\n", end);
}

void process_print_means(const struct wiring *wiring)
{
    print_languages(wiring->catalogue, true, "languages: ", "");
    print_languages(wiring->catalogue, false,
                    "not installed: ", " ('runnel languages' tells how to get them)");
    (void)printf("isolation: %s\n", wiring->isolation);
}
