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

#include "base/buf.h"
#include "dialect/jobs.h"
#include "dialect/jobs_note.h"
#include "dialect/jobs_record.h"
#include "dialect/jobs_request.h"
#include "dialect/request_form.h"
#include "language/language.h"

static const char tools[] = "name = python\ntitle = Python\naliases = py\n"
                            "extensions = py\nsource = main.py\nexecute = /bin/true {source}\n"
                            "requires = /bin/true\npackages = python3\n";
static const char missing[] = "name = octave\ntitle = Octave\naliases = m\n"
                              "extensions = m\nsource = main.m\nexecute = /bin/true {source}\n"
                              "requires = /no/such\npackages = octave\n";
static const char *const dependencies[] = {"python:numpy", "py:scipy", NULL};
static struct jobs jobs = {.dependencies = dependencies};

static int load(void **state)
{
    struct err err = {0};
    struct catalogue *catalogue = catalogue_new();
    (void)state;
    jobs.catalogue = catalogue;
    int rc = catalogue_load_text(catalogue, "python.lang", slice_of(tools), &err);
    rc += catalogue_load_text(catalogue, "octave.lang", slice_of(missing), &err);
    if (rc < 0)
        print_error("%s\n", err.text);
    return rc;
}

static int unload(void **state)
{
    (void)state;
    catalogue_free((struct catalogue *)jobs.catalogue);
    return 0;
}

static enum jobs_refusal read_text(const char *text, struct jobs_request *request, struct err *err)
{
    json_t *body = json_read_object(slice_of(text), err);
    assert_non_null(body);
    enum jobs_refusal refusal = jobs_request_read(&jobs, body, request, err);
    /* What is borrowed is of this test no more than the numbers. */
    jobs_request_fini(request);
    json_decref(body);
    return refusal;
}

#define WITH(more) "{\"language\":\"py\",\"source_code\":\"x\"," more "}"

