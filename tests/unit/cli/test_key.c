/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account/account.h"
#include "base/util.h"
#include "cli/storage.h"
#include "cli/verb.h"
#include "cli/verb_key.h"

#define DAY_MS 86400000ULL

/* --- what options mean --- */

static void without_options_a_key_has_the_documented_rates(void **state)
{
    (void)state;
    struct key_options options = {0};
    struct store_key key;
    assert_int_equal(key_read(&options, 1000, &key, NULL), 0);
    assert_string_equal(key.label, "default");
    assert_int_equal(key.scopes, STORE_SCOPE_RUN | STORE_SCOPE_FILES);
    assert_int_equal(key.rate_milli, 5000);
    assert_int_equal(key.burst, 10);
    assert_int_equal(key.concurrency, 0);
    assert_int_equal(key.daily_run_ms, 0);
    assert_int_equal(key.created_ms, 1000);
    assert_int_equal(key.expires_ms, 0);
}

static void options_are_read(void **state)
{
    (void)state;
    struct key_options options = {.label = "ci",
                                  .rate = "0.5",
                                  .burst = "7",
                                  .concurrency = "4",
                                  .daily = "3600s",
                                  .scopes = "admin",
                                  .expires = "30d"};
    struct store_key key;
    assert_int_equal(key_read(&options, 1000, &key, NULL), 0);
    assert_string_equal(key.label, "ci");
    assert_int_equal(key.scopes, STORE_SCOPE_ADMIN);
    assert_int_equal(key.rate_milli, 500);
    assert_int_equal(key.burst, 7);
    assert_int_equal(key.concurrency, 4);
    assert_int_equal(key.daily_run_ms, 3600000);
    assert_int_equal(key.expires_ms, 1000 + 30 * DAY_MS);
}

static void none_lifts_a_limit(void **state)
{
    (void)state;
    struct key_options options = {
        .rate = "none", .concurrency = "none", .daily = "none", .expires = "none"};
    struct store_key key;
    assert_int_equal(key_read(&options, 1000, &key, NULL), 0);
    assert_int_equal(key.rate_milli, 0);
    assert_int_equal(key.expires_ms, 0);
}

