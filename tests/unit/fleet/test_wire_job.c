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

#include "fleet/wire.h"
#include "language/language.h"

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

static const struct job_header header = {"0b9d5b5e-7c1f-4f0e-9d0a-1f2e3d4c5b6a", "front-1",
                                         1790000000123, LANE_HIGH, true};

#define BINARY           \
    {                    \
        "\0\xff\x80z", 4 \
    }

static struct run_spec whole_spec(void)
{
    static const struct run_file files[] = {
        {"lib/a.py", {"x = 1\n", 6}}, {"empty", {"", 0}}, {"data.bin", BINARY}};
    static const char *const folders[] = {"inputs/", "outputs/", "a/b/", NULL};
    static const char *const args[] = {"--name", "Zo\xc3\xab", "", "\xff odd", NULL};
    static const char *const compile_args[] = {"-O2", NULL};
    static const char *const env[] = {"A=1", "B=x=y", NULL};
    struct run_spec spec = {
        .language = catalogue_find(catalogue, slice_of("python")),
        .profile = PROFILE_SESSION,
        .source = {"print(\"hi\")\n", 12},
        .entry_file = "main.py",
        .files = files,
        .file_count = ARRAY_LEN(files),
        .folders = folders,
        .input = BINARY,
        .input_stays_open = true,
        .args = args,
        .compile_args = compile_args,
        .env = env,
        .streaming = true,
        .tty = true,
        .passing = true,
        .ends_unattended = true,
        .unattended_ms = 7000,
        .owner = 3,
        .lane = LANE_HIGH,
        .tenant = UINT64_MAX,
        .note = {"{\"a\":\"\xc3\xa4\"}", 10},
        .artifacts = "outputs",
        .recorded = true,
    };
    spec.limits.value[LIMIT_WALL] = 2500;
    spec.limits.value[LIMIT_CPUS] = 1250;
    spec.limits.value[LIMIT_MEMORY] = 64 * MIB;
    spec.limits.value[LIMIT_PROCESSES] = 12;
    return spec;
}

static void assert_texts_equal(const char *const *a, const char *const *b)
{
    size_t i = 0;
    for (; b[i]; i++)
        assert_string_equal(a[i], b[i]);
    assert_null(a[i]);
}

static void assert_contents_equal(const struct run_spec *a, const struct run_spec *b)
{
    assert_true(slice_equal(a->source, b->source));
    assert_true(slice_equal(a->input, b->input));
    assert_int_equal(a->file_count, b->file_count);
    for (size_t i = 0; i < b->file_count; i++) {
        assert_string_equal(a->files[i].path, b->files[i].path);
        assert_true(slice_equal(a->files[i].content, b->files[i].content));
    }
}

static void assert_rest_equal(const struct run_spec *a, const struct run_spec *b)
{
    assert_ptr_equal(a->language, b->language);
    assert_int_equal(a->profile, b->profile);
    assert_string_equal(a->entry_file, b->entry_file);
    assert_texts_equal(a->folders, b->folders);
    assert_texts_equal(a->args, b->args);
    assert_texts_equal(a->compile_args, b->compile_args);
    assert_texts_equal(a->env, b->env);
    assert_memory_equal(&a->limits, &b->limits, sizeof a->limits);
    assert_int_equal(a->input_stays_open, b->input_stays_open);
    assert_int_equal(a->streaming, b->streaming);
    assert_int_equal(a->tty, b->tty);
    assert_int_equal(a->passing, b->passing);
    assert_int_equal(a->ends_unattended, b->ends_unattended);
    assert_int_equal(a->unattended_ms, b->unattended_ms);
    assert_int_equal(a->owner, b->owner);
    assert_int_equal(a->lane, b->lane);
    assert_int_equal(a->tenant, b->tenant);
    assert_true(slice_equal(a->note, b->note));
    assert_string_equal(a->artifacts, b->artifacts);
    assert_int_equal(a->recorded, b->recorded);
}

static struct buf encode(const struct run_spec *spec, bool contents)
{
    struct err err = {0};
    struct buf text;
    buf_init(&text, JOB_MAX_BYTES);
    if (job_encode(&header, spec, contents, &text, &err) < 0)
        fail_msg("%s", err.text);
    return text;
}