static void a_body_is_refused_in_known_words(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum jobs_refusal refusal;
        const char *field; /* of JOBS_OTHER */
    } rows[] = {
        {"{}", JOBS_MISSING, NULL},
        {"{\"language\":\"py\"}", JOBS_MISSING, NULL},
        {"{\"source_code\":\"x\"}", JOBS_MISSING, NULL},
        {"{\"language\":\"\",\"source_code\":\"x\"}", JOBS_MISSING, NULL},
        {"{\"language\":null,\"source_code\":\"x\"}", JOBS_MISSING, NULL},
        {"{\"language\":0,\"source_code\":\"x\"}", JOBS_MISSING, NULL},
        {"{\"language\":false,\"source_code\":\"x\"}", JOBS_MISSING, NULL},
        {"{\"language\":\"py\",\"source_code\":\"\"}", JOBS_MISSING, NULL},
        {"{\"language\":\"cobol\",\"source_code\":\"x\"}", JOBS_LANGUAGE, NULL},
        {"{\"language\":5,\"source_code\":\"x\"}", JOBS_LANGUAGE, NULL},
        {"{\"language\":[],\"source_code\":\"x\"}", JOBS_LANGUAGE, NULL},
        {"{\"language\":\"constructor\",\"source_code\":\"x\"}", JOBS_LANGUAGE, NULL},
        {"{\"language\":\"octave\",\"source_code\":\"x\"}", JOBS_OTHER, ""},
        {"{\"language\":\"py\",\"source_code\":5}", JOBS_OTHER, "source_code"},
        {WITH("\"entry_point\":\"a.b_c-1.py\""), JOBS_TAKEN, NULL},
        {WITH("\"entry_point\":null"), JOBS_TAKEN, NULL},
        {WITH("\"entry_point\":\"\""), JOBS_ENTRY_POINT, NULL},
        {WITH("\"entry_point\":\"..\""), JOBS_ENTRY_POINT, NULL},
        {WITH("\"entry_point\":\"a/b\""), JOBS_ENTRY_POINT, NULL},
        {WITH("\"entry_point\":\"-x\""), JOBS_ENTRY_POINT, NULL},
        {WITH("\"entry_point\":\"é\""), JOBS_ENTRY_POINT, NULL},
        {WITH("\"entry_point\":5"), JOBS_ENTRY_POINT, NULL},
        {WITH("\"entry_point\":\"$(id)\""), JOBS_ENTRY_POINT, NULL},
        {WITH("\"timeout\":60"), JOBS_TAKEN, NULL},
        {WITH("\"timeout\":0.5"), JOBS_TAKEN, NULL},
        {WITH("\"timeout\":60.001"), JOBS_OTHER, "timeout"},
        {WITH("\"timeout\":0"), JOBS_OTHER, "timeout"},
        {WITH("\"timeout\":-1"), JOBS_OTHER, "timeout"},
        {WITH("\"timeout\":\"5\""), JOBS_OTHER, "timeout"},
        {WITH("\"timeout\":1e300"), JOBS_OTHER, "timeout"},
        {WITH("\"queue_timeout\":600"), JOBS_TAKEN, NULL},
        {WITH("\"queue_timeout\":601"), JOBS_OTHER, "queue_timeout"},
        {WITH("\"memory_limit\":4"), JOBS_TAKEN, NULL},
        {WITH("\"memory_limit\":3"), JOBS_OTHER, "memory_limit"},
        {WITH("\"memory_limit\":1e9"), JOBS_OTHER, "memory_limit"},
        {WITH("\"memory_limit\":64.5"), JOBS_OTHER, "memory_limit"},
        {WITH("\"priority\":\"urgent\""), JOBS_OTHER, "priority"},
        {WITH("\"priority\":10"), JOBS_OTHER, "priority"},
        {WITH("\"priority\":-1"), JOBS_OTHER, "priority"},
        {WITH("\"priority\":4.5"), JOBS_OTHER, "priority"},
        {WITH("\"priority\":true"), JOBS_OTHER, "priority"},
        {WITH("\"dependencies\":[\"numpy\",\"scipy\"]"), JOBS_TAKEN, NULL},
        {WITH("\"dependencies\":[]"), JOBS_TAKEN, NULL},
        {WITH("\"dependencies\":[\"numpy\",\"left-pad\"]"), JOBS_OTHER, "dependencies"},
        {WITH("\"dependencies\":[\"\"]"), JOBS_OTHER, "dependencies"},
        {WITH("\"dependencies\":\"numpy\""), JOBS_OTHER, "dependencies"},
        {WITH("\"dependencies\":[5]"), JOBS_OTHER, "dependencies"},
        {WITH("\"workspace_id\":5"), JOBS_OTHER, "workspace_id"},
        {WITH("\"unknown\":5"), JOBS_TAKEN, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct jobs_request request;
        struct err err = {0};
        enum jobs_refusal refusal = read_text(rows[i].body, &request, &err);
        if (refusal != rows[i].refusal)
            print_error("%s: %d %s\n", rows[i].body, refusal, err.text);
        assert_int_equal(refusal, rows[i].refusal);
        if (rows[i].field)
            assert_string_equal(err.field, rows[i].field);
    }
}

static void a_package_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct jobs_request request;
    struct err err;
    (void)read_text(WITH("\"dependencies\":[\"numpy\",\"left-pad\"]"), &request, &err);
    assert_non_null(strstr(err.text, "left-pad"));
}

static void fields_mean_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        uint64_t timeout_ms;
        uint64_t queue_timeout_ms;
        uint64_t memory_mb;
        enum lane lane;
    } rows[] = {
        {WITH("\"x\":0"), 30000, 0, 0, LANE_NORMAL},
        {WITH("\"timeout\":1.5,\"queue_timeout\":2,\"memory_limit\":64"), 1500, 2000, 64,
         LANE_NORMAL},
        {WITH("\"priority\":\"low\""), 30000, 0, 0, LANE_LOW},
        {WITH("\"priority\":\"high\""), 30000, 0, 0, LANE_HIGH},
        {WITH("\"priority\":0"), 30000, 0, 0, LANE_LOW},
        {WITH("\"priority\":3"), 30000, 0, 0, LANE_LOW},
        {WITH("\"priority\":4"), 30000, 0, 0, LANE_NORMAL},
        {WITH("\"priority\":6"), 30000, 0, 0, LANE_NORMAL},
        {WITH("\"priority\":7"), 30000, 0, 0, LANE_HIGH},
        {WITH("\"priority\":9"), 30000, 0, 0, LANE_HIGH},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct jobs_request request;
        struct err err;
        assert_int_equal(read_text(rows[i].body, &request, &err), JOBS_TAKEN);
        assert_int_equal(request.timeout_ms, rows[i].timeout_ms);
        assert_int_equal(request.queue_timeout_ms, rows[i].queue_timeout_ms);
        assert_int_equal(request.memory_mb, rows[i].memory_mb);
        assert_int_equal(request.lane, rows[i].lane);
    }
}

