/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/util.h"
#include "config/config_private.h"
#include "observe/log.h"

static const char *document; /* docs/CONFIG.md */

static int set_up(void **state)
{
    struct config *config = malloc(sizeof *config);
    assert_non_null(config);
    (void)config_init(config, NULL);
    *state = config;
    return 0;
}

static int tear_down(void **state)
{
    config_fini(*state);
    config_fini(*state); /* twice does no harm */
    free(*state);
    return 0;
}

static void assert_list(const struct config_list *list, const char *expected)
{
    char joined[200] = "";
    for (size_t i = 0; i < list->count; i++) {
        size_t used = strlen(joined);
        (void)snprintf(joined + used, sizeof joined - used, "%s|", list->items[i]);
    }
    assert_string_equal(joined, expected);
}

static void assert_starts(const char *text, const char *start)
{
    if (strncmp(text, start, strlen(start)) != 0)
        fail_msg("'%s' does not start with '%s'", text, start);
}

/* Loads a file of that text; the error's "runnel-XXXXXX:" becomes "F:". */
static int load_text(struct config *config, const char *text, size_t len, struct err *err)
{
    char path[] = "/tmp/runnel-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    (void)close(fd);
    int rc = config_load_file(config, path, err);
    (void)unlink(path);
    if (rc < 0 && strncmp(err->text, path, strlen(path)) == 0) {
        size_t path_len = strlen(path);
        memmove(err->text + 1, err->text + path_len, strlen(err->text + path_len) + 1);
        err->text[0] = 'F';
    }
    return rc;
}

/* environ is not const, and nobody writes to it. */
static int load_environment(struct config *config, const char *const *environment, struct err *err)
{
    return config_load_environment(config, (char *const *)environment, err);
}

static void defaults_are_the_documented_ones(void **state)
{
    const struct config *config = *state;
    assert_int_equal(config->listen.count, 0);
    assert_int_equal(config->port, 8080);
    assert_false(config->compat);
    assert_false(config->insecure_public);
    assert_int_equal(config->concurrency, 0);
    assert_int_equal(config->queue_length, 256);
    assert_int_equal(config->max_connections, 1024);
    assert_int_equal(config->max_body_bytes, MIB);
    assert_false(config->rate_limit_loopback);
    assert_int_equal(config->execute_rate, 100);
    assert_int_equal(config->execute_rate_window_ms, 900000);
    assert_int_equal(config->shutdown_grace_ms, 10000);
    assert_null(config->cgroup_root);
    assert_int_equal(config->uid_base, 0x70000000);
    assert_string_equal(config->log_level, "info");
    for (enum limit limit = 0; limit < LIMIT_KINDS; limit++)
        assert_int_equal(config->ceiling.value[limit], 0);
}