static struct job decode(struct slice text)
{
    struct err err = {0};
    struct job job;
    if (job_decode(text, catalogue, &job, &err) < 0)
        fail_msg("%s: %.*s", err.text, (int)MIN(text.len, (size_t)1000), text.at);
    return job;
}

static void a_job_comes_out_as_it_went_in(void **state)
{
    (void)state;
    struct run_spec spec = whole_spec();
    struct buf text = encode(&spec, true);
    struct job job = decode(buf_slice(&text));
    assert_string_equal(job.header.id, header.id);
    assert_string_equal(job.spec.id, header.id);
    assert_string_equal(job.header.front, header.front);
    assert_int_equal(job.header.submitted_ms, header.submitted_ms);
    assert_int_equal(job.header.lane, LANE_HIGH);
    assert_true(job.header.aside);
    assert_true(job.has_contents);
    assert_rest_equal(&job.spec, &spec);
    assert_contents_equal(&job.spec, &spec);
    job_fini(&job);
    buf_fini(&text);
}

static void what_is_shown_of_a_job_has_no_contents(void **state)
{
    (void)state;
    struct run_spec spec = whole_spec();
    struct buf text = encode(&spec, false);
    struct job job = decode(buf_slice(&text));
    assert_null(strstr(buf_text(&text), "print"));
    assert_false(job.has_contents);
    assert_int_equal(job.spec.file_count, 0);
    assert_rest_equal(&job.spec, &spec);
    job_fini(&job);
    buf_fini(&text);
}

static void a_small_job_is_a_small_text(void **state)
{
    (void)state;
    struct run_spec spec = {.language = catalogue_find(catalogue, slice_of("node")),
                            .source = {"1", 1},
                            .lane = LANE_HIGH};
    struct buf text = encode(&spec, true);
    assert_string_equal(buf_text(&text),
                        "{\"fleet_version\":1,\"id\":\"0b9d5b5e-7c1f-4f0e-9d0a-1f2e3d4c5b6a\","
                        "\"front\":\"front-1\",\"submitted_ms\":1790000000123,"
                        "\"lane\":\"high\",\"aside\":true,\"language\":\"javascript\","
                        "\"profile\":\"batch\",\"limits\":{},\"source\":\"1\",\"input\":\"\"}");
    struct job job = decode(buf_slice(&text));
    assert_true(job.has_contents);
    assert_null(job.spec.entry_file);
    assert_null(job.spec.args);
    assert_null(job.spec.artifacts);
    assert_int_equal(job.spec.note.len, 0);
    job_fini(&job);
    buf_fini(&text);
}

static void what_is_large_is_refused_and_what_is_not_fits(void **state)
{
    (void)state;
    static const char fillers[] = {'a', '\n', '\xff'};
    struct run_spec spec = {.language = catalogue_find(catalogue, slice_of("c"))};
    char *bytes = malloc(JOB_FILES_MAX_BYTES + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < ARRAY_LEN(fillers); i++) {
        memset(bytes, fillers[i], JOB_FILES_MAX_BYTES + 1);
        spec.source = (struct slice){bytes, JOB_FILES_MAX_BYTES};
        struct buf text = encode(&spec, true);
        struct job job = decode(buf_slice(&text));
        assert_true(slice_equal(job.spec.source, spec.source));
        job_fini(&job);
        buf_clear(&text);
        struct err err = {0};
        spec.input = (struct slice){"x", 1};
        assert_int_equal(job_encode(&header, &spec, true, &text, &err), -1);
        assert_int_equal(err.code, ERR_TOO_LARGE);
        assert_int_equal(job_encode(&header, &spec, false, &text, &err), 0);
        spec.input = (struct slice){0};
        buf_fini(&text);
    }
    free(bytes);
}

#define START "{\"fleet_version\":1,"
#define NAMES "\"id\":\"i\",\"front\":\"f\",\"language\":\"c\",\"profile\":\"runs\""

