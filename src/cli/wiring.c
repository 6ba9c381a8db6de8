/* SPDX-License-Identifier: MIT */
#include "cli/wiring.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "executor/native.h"
#include "loop/loop.h"
#include "observe/log.h"
#include "os/fd.h"
#include "os/memory.h"

/* Switches of services that we stand in for. What they would have turned off
 * cannot be turned off here, and silence would let an operator believe it was
 * (or believe that a profile of theirs is in force). */
static const struct {
    const char *name;
    const char *instead;
} foreign_switches[] = {
    {"DISABLE_SANDBOX_SECURITY",
     "the sandbox cannot be switched off; unset it ('runnel doctor' and "
     "--allow-missing speak of layers that a host lacks)"},
    {"SECCOMP_PROFILE", "what a box may call is built in, and 'runnel doctor' tells whether it is "
                        "in force; unset it"},
    {"APPARMOR_PROFILE", "boxes are held by namespaces, Landlock and a system call filter, which "
                         "'runnel doctor' shows; unset it"},
};

/* Others of theirs that would change nothing here, and harm nobody. */
static const char *const ignored_variables[] = {
    "RUNNER_IMAGE_PYTHON", "RUNNER_IMAGE_NODE", "RUNNER_IMAGE_RUBY", "RUNNER_IMAGE_PHP",
    "RUNNER_IMAGE_GO",     "HOST_SANDBOX_DIR",  "SANDBOX_WORKDIR",   "ADMIN_UI_PATH",
};

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value != '\0';
}

static int refuse_foreign_switches(struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(foreign_switches); i++) {
        if (is_set(foreign_switches[i].name))
            return err_set(err, ERR_CONFIG, "%s is set, and has no meaning here: %s",
                           foreign_switches[i].name, foreign_switches[i].instead);
    }
    return 0;
}

void wiring_log_ignored(void)
{
    for (size_t i = 0; i < ARRAY_LEN(ignored_variables); i++) {
        if (is_set(ignored_variables[i]))
            log_event(LOG_INFO, "ignored", LOG_TEXT("variable", ignored_variables[i]),
                      LOG_TEXT("reason", "it has no meaning here"), LOG_END);
    }
}

static int load_languages(struct wiring *wiring, struct err *err)
{
    const struct config_list *folders = &wiring->config.languages_dirs;
    wiring->catalogue = catalogue_new();
    if (!wiring->catalogue)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (catalogue_load_builtin(wiring->catalogue, err) < 0)
        return -1;
    for (size_t i = 0; i < folders->count; i++) {
        if (catalogue_load_dir(wiring->catalogue, folders->items[i], err) < 0) {
            config_blame(&wiring->config, err);
            return -1;
        }
    }
    return 0;
}

static int add_once(struct words *words, const char *word, struct err *err)
{
    return words_have(words, word) ? 0 : words_add(words, word, err);
}

/* What boxes must show, over all languages that can run here. */
static int collect_trees(struct wiring *wiring, struct err *err)
{
    for (size_t i = 0; i < catalogue_count(wiring->catalogue); i++) {
        const struct language *language = catalogue_at(wiring->catalogue, i);
        if (!language->installed)
            continue;
        if (language->rootfs && add_once(&wiring->rootfs, language->rootfs, err) < 0)
            return -1;
        for (size_t k = 0; language->etc && language->etc[k]; k++) {
            if (add_once(&wiring->etc, language->etc[k], err) < 0)
                return -1;
        }
    }
    return 0;
}

/* No box can have more than this process may, so that is what requests are cut to and
 * results tell. The boxes' own hard limits are set from it, too (box_program.c). */
static void cut_to_hard_limits(struct limits *ceiling)
{
    static const struct {
        enum limit limit;
        __rlimit_resource_t resource;
        uint64_t unit;
    } rows[] = {
        {LIMIT_FILE_SIZE, RLIMIT_FSIZE, 1}, {LIMIT_OPEN_FILES, RLIMIT_NOFILE, 1},
        {LIMIT_STACK, RLIMIT_STACK, 1},     {LIMIT_PROCESSES, RLIMIT_NPROC, 1},
        {LIMIT_CPU_TIME, RLIMIT_CPU, 1000},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t *value = &ceiling->value[rows[i].limit];
        uint64_t most = *value != 0 ? *value : limit_info(rows[i].limit)->largest;
        struct rlimit hard;
        if (getrlimit(rows[i].resource, &hard) == 0 && hard.rlim_max < most / rows[i].unit)
            *value = MAX(hard.rlim_max * rows[i].unit, limit_info(rows[i].limit)->smallest);
    }
}

int wiring_load(struct wiring *wiring, const struct config_flags *flags, bool serves,
                struct err *err)
{
    *wiring = (struct wiring){.socket = -1};
    if (config_init(&wiring->config, err) < 0 ||
        (serves && config_set_ceilings(&wiring->config, err) < 0))
        return -1;
    if (refuse_foreign_switches(err) < 0 || configure(&wiring->config, flags, err) < 0)
        return -1;
    cut_to_hard_limits(&wiring->config.ceiling);
    if (load_languages(wiring, err) < 0 || collect_trees(wiring, err) < 0)
        return -1;
    return 0;
}

static int allowed_missing(const struct config *config, unsigned *ret_bits, struct err *err)
{
    *ret_bits = 0;
    for (size_t i = 0; i < config->allow_missing.count; i++) {
        unsigned bits = 0;
        if (layers_parse(config->allow_missing.items[i], &bits, err) < 0) {
            config_blame(config, err);
            return -1;
        }
        *ret_bits |= bits;
    }
    return 0;
}

