/* SPDX-License-Identifier: MIT */
#include "cli/process.h"

#include <stdio.h>
#include <unistd.h>

#include "observe/log.h"

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

static void write_log(const char *line, unsigned long len)
{
    (void)!write(STDERR_FILENO, line, len);
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