static void what_is_no_job_is_refused_by_its_field(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *field;
        enum err_code code;
    } rows[] = {
        {"", "", ERR_INVALID},
        {"[]", "", ERR_INVALID},
        {"{\"id\":\"i\"}", "fleet_version", ERR_INVALID},
        {"{\"fleet_version\":2," NAMES "}", "", ERR_MISMATCH},
        {"{\"fleet_version\":1.0," NAMES "}", "fleet_version", ERR_INVALID},
        {START "\"front\":\"f\",\"language\":\"c\",\"profile\":\"runs\"}", "id", ERR_INVALID},
        {START "\"id\":\"\"}", "id", ERR_INVALID},
        {START "\"id\":\"a b\"}", "id", ERR_INVALID},
        {START "\"id\":\"a\\n\"}", "id", ERR_INVALID},
        {START "\"id\":7}", "id", ERR_INVALID},
        {START "\"id\":\"0123456789012345678901234567890123456789\"}", "id", ERR_INVALID},
        {START "\"id\":\"i\",\"language\":\"cobol\"}", "language", ERR_INVALID},
        {START "\"id\":\"i\"}", "language", ERR_INVALID},
        {START "\"id\":\"i\",\"language\":\"c\"}", "profile", ERR_INVALID},
        {START "\"id\":\"i\",\"language\":\"c\",\"profile\":\"compile\"}", "profile", ERR_INVALID},
        {START NAMES ",\"lane\":\"fast\"}", "lane", ERR_INVALID},
        {START NAMES ",\"submitted_ms\":-1}", "submitted_ms", ERR_INVALID},
        {START NAMES ",\"submitted_ms\":1.5}", "submitted_ms", ERR_INVALID},
        {START NAMES ",\"submitted_ms\":5e0}", "submitted_ms", ERR_INVALID},
        {START NAMES ",\"owner\":\"18446744073709551616\"}", "owner", ERR_INVALID},
        {START NAMES ",\"owner\":\"-1\"}", "owner", ERR_INVALID},
        {START NAMES ",\"tty\":1}", "tty", ERR_INVALID},
        {START NAMES ",\"args\":\"a\"}", "args", ERR_INVALID},
        {START NAMES ",\"args\":[1]}", "args", ERR_INVALID},
        {START NAMES ",\"args\":[{\"base64\":\"AGE=\"}]}", "args", ERR_INVALID},
        {START NAMES ",\"source\":{\"base64\":\"*\"}}", "source", ERR_INVALID},
        {START NAMES ",\"source\":{\"base64\":\"AAA\"}}", "source", ERR_INVALID},
        {START NAMES ",\"source\":{}}", "source", ERR_INVALID},
        {START NAMES ",\"files\":{}}", "files", ERR_INVALID},
        {START NAMES ",\"files\":[5]}", "files", ERR_INVALID},
        {START NAMES ",\"files\":[{\"content\":\"\"}]}", "files", ERR_INVALID},
        {START NAMES ",\"folders\":[\"../\"]}", "folders", ERR_INVALID},
        {START NAMES ",\"folders\":[\"/\"]}", "folders", ERR_INVALID},
        {START NAMES ",\"folders\":[\"a\"]}", "folders", ERR_INVALID},
        {START NAMES ",\"artifacts\":\"a/../..\"}", "artifacts", ERR_INVALID},
        {START NAMES ",\"artifacts\":\"\"}", "artifacts", ERR_INVALID},
        {START NAMES ",\"limits\":{\"memory_mb\":-1}}", "limits.memory_mb", ERR_INVALID},
        {START NAMES ",\"limits\":{\"patience\":1}}", "limits.patience", ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct job job;
        struct err err = {0};
        if (job_decode(slice_of(rows[i].text), catalogue, &job, &err) == 0)
            fail_msg("row %zu was taken: %s", i, rows[i].text);
        if (err.code != rows[i].code || strcmp(err.field, rows[i].field) != 0)
            fail_msg("row %zu: '%s' %s", i, err.field, err.text);
    }
}

/* Blanks behind it are no mistake; what is longer is not even parsed. */
static void only_what_a_front_could_send_is_read(void **state)
{
    (void)state;
    static const char text[] = START NAMES "}";
    char *bytes = malloc(JOB_MAX_BYTES + 1);
    assert_non_null(bytes);
    memset(bytes, ' ', JOB_MAX_BYTES + 1);
    memcpy(bytes, text, sizeof text - 1);
    struct job job = decode((struct slice){bytes, JOB_MAX_BYTES});
    job_fini(&job);
    struct err err = {0};
    assert_int_equal(job_decode((struct slice){bytes, JOB_MAX_BYTES + 1}, catalogue, &job, &err),
                     -1);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    free(bytes);
}