/* Of so many boxes: one beside them tells versions (process.c). */
static unsigned runs_of(unsigned boxes)
{
    return MAX(boxes, 1U) - 1;
}

static int check_boxes(const struct config *config, unsigned boxes, struct err *err)
{
    unsigned users_max = sandbox_host_users_max((uint32_t)config->uid_base);
    unsigned files_max = sandbox_boxes_max();
    if (boxes <= users_max && boxes <= files_max)
        return 0;
    if (boxes > users_max)
        (void)err_field(err, "concurrency",
                        "concurrency: there are host users for %u runs at once, since each has "
                        "one of its own; ask for fewer",
                        runs_of(users_max));
    else
        (void)err_field(err, "concurrency",
                        "concurrency: the hard limit of open files is enough for %u runs at "
                        "once; raise it (LimitNOFILE=, ulimit -Hn), or ask for fewer",
                        runs_of(files_max));
    if (err)
        err->code = ERR_CONFIG;
    return -1;
}

int wiring_settings(struct wiring *wiring, unsigned boxes, struct sandbox_settings *ret_settings,
                    struct err *err)
{
    unsigned missing = 0;
    if (check_boxes(&wiring->config, boxes, err) < 0 ||
        allowed_missing(&wiring->config, &missing, err) < 0)
        return -1;
    if (seccomp_compile("box.policy", slice_of(seccomp_builtin_policy("box")),
                        SECCOMP_REFUSE_ENOSYS, &wiring->filter, err) < 0)
        return -1;
    *ret_settings = (struct sandbox_settings){
        .ceiling = wiring->config.ceiling,
        .max_boxes = boxes,
        .allow_missing = missing,
        .cgroup_root = wiring->config.cgroup_root,
        .uid_base = (uint32_t)wiring->config.uid_base,
        .front_uid = wiring->front_uid,
        .etc = words_list(&wiring->etc),
        .rootfs = words_list(&wiring->rootfs),
        .seccomp_program = wiring->filter.instructions,
        .seccomp_size = wiring->filter.count * sizeof *wiring->filter.instructions,
    };
    return 0;
}

int wiring_start_spawner(struct wiring *wiring, unsigned boxes, struct err *err)
{
    struct sandbox_settings settings;
    if (wiring_settings(wiring, boxes, &settings, err) < 0 ||
        sandbox_start_spawner(&settings, &wiring->socket, err) < 0)
        return -1;
    wiring->own_spawner = true;
    return wiring_receive_report(wiring, wiring->socket, err);
}

int wiring_receive_report(struct wiring *wiring, int socket, struct err *err)
{
    wiring->socket = socket;
    int rc = sandbox_receive_report(socket, &wiring->report, err);
    (void)layers_summary(&wiring->report, wiring->isolation, sizeof wiring->isolation);
    return rc;
}

static void on_lost(void *context, const struct err *why)
{
    struct wiring *wiring = context;
    (void)why;
    if (wiring->on_lost)
        wiring->on_lost(wiring);
}

int wiring_make_executor(struct wiring *wiring, struct err *err)
{
    struct native_config config = {
        .isolation = wiring->isolation,
        .rootfs = words_list(&wiring->rootfs),
        .lost = on_lost,
        .lost_context = wiring,
    };
    wiring->loop = loop_new();
    if (!wiring->loop)
        return err_set(err, ERR_INTERNAL, "the event loop cannot be made");
    return native_executor_new(wiring->loop, wiring->socket, &config, &wiring->executor, err);
}

int wiring_make_engine(struct wiring *wiring, const struct engine_config *config, struct err *err)
{
    wiring->engine = engine_new(wiring->loop, config, wiring->executor, err);
    return wiring->engine ? 0 : -1;
}

static void on_drained(void *context)
{
    loop_stop(context);
}

/* Something is left to wait for only when something failed while a run was there. Else the loop
 * does not turn again: much of what it would call is gone. */
void wiring_end_engine(struct wiring *wiring)
{
    if (!wiring->engine)
        return;
    if (!engine_is_idle(wiring->engine)) {
        engine_drain(wiring->engine, 0, on_drained, wiring->loop);
        loop_run(wiring->loop);
    }
    engine_free(wiring->engine);
    wiring->engine = NULL;
}

void wiring_stop_boxes(struct wiring *wiring)
{
    wiring_end_engine(wiring);
    if (wiring->executor)
        wiring->executor->ops->executor_free(wiring->executor);
    else
        fd_close(&wiring->socket);
    wiring->executor = NULL;
    wiring->socket = -1;
    if (wiring->own_spawner)
        sandbox_stop_spawner(-1); /* its socket is closed: it cleans up and ends */
    wiring->own_spawner = false;
}

void wiring_fini(struct wiring *wiring)
{
    wiring_stop_boxes(wiring);
    if (wiring->loop)
        loop_free(wiring->loop);
    catalogue_free(wiring->catalogue);
    seccomp_program_fini(&wiring->filter);
    words_fini(&wiring->etc);
    words_fini(&wiring->rootfs);
    config_fini(&wiring->config);
}

unsigned wiring_concurrency(const struct config *config)
{
    cpu_set_t ours;
    if (config->concurrency > 0)
        return (unsigned)config->concurrency;
    unsigned cores = sched_getaffinity(0, sizeof ours, &ours) < 0
                         ? (unsigned)sysconf(_SC_NPROCESSORS_ONLN)
                         : (unsigned)CPU_COUNT(&ours);
    unsigned users_max = sandbox_host_users_max((uint32_t)config->uid_base);
    return MIN(2 * cores, MAX(runs_of(MIN(sandbox_boxes_max(), users_max)), 1U));
}

uint64_t wiring_memory_bytes(const struct config *config)
{
    return memory_usable("") / 100 * config->memory_share;
}