/* As JavaScript counts: a character above U+FFFF is two. */
static void the_size_of_a_source_is_counted_as_its_clients_count(void **state)
{
    (void)state;
    static const struct {
        const char *letter;
        size_t count;
        enum jobs_refusal refusal;
    } rows[] = {
        {"a", 100000, JOBS_TAKEN},     {"a", 100001, JOBS_TOO_LARGE}, {"€", 100000, JOBS_TAKEN},
        {"€", 100001, JOBS_TOO_LARGE}, {"😀", 50000, JOBS_TAKEN},      {"😀", 50001, JOBS_TOO_LARGE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_buf struct buf text;
        struct jobs_request request;
        struct err err;
        buf_init(&text, MIB);
        buf_add_text(&text, "{\"language\":\"py\",\"source_code\":\"");
        for (size_t j = 0; j < rows[i].count; j++)
            buf_add_text(&text, rows[i].letter);
        buf_add_text(&text, "\"}");
        assert_int_equal(read_text(buf_text(&text), &request, &err), rows[i].refusal);
    }
}

static void a_form_says_the_same(void **state)
{
    (void)state;
    struct jobs_request request;
    struct err err;
    auto_json json_t *form = request_read_form(
        slice_of("language=py&source_code=x&timeout=2.5&memory_limit=64&priority=8"
                 "&dependencies=numpy"),
        &err);
    assert_int_equal(jobs_request_from_form(form, &err), 0);
    assert_int_equal(jobs_request_read(&jobs, form, &request, &err), JOBS_TAKEN);
    assert_int_equal(request.timeout_ms, 2500);
    assert_int_equal(request.memory_mb, 64);
    assert_int_equal(request.lane, LANE_HIGH);
    assert_string_equal(request.dependencies[0], "numpy");
    jobs_request_fini(&request);
}

static void the_operator_is_told_what_is_no_dependency(void **state)
{
    (void)state;
    static const char *const wrong[] = {"numpy", ":numpy", "python:", "cobol:numpy"};
    struct err err;
    assert_int_equal(jobs_check_dependencies(&jobs, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        const char *const list[] = {wrong[i], NULL};
        struct jobs other = {.catalogue = jobs.catalogue, .dependencies = list};
        assert_int_equal(jobs_check_dependencies(&other, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.text, wrong[i]));
    }
}

/* --- the note --- */

static void a_note_gives_back_what_was_asked(void **state)
{
    (void)state;
    const char *packages[] = {"numpy", NULL};
    struct jobs_request request = {
        .language_name = slice_of("nodejs"),
        .source = slice_of("a\n\"b\"\x1f"),
        .workspace_id = slice_of("w\n"),
        .entry_point = slice_of("x.js"),
        .dependencies = packages,
        .timeout_ms = 1500,
        .lane = LANE_LOW,
    };
    struct jobs_note note;
    struct jobs_analysis *analysis = jobs_analyse(slice_of("x"));
    auto_buf struct buf text;
    buf_init(&text, JOBS_NOTE_MAX);
    jobs_note_write(&text, &request, 1234567890123, analysis);
    free(analysis);
    assert_true(jobs_note_read(buf_slice(&text), &note));
    assert_int_equal(note.created_ms, 1234567890123);
    assert_true(slice_is(note.workspace_id, "\"w\\n\""));
    assert_true(slice_is(note.asked, "\"workspace_id\":\"w\\n\",\"language\":\"nodejs\","
                                     "\"source_code\":\"a\\n\\\"b\\\"\\u001f\","
                                     "\"entry_point\":\"x.js\",\"timeout\":1.5"));
    assert_true(slice_is(note.more, "\"priority\":\"low\",\"dependencies\":[\"numpy\"]"));
    assert_true(slice_is(note.analysis, "\"analysis\":{\"issues\":[],\"safety_score\":100}"));
}

static void another_dialects_note_is_none(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "\"limits\":{}",
        "job1",
        "job1 ",
        "job1 5",
        "job1 5\n",
        "job1 5\n\"w\"\n",
        "job1 5\n\"w\"\n\"a\":1\n",
        "job1 x\n\"w\"\n\"a\":1\n\"b\":2\n",
        "job2 5\n\"w\"\n\"a\":1\n\"b\":2\n",
        "job1 5\n\n\"a\":1\n\"b\":2\n",
        "job1 123456789012345678901234567890\n\"w\"\n\"a\":1\n\"b\":2\n",
    };
    struct jobs_note note;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_false(jobs_note_read(slice_of(rows[i]), &note));
    assert_false(jobs_note_read((struct slice){0}, &note));
    assert_true(jobs_note_read(slice_of("job1 5\n\"w\"\n\"a\":1\n\"b\":2\n"), &note));
    assert_int_equal(note.analysis.len, 0);
}

/* The longest source whose every unit is escaped. */
static void the_longest_source_fits_a_note(void **state)
{
    (void)state;
    static char source[JOBS_SOURCE_MAX];
    memset(source, 1, sizeof source);
    struct jobs_request request = {
        .language_name = slice_of("py"),
        .source = {source, sizeof source},
        .workspace_id = {source, 255},
    };
    auto_buf struct buf text;
    buf_init(&text, JOBS_NOTE_MAX);
    jobs_note_write(&text, &request, UINT64_MAX, NULL);
    assert_false(text.failed);
}

/* --- words --- */

static void each_end_has_its_status_and_its_number(void **state)
{
    (void)state;
    static const struct {
        enum verdict verdict;
        int exit_code;
        int signal;
        const char *status;
        int told;
    } rows[] = {
        {VERDICT_SUCCEEDED, 0, 0, "completed", 0},
        {VERDICT_FAILED, 3, 0, "failed", 3},
        {VERDICT_COMPILE_FAILED, 1, 0, "failed", 1},
        {VERDICT_COMPILE_FAILED, 0, 9, "failed", 137},
        {VERDICT_KILLED_BY_SIGNAL, 0, 11, "failed", 139},
        {VERDICT_TIMEOUT, 0, 9, "failed", 1},
        {VERDICT_IDLE_TIMEOUT, 0, 9, "failed", 1},
        {VERDICT_CPU_LIMIT, 0, 9, "failed", 1},
        {VERDICT_MEMORY_LIMIT, 0, 9, "failed", 1},
        {VERDICT_OUTPUT_LIMIT, 0, 9, "failed", 1},
        {VERDICT_QUEUE_TIMEOUT, -1, 0, "failed", 1},
        {VERDICT_INTERNAL_ERROR, -1, 0, "failed", 1},
        {VERDICT_CANCELLED, -1, 0, "cancelled", 1},
        {VERDICT_CANCELLED, 0, 9, "cancelled", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_string_equal(jobs_status_of(rows[i].verdict), rows[i].status);
        int status = verdict_job_status(rows[i].verdict, rows[i].exit_code, rows[i].signal);
        assert_int_equal(status, rows[i].told);
    }
}

static void an_id_is_of_few_letters(void **state)
{
    (void)state;
    assert_true(jobs_is_id("4e38fe7a-fc36-4670-bddc-944a27a44063"));
    assert_true(jobs_is_id("run_AAAA"));
    static const char *const wrong[] = {
        "", "a b", "a\nb", "a:b", "../x", "é", "0123456789012345678901234567890123456789"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(jobs_is_id(wrong[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_refused_in_known_words),
        cmocka_unit_test(a_package_that_is_not_there_is_named),
        cmocka_unit_test(fields_mean_what_they_say),
        cmocka_unit_test(the_size_of_a_source_is_counted_as_its_clients_count),
        cmocka_unit_test(a_form_says_the_same),
        cmocka_unit_test(the_operator_is_told_what_is_no_dependency),
        cmocka_unit_test(a_note_gives_back_what_was_asked),
        cmocka_unit_test(another_dialects_note_is_none),
        cmocka_unit_test(the_longest_source_fits_a_note),
        cmocka_unit_test(each_end_has_its_status_and_its_number),
        cmocka_unit_test(an_id_is_of_few_letters),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