static void what_is_not_known_is_passed_over(void **state)
{
    (void)state;
    struct job job = decode(
        slice_of(START NAMES ",\"colour\":[1,{}],\"files\":[],\"args\":null,\"lane\":null}"));
    assert_int_equal(job.header.lane, LANE_NORMAL);
    assert_false(job.header.aside);
    assert_false(job.has_contents);
    assert_int_equal(job.spec.file_count, 0);
    job_fini(&job);
}

static void a_job_is_renewed_with_all_that_it_has(void **state)
{
    (void)state;
    struct run_spec spec = whole_spec();
    struct run_spec unattended = spec;
    unattended.input_stays_open = unattended.ends_unattended = false;
    struct buf text = encode(&spec, true);
    for (int contents = 0; contents < 2; contents++) {
        struct err err = {0};
        struct buf renewed;
        buf_init(&renewed, JOB_MAX_BYTES);
        assert_int_equal(job_renew(buf_slice(&text), "again", 5, contents, &renewed, &err), 0);
        struct job job = decode(buf_slice(&renewed));
        assert_string_equal(job.spec.id, "again");
        assert_int_equal(job.header.submitted_ms, 5);
        assert_false(job.header.aside);
        assert_string_equal(job.header.front, header.front);
        assert_int_equal(job.has_contents, contents);
        assert_rest_equal(&job.spec, &unattended);
        if (contents)
            assert_contents_equal(&job.spec, &spec);
        job_fini(&job);
        buf_fini(&renewed);
    }
    buf_fini(&text);
}

static void a_summary_needs_no_catalogue(void **state)
{
    (void)state;
    struct job_summary summary;
    struct err err = {0};
    assert_int_equal(job_summarize(slice_of(START "\"id\":\"i\",\"front\":\"f\",\"lane\":\"low\","
                                                  "\"language\":\"cobol\"}"),
                                   &summary, &err),
                     0);
    assert_string_equal(summary.header.id, "i");
    assert_string_equal(summary.language, "cobol");
    assert_int_equal(summary.header.lane, LANE_LOW);
    assert_int_equal(job_summarize(slice_of("{\"id\":\"i\"}"), &summary, &err), -1);
}

static void many_small_pieces_have_their_room(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, JOB_MAX_BYTES);
    buf_add_text(&text, START NAMES ",\"args\":[");
    for (size_t i = 0; i < 1000; i++)
        buf_add_text(&text, "{\"base64\":\"\"},{\"base64\":\"YQ==\"},");
    buf_add_text(&text, "\"\"]}");
    struct job job = decode(buf_slice(&text));
    assert_string_equal(job.spec.args[1998], "");
    assert_string_equal(job.spec.args[1999], "a");
    assert_string_equal(job.spec.args[2000], "");
    assert_null(job.spec.args[2001]);
    job_fini(&job);
    buf_fini(&text);
}

static void only_what_nobody_types_into_begins_again(void **state)
{
    (void)state;
    assert_true(job_is_batch(&(struct run_spec){.streaming = true}));
    assert_false(job_is_batch(&(struct run_spec){.input_stays_open = true}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_comes_out_as_it_went_in),
        cmocka_unit_test(what_is_shown_of_a_job_has_no_contents),
        cmocka_unit_test(a_small_job_is_a_small_text),
        cmocka_unit_test(what_is_large_is_refused_and_what_is_not_fits),
        cmocka_unit_test(what_is_no_job_is_refused_by_its_field),
        cmocka_unit_test(only_what_a_front_could_send_is_read),
        cmocka_unit_test(what_is_not_known_is_passed_over),
        cmocka_unit_test(a_job_is_renewed_with_all_that_it_has),
        cmocka_unit_test(a_summary_needs_no_catalogue),
        cmocka_unit_test(many_small_pieces_have_their_room),
        cmocka_unit_test(only_what_nobody_types_into_begins_again),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