static void a_file_sets_every_kind_of_key(void **state)
{
    struct config *config = *state;
    static const char text[] = "# Runnel's configuration\n"
                               "listen = 127.0.0.1:80, [::1]:81=jobs\n"
                               "listen = 0.0.0.0:82\n"
                               "\n"
                               "port=99\r\n"
                               "  compat = yes\n"
                               "max_body = 64K\n"
                               "execute_rate_window = 1h\n"
                               "cgroup_root = /sys/fs/cgroup/runnel\n"
                               "log_level = debug\n"
                               "max_memory = 512M\n"
                               "max_cpus = 1.5\n"
                               "max_idle_timeout = 30s\n"
                               "max_output = 2M";
    struct err err = {0};
    int rc = load_text(config, text, strlen(text), &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
    assert_list(&config->listen, "127.0.0.1:80|[::1]:81=jobs|0.0.0.0:82|");
    assert_int_equal(config->port, 99);
    assert_true(config->compat);
    assert_int_equal(config->max_body_bytes, 64 * KIB);
    assert_int_equal(config->execute_rate_window_ms, 3600000);
    assert_string_equal(config->cgroup_root, "/sys/fs/cgroup/runnel");
    assert_string_equal(config->log_level, "debug");
    assert_int_equal(config->ceiling.value[LIMIT_MEMORY], 512 * MIB);
    assert_int_equal(config->ceiling.value[LIMIT_CPUS], 1500);
    assert_int_equal(config->ceiling.value[LIMIT_IDLE], 30000);
    assert_int_equal(config->ceiling.value[LIMIT_OUTPUT], 2 * MIB);
}

static void mistakes_in_a_file_are_shown_with_their_line(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"\nprot = 1", "F:2: unknown key 'prot'; did you mean 'port'?"},
        {"max-memory = 1M", "F:1: unknown key 'max-memory'; did you mean 'max_memory'?"},
        {"Port = 1", "F:1: unknown key 'Port'; did you mean 'port'?"},
        {"x\x1Bz = 1", "F:1: unknown key 'x?z'"},
        {"nothing_like_it = 1", "F:1: unknown key 'nothing_like_it'"},
        {"port", "F:1: a line is written key = value"},
        {"port: 80", "F:1: a line is written key = value"},
        {"port = 1\n[limits]\nmax_memory = 1G", "F:2: there are no [sections] in this file"},
        {"port =", "F:1: port must be a whole number from 0 to 65535, not ''"},
        {"port = 65536", "F:1: port must be a whole number from 0 to 65535, not '65536'"},
        {"port = -1", "F:1: port must be a whole number"},
        {"port = 80 # http", "F:1: port must be a whole number"},
        {"port = 18446744073709551617", "F:1: port must be a whole number"},
        {"compat = maybe", "F:1: compat must be yes or no, not 'maybe'"},
        {"max_body = 1X", "F:1: max_body must be a size from 1 KiB to 1 GiB, as in 512K"},
        {"shutdown_grace = soon", "F:1: shutdown_grace must be a time from 0 ms to 24 h, as in"},
        {"max_cpus = 0",
         "F:1: max_cpus must be a number from 0.01 to 1024, as in 0.5, or none, not '0'"},
        {"max_memory = 1M", "F:1: max_memory must be a size from 4 MiB to 1024 GiB"},
        {"max_processes = 64K", "F:1: max_processes must be a whole number from 1 to 32768"},
        {"uid_base = 0", "F:1: uid_base must be a whole number from 65536 to 4294639616"},
        {"log_level = loud", "F:1: log_level must be one of error, warn, info, debug, not 'loud'"},
        {"log_level = inf", "F:1: log_level must be one of"},
        {"log_level = nfo", "F:1: log_level must be one of"},
        {"log_level = info, debug", "F:1: log_level must be one of"},
        {"log_level =", "F:1: log_level must be one of"},
    };
    struct config *config = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        if (load_text(config, rows[i].text, strlen(rows[i].text), &err) != -1)
            fail_msg("accepted: %s", rows[i].text);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_starts(err.text, rows[i].words);
        bool unknown = strstr(err.text, "unknown key") != NULL;
        bool guessed = strstr(err.text, "did you mean") != NULL;
        assert_int_equal(unknown && guessed, strstr(rows[i].words, "did you mean") != NULL);
    }
    struct err err = {0};
    assert_int_equal(load_text(config, "port = 1\0", 9, &err), -1);
    assert_string_equal(err.text, "F:1: the line holds a NUL");
    assert_int_equal(load_text(config, "port = x", 8, &err), -1);
    assert_string_equal(err.field, "port");
    assert_int_equal(load_text(config, "port = x", 8, &err), -1);
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
    struct err err = {0};
    assert_int_equal(config_load_file(*state, "/nowhere/runnel.conf", &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(err.text, "cannot read /nowhere/runnel.conf: No such file or directory");
    assert_int_equal(config_load_file(*state, "/tmp", &err), -1);
    assert_string_equal(err.text, "cannot read /tmp: Is a directory");
    size_t large = 256 * KIB + 1;
    auto_free char *text = calloc(1, large);
    memset(text, '\n', large);
    assert_int_equal(load_text(*state, text, large, &err), -1);
    assert_string_equal(err.text, "F is larger than 256 KiB");
    assert_int_equal(load_text(*state, text, large - 1, &err), 0);
}

static void the_environment_sets_keys_by_three_kinds_of_names(void **state)
{
    struct config *config = *state;
    struct err err = {0};
    static const char *const environment[] = {
        "PATH=/bin",
        "RUNNEL_QUEUE_LENGTH=7",
        "RUNNEL_MAX_MEMORY=1G",
        "MAX_CONCURRENT_EXECUTIONS=5",
        "CORS_ORIGIN=http://a, http://b",
        "RUNNEL_PORT=1000",
        "PORT=2000",
        "RUNNEL_SPAWNER=3",
        "SECCOMP_PROFILE=/x",
        "DISABLE_SANDBOX_SECURITY=1",
        "RUNNEL_LISTEN=",
        "NOTHING",
        "RUNNELS=1",
        NULL,
    };
    int rc = load_environment(config, environment, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
    assert_int_equal(config->queue_length, 7);
    assert_int_equal(config->ceiling.value[LIMIT_MEMORY], GIB);
    assert_int_equal(config->concurrency, 5);
    assert_list(&config->cors_origins, "http://a|http://b|");
    assert_int_equal(config->port, 1000); /* our name wins, wherever it stands */
}

static void mistakes_in_the_environment_name_the_variable(void **state)
{
    static const struct {
        const char *variable;
        const char *words;
    } rows[] = {
        {"PORT=http", "PORT: port must be a whole number from 0 to 65535, not 'http'"},
        {"RUNNEL_MAX_CPUS=many", "RUNNEL_MAX_CPUS: max_cpus must be a number from"},
        {"RUNNEL_PROT=1",
         "unknown environment variable 'RUNNEL_PROT'; did you mean 'RUNNEL_PORT'?"},
        {"RUNNEL_port=1", "unknown environment variable 'RUNNEL_port'"},
        {"RUNNEL_SPAWNERS=1", "unknown environment variable 'RUNNEL_SPAWNERS'"},
        {"RUNNEL_=1", "unknown environment variable 'RUNNEL_'"},
        {"RUNNEL_0123456789012345678901234567890123456789012345678901234567890123456789=1",
         "unknown environment variable 'RUNNEL_01234567890123456789"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        const char *const environment[] = {rows[i].variable, NULL};
        assert_int_equal(load_environment(*state, environment, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_starts(err.text, rows[i].words);
    }
}

static void settings_of_other_services_are_ours(void **state)
{
    struct config *config = *state;
    struct err err = {0};
    static const char *const environment[] = {
        "API_KEYS=dev_123:dev:5:10,b", "SIGNING_KEY=s",  "PREVIOUS_SIGNING_KEY=p",
        "PUBLIC_BASE_URL=https://a",   "STORAGE_DIR=/d", NULL};
    assert_int_equal(load_environment(config, environment, &err), 0);
    assert_string_equal(config->api_keys, "dev_123:dev:5:10,b");
    assert_string_equal(config->signing_key, "s");
    assert_string_equal(config->previous_signing_key, "p");
    assert_string_equal(config->public_base_url, "https://a");
    assert_string_equal(config->storage_dir, "/d");
    assert_int_equal(config->keep_runs_ms, 30 * 86400000ULL);
    assert_int_equal(config->keep_storage_bytes, 10 * GIB);
    assert_int_equal(config->max_upload_bytes, 10 * MIB);
    assert_int_equal(config->login_lasts_ms, 7 * 86400000ULL);
    assert_int_equal(config_set(config, "keep-runs", "3650d", "x", NULL), 0);
    assert_int_equal(config_set(config, "keep-runs", "3651d", "x", NULL), -1);
}

/* Those that there are cannot be wrong, being texts. */
static void a_secret_is_shown_by_no_message(void **state)
{
    static const struct config_key secret = {.name = "secret",
                                             .type = CONFIG_NUMBER,
                                             .offset = offsetof(struct config, port),
                                             .largest = 10,
                                             .is_secret = true};
    struct err err = {0};
    assert_int_equal(config_set_key(*state, &secret, "sesame", LAYER_FILE, "F:1", &err), -1);
    assert_starts(err.text, "F:1: secret must be a whole number");
    assert_null(strstr(err.text, "sesame"));
    static const char *const names[] = {"api_keys", "signing_key", "previous_signing_key"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_true(config_find(names[i], STYLE_KEY)->is_secret);
}

static void a_later_way_overrides_an_earlier_one(void **state)
{
    struct config *config = *state;
    struct err err = {0};
    static const char text[] = "port = 1\nqueue_length = 1\nlisten = a:1\ncors_origins = f\n"
                               "server_names = one\n";
    static const char *const environment[] = {"RUNNEL_CORS_ORIGINS=e", "CORS_ORIGIN=alias",
                                              "RUNNEL_PORT=2", "RUNNEL_LISTEN=b:2,c:3", NULL};
    assert_int_equal(load_text(config, text, strlen(text), &err), 0);
    assert_int_equal(load_environment(config, environment, &err), 0);
    assert_list(&config->listen, "b:2|c:3|");
    assert_int_equal(config_set(config, "listen", "d:4", "--listen", &err), 0);
    assert_int_equal(config_set(config, "listen", " e:5 ,, f:6,", "--listen", &err), 0);
    assert_int_equal(config_set(config, "port", "3", "--port", &err), 0);
    assert_list(&config->listen, "d:4|e:5|f:6|");
    assert_list(&config->cors_origins, "e|");
    assert_list(&config->server_names, "one|");
    assert_int_equal(config->port, 3);
    assert_int_equal(config->queue_length, 1);
}

static void the_command_line_sets_keys_as_options(void **state)
{
    struct config *config = *state;
    struct err err = {0};
    assert_int_equal(config_set(config, "max-connections", "5", "--max-connections", &err), 0);
    assert_int_equal(config->max_connections, 5);
    assert_int_equal(config_set(config, "max_connections", "6", "x", &err), 0);
    assert_int_equal(config->max_connections, 6);
    assert_int_equal(config_set(config, "compat", NULL, "--compat", &err), 0);
    assert_true(config->compat);
    assert_int_equal(config_set(config, "compat", "no", "--compat", &err), 0);
    assert_false(config->compat);
    assert_int_equal(config_set(config, "cgroup-root", "/a", "--cgroup-root", &err), 0);
    assert_int_equal(config_set(config, "cgroup-root", "", "--cgroup-root", &err), 0);
    assert_null(config->cgroup_root);
    assert_int_equal(config_set(config, "port", NULL, "--port", &err), -1);
    assert_string_equal(err.text, "--port needs a value");
    assert_int_equal(config_set(config, "port", "x", "--port", &err), -1);
    assert_string_equal(err.text, "--port: port must be a whole number from 0 to 65535, not 'x'");
    assert_int_equal(config_set(config, "max-memroy", "x", "--max-memroy", &err), -1);
    assert_string_equal(err.text,
                        "--max-memroy: unknown key 'max-memroy'; did you mean 'max-memory'?");
    assert_int_equal(config_set(config, "port", "x", "--port", NULL), -1);
}

static void options_are_known_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int known;
        bool wants_value;
    } rows[] = {
        {"port", 1, true},       {"compat", 1, false},  {"max-connections", 1, true},
        {"max-memory", 1, true}, {"max-file", 1, true}, {"max-max-file", 0, false},
        {"memory", 0, false},    {"", 0, false},        {"max_connections", 0, false},
        {"help", 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool wants_value = false;
        assert_int_equal(config_is_option(rows[i].name, &wants_value), rows[i].known);
        assert_int_equal(wants_value, rows[i].wants_value);
    }
}

static void every_limit_has_a_ceiling(void **state)
{
    struct config *config = *state;
    static const char *const values[] = {
        [LIMIT_MS] = "5s", [LIMIT_MILLI] = "0.5", [LIMIT_BYTES] = "64M", [LIMIT_COUNT_OF] = "100"};
    for (enum limit limit = 0; limit < LIMIT_KINDS; limit++) {
        const struct limit_info *info = limit_info(limit);
        char key[80];
        struct err err = {0};
        (void)snprintf(key, sizeof key, "%s%s", strncmp(info->option, "max-", 4) == 0 ? "" : "max-",
                       info->option);
        uint64_t expected = 0;
        assert_int_equal(limit_parse(limit, values[info->unit], &expected), 0);
        assert_int_equal(config_set(config, key, values[info->unit], "x", &err), 0);
        assert_int_equal(config->ceiling.value[limit], expected);
    }
}

static void ceilings_of_a_service_can_be_lifted(void **state)
{
    struct config *config = *state;
    (void)config_set_ceilings(config, NULL);
    assert_int_equal(config->ceiling.value[LIMIT_MEMORY], 2 * GIB);
    assert_int_equal(config->ceiling.value[LIMIT_WALL], 600000);
    assert_int_equal(config->ceiling.value[LIMIT_IDLE], 0); /* one would make silence deadly */
    assert_int_equal(config_set(config, "max-memory", "none", "x", NULL), 0);
    assert_int_equal(config->ceiling.value[LIMIT_MEMORY], 0);
    assert_int_equal(config->port, 8080); /* nothing else is touched */
}

/* What is wrong with a value its user finds out, who knows nothing of files. */
static void who_finds_a_mistake_later_learns_where_it_stands(void **state)
{
    struct config *config = *state;
    static const char text[] = "listen = a:1, b:2\n\nlisten = c:3\nallow_anonymous = jobs\n"
                               "allow_anonymous = soap\nbroker = http://x\nport = 1\n";
    static const char *const environment[] = {"RUNNEL_NODE_NAME=a b", "CORS_ORIGIN=x", NULL};
    struct err err = {0};
    assert_int_equal(load_text(config, text, strlen(text), &err), 0);
    assert_int_equal(load_environment(config, environment, &err), 0);
    assert_int_equal(config_set(config, "stream", "http://y", "--stream", &err), 0);
    static const struct {
        const char *key;
        const char *sentence;
        const char *place; /* behind the file's name */
    } rows[] = {
        {"listen", "listen b:2: no address", ":1: "},
        {"listen", "listen c:3: no address", ":3: "},
        {"listen", "listen: more than 16", ":1: "},
        {"allow_anonymous", "there is no dialect 'soap' (they are jobs)", ":5: "},
        {"broker", "the address is none", ":6: "},
        {"port", "it is taken", ":7: "},
        {"node_name", "no blanks", "RUNNEL_NODE_NAME: "},
        {"cors_origins", "'x' is not an origin", "CORS_ORIGIN: "},
        {"stream", "an option is before its user", ""},
        {"queue_length", "a default is not wrong", ""},
        {"nothing", "no key of ours", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        (void)err_config(&err, rows[i].key, "%s", rows[i].sentence);
        config_blame(config, &err);
        config_blame(config, &err); /* by a second one that passes it on */
        const char *rest = rows[i].place[0] == ':' ? strstr(err.text, rows[i].place) : err.text;
        assert_non_null(rest);
        assert_starts(rest, rows[i].place);
        assert_string_equal(rest + strlen(rows[i].place), rows[i].sentence);
        assert_string_equal(err.field, rows[i].key);
    }
    (void)err_field(&err, "port", "of a request");
    config_blame(config, &err);
    assert_string_equal(err.text, "of a request");
    config_blame(config, NULL);
}

static void the_place_of_a_list_is_that_of_the_last_way_to_set_it(void **state)
{
    struct config *config = *state;
    static const char *const environment[] = {"RUNNEL_LISTEN=b:2", NULL};
    struct err err = {0};
    assert_int_equal(load_text(config, "listen = a:1", 12, &err), 0);
    assert_int_equal(load_environment(config, environment, &err), 0);
    (void)err_config(&err, "listen", "listen b:2: no");
    config_blame(config, &err);
    assert_string_equal(err.text, "RUNNEL_LISTEN: listen b:2: no");
    assert_int_equal(config_set(config, "listen", "b:2", "--listen", &err), 0);
    (void)err_config(&err, "listen", "listen b:2: no");
    config_blame(config, &err);
    assert_string_equal(err.text, "listen b:2: no");
}

static void log_levels_are_those_of_the_log(void **state)
{
    struct config *config = *state;
    static const char *const names[] = {"error", "warn", "info", "debug"};
    assert_int_equal(ARRAY_LEN(names), LOG_LEVEL_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        enum log_level level;
        assert_int_equal(config_set(config, "log-level", names[i], "x", NULL), 0);
        assert_int_equal(log_level_parse(config->log_level, &level), 0);
    }
}

static char *print(void (*printer)(FILE *))
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    printer(out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void help_is_aligned_and_fits_a_terminal(void **state)
{
    (void)state;
    auto_free char *text = print(config_print_options);
    assert_non_null(strstr(text, "  --port N"));
    assert_non_null(strstr(text, "(8080)\n"));
    assert_non_null(strstr(text, "  --compat  "));
    assert_non_null(strstr(text, "  --max-memory SIZE"));
    assert_non_null(strstr(text, "  --server-names NAME,…  "));
    assert_non_null(strstr(text, "  --analysis off|advise|refuse  "));
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (strlen(line) > 110)
            fail_msg("too long: %s", line);
    }
}

static void the_document_is_up_to_date(void **state)
{
    (void)state;
    if (!document)
        skip();
    auto_free char *printed = print(config_print_markdown);
    size_t room = strlen(printed) + 2;
    auto_free char *committed = calloc(1, room);
    FILE *file = fopen(document, "re");
    assert_non_null(file);
    assert_true(fread(committed, 1, room - 1, file) < room - 1);
    (void)fclose(file);
    assert_string_equal(committed, printed); /* see meson.build for how to print it */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    document = argc > 1 ? argv[1] : NULL;
    const struct CMUnitTest tests[] = {
        TEST(defaults_are_the_documented_ones),
        TEST(a_file_sets_every_kind_of_key),
        TEST(mistakes_in_a_file_are_shown_with_their_line),
        TEST(a_file_that_cannot_be_read_is_an_error),
        TEST(the_environment_sets_keys_by_three_kinds_of_names),
        TEST(mistakes_in_the_environment_name_the_variable),
        TEST(settings_of_other_services_are_ours),
        TEST(a_secret_is_shown_by_no_message),
        TEST(a_later_way_overrides_an_earlier_one),
        TEST(the_command_line_sets_keys_as_options),
        TEST(options_are_known_by_name),
        TEST(every_limit_has_a_ceiling),
        TEST(ceilings_of_a_service_can_be_lifted),
        TEST(who_finds_a_mistake_later_learns_where_it_stands),
        TEST(the_place_of_a_list_is_that_of_the_last_way_to_set_it),
        TEST(log_levels_are_those_of_the_log),
        TEST(help_is_aligned_and_fits_a_terminal),
        TEST(the_document_is_up_to_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
