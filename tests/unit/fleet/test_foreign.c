/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "broker/amqp.h"
#include "fleet/foreign.h"
#include "language/language.h"

#define ID "0b9d5b5e-7c1f-4f0e-9d0a-1f2e3d4c5b6a"

static struct catalogue *catalogue;

static int set_up(void **state)
{
    (void)state;
    struct err err;
    catalogue = catalogue_new();
    return catalogue ? catalogue_load_builtin(catalogue, &err) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    catalogue_free(catalogue);
    return 0;
}

static const struct language *find(const char *name)
{
    return catalogue_find(catalogue, slice_of(name));
}

static void names_are_theirs(void **state)
{
    (void)state;
    static const struct {
        const char *language;
        const char *job_key;
        const char *result_key;
    } rows[] = {
        {"python", "jobs.python", "results.python"},
        {"javascript", "jobs.nodejs", "results.nodejs"},
        {"nodejs", "jobs.nodejs", "results.nodejs"},
        {"go", "jobs.go", "results.go"},
        {"rust", "jobs.rust", "results.rust"},
        {"java", "jobs.java", "results.java"},
        {"ruby", "jobs.ruby", "results.ruby"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_string_equal(foreign_job_key(find(rows[i].language)).text, rows[i].job_key);
        assert_string_equal(foreign_result_key(find(rows[i].language)).text, rows[i].result_key);
    }
    assert_string_equal(foreign_channel(ID).text, "execution:" ID);
}

/* "exchange NAME TYPE", "queue NAME", "bind QUEUE EXCHANGE KEY" */
static void describe(struct buf *text, const struct amqp_declaration *row)
{
    if (row->type)
        buf_add_format(text, "exchange %s %s", row->exchange, row->type);
    else if (row->exchange)
        buf_add_format(text, "bind %s %s %s", row->queue, row->exchange, row->key);
    else
        buf_add_format(text, "queue %s", row->queue);
    buf_add_format(text, "%s%s%s\n", row->durable ? " durable" : "",
                   row->exclusive ? " exclusive" : "", row->arguments ? " arguments" : "");
}

static void the_topology_is_theirs(void **state)
{
    (void)state;
    static const char all[] = "exchange code-execution.jobs topic durable\n"
                              "exchange code-execution.results topic durable\n"
                              "queue jobs.all-languages durable\n"
                              "bind jobs.all-languages code-execution.jobs jobs.python\n"
                              "bind jobs.all-languages code-execution.jobs jobs.nodejs\n"
                              "bind jobs.all-languages code-execution.jobs jobs.go\n"
                              "bind jobs.all-languages code-execution.jobs jobs.rust\n"
                              "bind jobs.all-languages code-execution.jobs jobs.java\n";
    static const char results[] = "queue results.all durable\n"
                                  "bind results.all code-execution.results results.*\n";
    struct amqp_declaration rows[FOREIGN_TOPOLOGY_MAX];
    struct buf text;
    buf_init(&text, 4096);
    size_t count = foreign_topology(false, rows);
    for (size_t i = 0; i < count; i++)
        describe(&text, &rows[i]);
    assert_string_equal(buf_text(&text), all);
    buf_clear(&text);
    count = foreign_topology(true, rows);
    for (size_t i = 0; i < count; i++)
        describe(&text, &rows[i]);
    assert_memory_equal(buf_text(&text), all, sizeof all - 1);
    assert_string_equal(buf_text(&text) + sizeof all - 1, results);
    buf_fini(&text);
}

static void messages_have_the_properties_of_theirs(void **state)
{
    (void)state;
    struct fleet_key key = foreign_job_key(find("python"));
    struct amqp_message job = foreign_job_message(&key, ID, slice_of("{}"), 1790000000123);
    assert_string_equal(job.exchange, "code-execution.jobs");
    assert_string_equal(job.key, "jobs.python");
    assert_string_equal(job.message_id, ID);
    assert_int_equal(job.timestamp, 1790000000123); /* milliseconds, as theirs */
    assert_true(job.persistent);
    assert_null(job.content_type);
    assert_false(job.mandatory);
    key = foreign_result_key(find("go"));
    struct amqp_message result = foreign_result_message(&key, ID, slice_of("{}"));
    assert_string_equal(result.exchange, "code-execution.results");
    assert_string_equal(result.key, "results.go");
    assert_string_equal(result.content_type, "application/json");
    assert_true(result.persistent);
}

static void results_go_both_ways(void **state)
{
    (void)state;
    static const struct {
        struct foreign_result result;
        const char *text;
    } rows[] = {
        {{ID, "web-editor", {"hi\n", 3}, NULL, 0, true, 41},
         "{\"job_id\":\"" ID "\",\"workspace_id\":\"web-editor\",\"output\":\"hi\\n\","
         "\"exit_code\":0,\"duration\":41}"},
        {{ID, "default", {"", 0}, "it ran longer than 30 s", 124, true, 30001},
         "{\"job_id\":\"" ID "\",\"workspace_id\":\"default\",\"output\":\"\","
         "\"error\":\"it ran longer than 30 s\",\"exit_code\":124,\"duration\":30001}"},
        {{ID, "default", {"a\0b", 3}, NULL, 0},
         "{\"job_id\":\"" ID "\",\"workspace_id\":\"default\",\"output\":\"a\\u0000b\","
         "\"exit_code\":0}"},
        {{ID, "default", {"", 0}, NULL, 1},
         "{\"job_id\":\"" ID "\",\"workspace_id\":\"default\",\"output\":\"\",\"exit_code\":1}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct foreign_result *want = &rows[i].result;
        struct foreign_result result;
        struct err err = {0};
        struct buf text;
        buf_init(&text, 4096);
        assert_int_equal(foreign_result_encode(want, &text), 0);
        assert_string_equal(buf_text(&text), rows[i].text);
        assert_int_equal(foreign_result_decode(buf_slice(&text), &result, &err), 0);
        assert_string_equal(result.id, want->id);
        assert_string_equal(result.workspace_id, want->workspace_id);
        assert_true(slice_equal(result.output, want->output));
        assert_int_equal(result.exit_code, want->exit_code);
        assert_int_equal(result.has_duration, want->has_duration);
        assert_int_equal(result.duration_ms, want->duration_ms);
        if (want->error)
            assert_string_equal(result.error, want->error);
        else
            assert_null(result.error);
        foreign_result_fini(&result);
        buf_fini(&text);
    }
}

static void results_of_other_runners_are_taken(void **state)
{
    (void)state;
    struct foreign_result result;
    struct err err = {0};
    assert_int_equal(
        foreign_result_decode(slice_of("{\"job_id\":\"a\",\"exit_code\":1,\"error\":\"\","
                                       "\"duration\":12.7,\"output\":null,\"cpu\":{}}"),
                              &result, &err),
        0);
    assert_string_equal(result.id, "a");
    assert_null(result.workspace_id);
    assert_null(result.error);
    assert_int_equal(result.output.len, 0);
    assert_int_equal(result.duration_ms, 12);
    foreign_result_fini(&result);
    static const char *const bad[] = {
        "",
        "[]",
        "{\"exit_code\":0}",
        "{\"job_id\":\"a\"}",
        "{\"job_id\":\"\",\"exit_code\":0}",
        "{\"job_id\":7,\"exit_code\":0}",
        "{\"job_id\":\"a\\u0000b\",\"exit_code\":0}",
        "{\"job_id\":\"a\",\"exit_code\":\"0\"}",
        "{\"job_id\":\"a\",\"exit_code\":4294967296}",
        "{\"job_id\":\"a\",\"exit_code\":0,\"output\":[]}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (foreign_result_decode(slice_of(bad[i]), &result, &err) == 0)
            fail_msg("taken: %s", bad[i]);
    }
}

static void an_end_is_told_in_their_words_and_back(void **state)
{
    (void)state;
    static const struct {
        struct run_result end;
        int exit_code;
        bool error;
        enum verdict back;
    } rows[] = {
        {{VERDICT_SUCCEEDED, "it exited with status 0"}, 0, false, VERDICT_SUCCEEDED},
        {{VERDICT_FAILED, "it exited with status 3", .exit_code = 3}, 3, true, VERDICT_FAILED},
        {{VERDICT_KILLED_BY_SIGNAL, "SIGSEGV", .signal = 11}, 139, true, VERDICT_FAILED},
        {{VERDICT_TIMEOUT, "it ran longer than 30 s", .exit_code = -1}, 1, true, VERDICT_FAILED},
        {{VERDICT_MEMORY_LIMIT, "too much memory", .signal = 9}, 1, true, VERDICT_FAILED},
        {{VERDICT_CANCELLED, "it was stopped", .signal = 9}, 1, true, VERDICT_FAILED},
        {{VERDICT_INTERNAL_ERROR, "our fault"}, 1, true, VERDICT_FAILED},
        {{VERDICT_COMPILE_FAILED, "it does not compile", .exit_code = 1}, 1, true, VERDICT_FAILED},
        /* Whatever ends without success is not 0. */
        {{VERDICT_COMPILE_FAILED, "it does not compile", .exit_code = -1}, 1, true, VERDICT_FAILED},
        {{VERDICT_FAILED, "odd", .exit_code = 0}, 1, true, VERDICT_FAILED},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct foreign_result result = {.id = ID};
        struct run_result ended = rows[i].end;
        ended.usage = (struct run_usage){.compile_ms = 5, .wall_ms = 7};
        foreign_result_set_end(&result, &ended);
        assert_int_equal(result.exit_code, rows[i].exit_code);
        assert_int_equal(result.duration_ms, 12);
        assert_int_equal(result.error != NULL, rows[i].error);
        struct run_result end = foreign_result_end(&result);
        assert_int_equal(end.verdict, rows[i].back);
        assert_int_equal(end.exit_code, rows[i].exit_code);
        assert_string_equal(end.reason, ended.reason);
    }
}

static void lines_go_both_ways(void **state)
{
    (void)state;
    static const struct {
        struct foreign_line line;
        const char *text;
    } rows[] = {
        {{ID, {"hello", 5}, false, 1795184910136},
         "{\"job_id\":\"" ID "\",\"line\":\"hello\",\"stream\":\"stdout\","
         "\"timestamp\":\"2026-11-20T14:28:30.136Z\"}"},
        {{ID, {"a\0b", 3}, false, 1795184910136},
         "{\"job_id\":\"" ID "\",\"line\":\"a\\u0000b\",\"stream\":\"stdout\","
         "\"timestamp\":\"2026-11-20T14:28:30.136Z\"}"},
        {{ID, {"", 0}, true, 1795184910136},
         "{\"job_id\":\"" ID "\",\"line\":\"\",\"stream\":\"stderr\","
         "\"timestamp\":\"2026-11-20T14:28:30.136Z\"}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct foreign_line line;
        struct err err = {0};
        struct buf text;
        buf_init(&text, 4096);
        foreign_line_encode(&rows[i].line, &text);
        assert_string_equal(buf_text(&text), rows[i].text);
        assert_int_equal(foreign_line_decode(buf_slice(&text), &line, &err), 0);
        assert_string_equal(line.id, ID);
        assert_true(slice_equal(line.line, rows[i].line.line));
        assert_int_equal(line.is_stderr, rows[i].line.is_stderr);
        assert_int_equal(line.unix_ms, rows[i].line.unix_ms);
        foreign_line_fini(&line);
        buf_fini(&text);
    }
}

static void lines_of_other_runners_are_taken(void **state)
{
    (void)state;
    struct foreign_line line;
    struct err err = {0};
    assert_int_equal(foreign_line_decode(slice_of("{\"job_id\":\"a\",\"line\":\"x\","
                                                  "\"timestamp\":\"just now\"}"),
                                         &line, &err),
                     0);
    assert_int_equal(line.unix_ms, 0);
    assert_false(line.is_stderr);
    foreign_line_fini(&line);
    static const char *const bad[] = {"x", "{}", "{\"job_id\":\"a\"}", "{\"line\":\"a\"}",
                                      "{\"job_id\":\"a\",\"line\":1}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(foreign_line_decode(slice_of(bad[i]), &line, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_theirs),
        cmocka_unit_test(the_topology_is_theirs),
        cmocka_unit_test(messages_have_the_properties_of_theirs),
        cmocka_unit_test(results_go_both_ways),
        cmocka_unit_test(results_of_other_runners_are_taken),
        cmocka_unit_test(an_end_is_told_in_their_words_and_back),
        cmocka_unit_test(lines_go_both_ways),
        cmocka_unit_test(lines_of_other_runners_are_taken),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