static void mistakes_name_the_option(void **state)
{
    (void)state;
    static const struct {
        struct key_options options;
        const char *says;
    } rows[] = {
        {{.rate = "0"}, "--rate 0: "},
        {{.rate = "-1"}, "--rate -1: "},
        {{.rate = "1000001"}, "--rate 1000001: "},
        {{.burst = "0"}, "--burst 0: "},
        {{.burst = "none"}, "--burst none: "},
        {{.burst = "1.5"}, "--burst 1.5: "},
        {{.concurrency = "many"}, "--concurrency many: "},
        {{.daily = "0"}, "--daily 0: "},
        {{.daily = "1y"}, "--daily 1y: "},
        {{.expires = "yesterday"}, "--expires yesterday: "},
        {{.expires = "99999d"}, "--expires 99999d: "},
        {{.scopes = "all"}, "scopes must be"},
        {{.scopes = ""}, "scopes must be"},
        {{.label = ""}, "label must"},
        {{.label = "12"}, "label must not be a number"},
        {{.label = "a\nb"}, "label must"},
        {{.label = "\xff"}, "label must"},
        {{.label = "0123456789012345678901234567890123456789012345678901234567890123"},
         "label must"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        struct store_key key = {.number = 77};
        assert_int_equal(key_read(&rows[i].options, 0, &key, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
        assert_int_equal(key.number, 77);
        if (strncmp(err.text, rows[i].says, strlen(rows[i].says)) != 0)
            fail_msg("'%s' does not start with '%s'", err.text, rows[i].says);
    }
}

/* --- on a folder --- */

static char folder[] = "/tmp/test_key.XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static void remove_all(const char *path)
{
    DIR *entries = opendir(path);
    for (const struct dirent *entry; entries && (entry = readdir(entries));) {
        char below[512];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(below, sizeof below, "%s/%.255s", path, entry->d_name);
        if (unlink(below) < 0)
            remove_all(below);
    }
    if (entries)
        (void)closedir(entries);
    (void)rmdir(path);
}

static int remove_folder(void **state)
{
    (void)state;
    remove_all(folder);
    return 0;
}

/* `runnel key …` with the folder; what it printed on stdout is in `out`. */
static int run(char out[4096], struct err *err, const char *const *words)
{
    char *argv[16] = {(char *)"key", (char *)"--storage-dir", folder};
    int argc = 3;
    *err = (struct err){0};
    for (; *words; words++)
        argv[argc++] = (char *)*words;
    char path[] = "/tmp/test_key_out.XXXXXX";
    int file = mkstemp(path);
    int saved = dup(STDOUT_FILENO);
    assert_true(file >= 0 && saved >= 0);
    (void)fflush(stdout);
    assert_true(dup2(file, STDOUT_FILENO) >= 0);
    int rc = verb_key.run(&verb_key, argc, argv, err);
    (void)fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    ssize_t len = pread(file, out, 4095, 0);
    out[len > 0 ? len : 0] = '\0';
    (void)close(file);
    (void)close(saved);
    (void)unlink(path);
    return rc;
}
#define RUN(out, err, ...) run(out, err, (const char *const[]){__VA_ARGS__, NULL})

static bool has_keys(void)
{
    struct config config;
    (void)config_init(&config, NULL);
    assert_int_equal(config_set(&config, "storage-dir", folder, "test", NULL), 0);
    int has = storage_has_keys(&config, NULL);
    assert_true(has >= 0);
    config_fini(&config);
    return has;
}

static void a_key_is_made_listed_and_revoked(void **state)
{
    (void)state;
    char token[4096];
    char list[4096];
    char out[4096];
    struct err err;
    assert_false(has_keys());
    assert_int_equal(RUN(token, &err, "create", "--label", "ci", "--rate", "5"), 0);
    assert_int_equal(strlen(token), 47); /* it alone, and a line break */
    assert_memory_equal(token, "rk_", 3);
    token[46] = '\0';
    assert_true(has_keys());
    assert_int_equal(RUN(list, &err, "list", "--json"), 0);
    assert_non_null(
        strstr(list, "{\"number\":1,\"label\":\"ci\",\"scopes\":\"run,files\",\"rate\":5"));
    assert_non_null(strstr(list, "\"state\":\"good\""));
    assert_null(strstr(list, token + 3));
    assert_int_equal(RUN(out, &err, "revoke", "ci"), 0);
    assert_true(has_keys());
    assert_int_equal(RUN(out, &err, "revoke", "1"), -1);
    assert_non_null(strstr(err.text, "revoked already"));
    assert_int_equal(RUN(out, &err, "list"), 0);
    assert_non_null(strstr(out, "revoked"));
    assert_int_equal(RUN(out, &err, "revoke", "nobody"), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void a_label_of_two_keys_revokes_neither(void **state)
{
    (void)state;
    char out[4096];
    struct err err;
    assert_int_equal(RUN(out, &err, "create", "--label", "twin", "--json"), 0);
    assert_memory_equal(out, "{\"number\":", 10);
    assert_int_equal(RUN(out, &err, "create", "--label", "twin"), 0);
    assert_int_equal(RUN(out, &err, "revoke", "twin"), -1);
    assert_non_null(strstr(err.text, "2 keys have the label twin"));
    assert_int_equal(RUN(out, &err, "revoke", "2"), 0);
    assert_int_equal(RUN(out, &err, "revoke", "twin"), 0);
    assert_non_null(strstr(out, "key 3 is revoked"));
}

static void actions_are_three(void **state)
{
    (void)state;
    char out[4096];
    struct err err;
    assert_int_equal(RUN(out, &err, "--json"), -1);
    assert_int_equal(RUN(out, &err, "make"), -1);
    assert_int_equal(RUN(out, &err, "revoke"), -1);
    assert_int_equal(RUN(out, &err, "list", "ci"), -1);
    assert_int_equal(RUN(out, &err, "revoke", "1", "2"), -1);
    assert_int_equal(err.code, ERR_INVALID);
}

/* --- where it is --- */

static void the_folder_is_found_as_everybody_expects(void **state)
{
    (void)state;
    char path[STORAGE_PATH_SIZE];
    struct config config;
    (void)config_init(&config, NULL);
    const char *home = getenv("HOME");
    char *saved = home ? strdup(home) : NULL;
    assert_int_equal(setenv("XDG_STATE_HOME", "/x", 1), 0);
    assert_int_equal(storage_find(&config, path, NULL), 0);
    assert_string_equal(path, geteuid() == 0 ? "/var/lib/runnel" : "/x/runnel");
    assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
    assert_int_equal(setenv("HOME", "/h", 1), 0);
    assert_int_equal(storage_find(&config, path, NULL), 0);
    assert_string_equal(path, geteuid() == 0 ? "/var/lib/runnel" : "/h/.local/state/runnel");
    assert_int_equal(config_set(&config, "storage_dir", "/s", "test", NULL), 0);
    assert_int_equal(storage_find(&config, path, NULL), 0);
    assert_string_equal(path, "/s");
    assert_int_equal(unsetenv("XDG_STATE_HOME"), 0);
    if (saved)
        assert_int_equal(setenv("HOME", saved, 1), 0);
    free(saved);
    config_fini(&config);
}

static void looking_for_keys_makes_no_folder(void **state)
{
    (void)state;
    struct config config;
    (void)config_init(&config, NULL);
    assert_int_equal(config_set(&config, "storage_dir", "/tmp/test_key.none/a", "test", NULL), 0);
    assert_int_equal(storage_has_keys(&config, NULL), 0);
    assert_int_equal(access("/tmp/test_key.none", F_OK), -1);
    assert_int_equal(config_set(&config, "api_keys", "a", "test", NULL), 0);
    assert_int_equal(storage_has_keys(&config, NULL), 1);
    config_fini(&config);
}

static void keys_that_cannot_be_read_are_not_none(void **state)
{
    (void)state;
    char path[64];
    struct err err;
    struct config config;
    (void)config_init(&config, NULL);
    assert_int_equal(config_set(&config, "storage_dir", "/dev/null", "test", NULL), 0);
    assert_int_equal(storage_has_keys(&config, &err), -1);
    assert_non_null(strstr(err.text, "the folder /dev/null: Not a directory"));
    (void)snprintf(path, sizeof path, "%s/bad", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(config_set(&config, "storage_dir", path, "test", NULL), 0);
    (void)snprintf(path, sizeof path, "%s/bad/runnel.db", folder);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        assert_true(fputs("no database\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(storage_has_keys(&config, &err), -1);
    assert_non_null(strstr(err.text, "file is not a database"));
    config_fini(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_a_key_has_the_documented_rates),
        cmocka_unit_test(options_are_read),
        cmocka_unit_test(none_lifts_a_limit),
        cmocka_unit_test(mistakes_name_the_option),
        cmocka_unit_test(a_key_is_made_listed_and_revoked),
        cmocka_unit_test(a_label_of_two_keys_revokes_neither),
        cmocka_unit_test(actions_are_three),
        cmocka_unit_test(the_folder_is_found_as_everybody_expects),
        cmocka_unit_test(looking_for_keys_makes_no_folder),
        cmocka_unit_test(keys_that_cannot_be_read_are_not_none),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
