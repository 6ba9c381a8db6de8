/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "codec/json_read.h"

static void bad_texts_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *field;
        const char *words;
    } rows[] = {
        {"", "", "the JSON text is empty"},
        {" \n\t", "", "the JSON text is empty"},
        {"\xEF\xBB\xBF{}", "", "byte order mark"},
        {"[]", "", "must be an object"},
        {"\"code\"", "", "must be an object"},
        {"null", "", "must be an object"},
        {"{\"a\":1", "", "ends too early, at line 1, column 6"},
        {"{} {}", "", "behind the JSON value, at line 1, column 4"},
        {"{}x", "", "behind the JSON value, at line 1, column 3"},
        {"{\n \"a\": nul}", "", "line 2, column "},
        {"{\"a\":NaN}", "", "line 1, column "},
        {"{\"a\":Infinity}", "", "line 1, column "},
        {"{\"a\":01}", "", "line 1, column "},
        {"{\"a\":+1}", "", "line 1, column "},
        {"{\"a\":1,}", "", "line 1, column "},
        {"{'a':1}", "", "line 1, column "},
        {"{\"a\":1 /* why */}", "", "line 1, column "},
        {"{\"a\":\"\\x41\"}", "", "line 1, column "},
        {"{\"a\":\"\\ud800\"}", "", "line 1, column "},
        {"{\"a\":\"\\udc00\\ud800\"}", "", "line 1, column "},
        {"{\"a\":\"\n\"}", "", "line 1, column "},
        {"{\"a\":\"\xFF\"}", "", "is not UTF-8 at line 1, column "},
        {"{\"a\":\"\xED\xA0\x80\"}", "", "is not UTF-8 at line 1, column "},
        {"{\"a\":1e999}", "a", "a is too large a number (line 1, column "},
        {"{\"l\":{\"a\":-1e999}}", "l.a", "l.a is too large a number"},
        {"{\"l\":{\"b\":1,\"t\":18446744073709551617}}", "l.t", "l.t is too large a number"},
        {"{\"t\":99999999999999999999999999999999}", "t", "t is too large a number"},
        {"{\"a\":1,\"a\":2}", "a", "a is given twice (line 1, column "},
        {"{\"f\":[{},{\"b\":1,\"c\":[],\"b\":2}]}", "f[1].b", "f[1].b is given twice"},
        {"{\"code\":\"a\\u0000b\"}", "code", "code holds the character U+0000"},
        {"{\"f\":[[1,\"]\\\"\"],{\"x\":\"y\",\"code\":\"\\u0000\"}]}", "f[1].code",
         "f[1].code holds the character U+0000"},
        {"{\"args\":[\"a\",\"b\\u0000\"]}", "args[1]", "args[1] holds the character U+0000"},
        {"{\"a\\u0000b\":1}", "a\\u0000b", "a\\u0000b holds the character U+0000"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        auto_json json_t *json = json_read_object(slice_of(rows[i].text), &err);
        if (json || err.code != ERR_INVALID || strcmp(err.field, rows[i].field) != 0 ||
            !strstr(err.text, rows[i].words) || strpbrk(err.text, "\n\t"))
            fail_msg("%s: field '%s', text '%s'", rows[i].text, err.field, err.text);
        assert_null(json_read_object(slice_of(rows[i].text), NULL));
    }
}

static void the_lenient_readers_take_nul_and_half_a_character(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct slice a; /* what is read of it; NULL: refused */
    } rows[] = {
        {"{\"a\":\"x\\u0000y\"}", {"x\0y", 3}},
        {"{\"a\":\"\\u0000\"}", {"\0", 1}},
        {"{\"a\":\"\\ud83d\"}", {"\xEF\xBF\xBD", 3}},
        {"{\"a\":\"\\ude00\\ud83d\\ude00\"}", {"\xEF\xBF\xBD\xF0\x9F\x98\x80", 7}},
        {"{\"a\":\"\\ud83d\\u0000\"}", {"\xEF\xBF\xBD\0", 4}},
        {"{\"a\":\"plain\"}", {"plain", 5}},
        {"{\"a\\u0000\":\"x\"}", {0}},
        {"{\"a\":\"\\ud83\"}", {0}},
        {"{\"a\":\"x\",\"a\":\"y\"}", {0}},
        {"{\"\\ud800\":1,\"\\udc00\":2}", {0}}, /* the same, when both are U+FFFD */
        {"{\"a\":\"\xED\xA0\x80\"}", {0}},
        {"[\"a\"]", {0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        struct slice text = {0};
        auto_json json_t *json = json_read_lenient_object(slice_of(rows[i].text), &err);
        if ((json != NULL) != (rows[i].a.at != NULL))
            fail_msg("%s: %s", rows[i].text, err.text);
        if (!json)
            continue;
        assert_int_equal(json_read_text(json, "a", &text, &err), 1);
        assert_true(slice_equal(text, rows[i].a));
        assert_int_equal(text.at[text.len], 0);
    }
    auto_json json_t *array = json_read_lenient_array(slice_of("[\"\\udc00\"]"), NULL);
    assert_int_equal(json_array_size(array), 1);
    assert_null(json_read_lenient_array(slice_of("{}"), NULL));
}

static void an_array_at_the_top_is_read_where_one_is_asked_for(void **state)
{
    (void)state;
    struct err err = {0};
    auto_json json_t *array = json_read_array(slice_of("[1,[]]"), &err);
    assert_int_equal(json_array_size(array), 2);
    assert_null(json_read_array(slice_of("{}"), &err));
    assert_non_null(strstr(err.text, "must be an array"));
    assert_null(json_read_array(slice_of("[1,]"), &err));
    assert_non_null(strstr(err.text, "line 1, column "));
}

static void a_raw_nul_does_not_end_the_text(void **state)
{
    (void)state;
    struct err err = {0};
    assert_null(json_read_object((struct slice){"{}\0", 3}, &err));
    assert_null(json_read_object((struct slice){"{\"a\":\"\0\"}", 9}, &err));
    assert_null(json_read_object((struct slice){"\0{}", 3}, &err));
    assert_null(json_read_object((struct slice){NULL, 0}, &err));
    assert_string_equal(err.text, "the JSON text is empty");
}

static json_t *read_nested(const char *open, const char *close, size_t depth, struct err *err)
{
    auto_buf struct buf text;
    buf_init(&text, 64 * MIB);
    buf_add_text(&text, "{\"a\":");
    for (size_t i = 1; i < depth; i++)
        buf_add_text(&text, open);
    buf_add_text(&text, "1");
    for (size_t i = 1; i < depth; i++)
        buf_add_text(&text, close);
    buf_add_text(&text, "}");
    assert_false(text.failed);
    return json_read_object(buf_slice(&text), err);
}

static void depth_is_bounded_before_anything_recurses(void **state)
{
    (void)state;
    struct err err = {0};
    auto_json json_t *deep_enough = read_nested("[", "]", 32, &err);
    assert_non_null(deep_enough);
    assert_null(read_nested("[", "]", 33, &err));
    assert_string_equal(err.text, "the JSON text nests deeper than 32 levels at line 1, column 37");
    assert_null(read_nested("{\"a\":", "}", 33, &err));
    assert_non_null(strstr(err.text, "nests deeper"));

    /* A stack too small for a recursion: a crash is the failure. */
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_STACK, &before), 0);
    struct rlimit small = {MIN(256 * KIB, before.rlim_max), before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_STACK, &small), 0);
    assert_null(read_nested("[", "]", 1000000, &err));
    assert_null(read_nested("{\"a\":", "}", 1000000, &err));
    assert_int_equal(setrlimit(RLIMIT_STACK, &before), 0);
}

/* [PART,PART,…], or {"a":[…]}. */
static json_t *read_many(json_t *(*read)(struct slice text, struct err *err), const char *part,
                         size_t count, struct err *err)
{
    auto_buf struct buf text;
    bool is_array = read == json_read_array || read == json_read_lenient_array;
    buf_init(&text, 64 * MIB);
    buf_add_text(&text, is_array ? "[" : "{\"a\":[");
    for (size_t i = 0; i < count; i++) {
        buf_add_text(&text, i > 0 ? "," : "");
        buf_add_text(&text, part);
    }
    buf_add_text(&text, is_array ? "]" : "]}");
    assert_false(text.failed);
    return read(buf_slice(&text), err);
}

static void values_are_bounded_before_a_tree_is_made_of_them(void **state)
{
    (void)state;
    static const struct {
        const char *part;
        size_t parts;
    } rows[] = {
        {"{}", 1},
        {" [ ] ", 1},
        {"\"\"", 1},
        {"\",[{:1\\\"\"", 1},
        {"1", 1},
        {"-2.5e+3", 1},
        {"null", 1},
        {"{\"k\":true}", 3},
        {"[[\"x\", 7\n],{\"k\" : {\"l\":[]}}]", 9},
    };
    json_t *(*const readers[])(struct slice, struct err *) = {
        json_read_array, json_read_lenient_array, json_read_object, json_read_lenient_object,
        json_read_large_object};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t j = 0; j < ARRAY_LEN(readers); j++) {
            struct err err = {0};
            size_t most = readers[j] == json_read_large_object ? 4 * 65536 : 65536;
            size_t around = j < 2 ? 1 : 3; /* the array alone; or an object, its name, the array */
            size_t fit = (most - around) / rows[i].parts;
            auto_json json_t *json = read_many(readers[j], rows[i].part, fit, &err);
            assert_non_null(json);
            assert_null(read_many(readers[j], rows[i].part, fit + 1, &err));
            assert_int_equal(err.code, ERR_INVALID);
            assert_non_null(strstr(err.text, "values and names at line "));
        }
    }
    struct err err = {0};
    assert_null(read_many(json_read_array, "1", 65536, &err));
    assert_string_equal(err.text, "the JSON text has more than 65536 values and names at line 1, "
                                  "column 131072");
}

static void brackets_in_texts_are_not_depth(void **state)
{
    (void)state;
    auto_buf struct buf text;
    buf_init(&text, MIB);
    buf_add_text(&text, "{\"a\":\"\\\"");
    for (int i = 0; i < 1000; i++)
        buf_add_text(&text, "[{");
    buf_add_text(&text, "\\\\\",\"b\":[]}");
    struct err err = {0};
    auto_json json_t *json = json_read_object(buf_slice(&text), &err);
    assert_non_null(json);
}

/* Cuts and single changed bytes must neither crash nor hang, whatever they mean. */
static void damaged_texts_are_survived(void **state)
{
    (void)state;
    static const char good[] = "{\"files\":[{\"n\":\"a\\\"\\u00e9\",\"x\":[1,-2.5e3,{}]},null],"
                               "\"limits\":{\"cpus\":0.5,\"t\":18446744073709551615}}";
    char text[sizeof good];
    for (size_t cut = 0; cut < sizeof good; cut++) {
        struct err err = {0};
        assert_null(json_read_object((struct slice){good, cut}, &err));
        assert_true(err.text[0] != '\0');
    }
    for (size_t at = 0; at < sizeof good - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            struct err err = {0};
            memcpy(text, good, sizeof good);
            text[at] = (char)byte;
            auto_json json_t *json = json_read_object(slice_of(text), &err);
            assert_true(json || err.text[0] != '\0');
        }
    }
}

static void fields_are_taken_by_type(void **state)
{
    (void)state;
    struct err err = {0};
    auto_json json_t *json = json_read_object(
        slice_of(
            "{\"t\":\"gr\\u00fc\\ud83d\\ude00\",\"b\":true,\"c\":false,\"n\":42,\"w\":5.0,\"e\":"
            "1e3,\"z\":null,\"m\":9223372036854775807,\"neg\":-1,\"half\":0.5,\"big\":1e19,"
            "\"o\":{},\"a\":[]}"),
        &err);
    assert_non_null(json);
    struct slice text = {0};
    bool value = false;
    uint64_t number = 0;
    assert_int_equal(json_read_text(json, "t", &text, &err), 1);
    assert_true(slice_is(text, "gr\xC3\xBC\xF0\x9F\x98\x80"));
    assert_int_equal(json_read_text(json, "absent", &text, &err), 0);
    assert_int_equal(json_read_text(json, "z", &text, &err), 0);
    assert_int_equal(json_read_text(json, "n", &text, &err), -1);
    assert_string_equal(err.field, "n");
    assert_string_equal(err.text, "n must be a text, not a number");
    assert_int_equal(json_read_bool(json, "b", &value, &err), 1);
    assert_true(value);
    assert_int_equal(json_read_bool(json, "c", &value, &err), 1);
    assert_false(value);
    assert_int_equal(json_read_bool(json, "n", &value, &err), -1);
    assert_string_equal(err.text, "n must be true or false, not a number");

    static const struct {
        const char *field;
        int rc;
        uint64_t number;
        const char *words;
    } rows[] = {
        {"n", 1, 42, ""},
        {"w", 1, 5, ""},
        {"e", 1, 1000, ""},
        {"z", 0, 0, ""},
        {"m", 1, INT64_MAX, ""},
        {"neg", -1, 0, "neg must not be negative"},
        {"half", -1, 0, "half must be a whole number"},
        {"big", -1, 0, "big is too large a number"},
        {"t", -1, 0, "t must be a whole number, not a text"},
        {"b", -1, 0, "b must be a whole number, not true or false"},
        {"o", -1, 0, "o must be a whole number, not an object"},
        {"a", -1, 0, "a must be a whole number, not an array"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        number = 0;
        err = (struct err){0};
        assert_int_equal(json_read_u64(json, rows[i].field, &number, &err), rows[i].rc);
        assert_int_equal(number, rows[i].number);
        assert_string_equal(err.text, rows[i].words);
    }
}

static int read_limits(const char *text, struct limits *limits, struct err *err)
{
    auto_json json_t *json = json_read_object(slice_of(text), err);
    return json ? json_read_limits(json, "limits", limits, err) : -1;
}

static void limits_are_stored_in_their_units(void **state)
{
    (void)state;
    struct err err = {0};
    struct limits limits = {.value = {[LIMIT_STACK] = 5}};
    assert_int_equal(read_limits("{}", &limits, &err), 0);
    assert_int_equal(read_limits("{\"limits\":null}", &limits, &err), 0);
    assert_int_equal(limits.value[LIMIT_STACK], 5);
    assert_int_equal(read_limits("{\"limits\":{\"timeout_ms\":1500,\"cpus\":0.5,\"memory_mb\":64,"
                                 "\"processes\":8.0,\"idle_timeout_ms\":null}}",
                                 &limits, &err),
                     1);
    assert_int_equal(limits.value[LIMIT_WALL], 1500);
    assert_int_equal(limits.value[LIMIT_CPUS], 500);
    assert_int_equal(limits.value[LIMIT_MEMORY], 64 * MIB);
    assert_int_equal(limits.value[LIMIT_PROCESSES], 8);
    assert_int_equal(limits.value[LIMIT_IDLE], 0);
    assert_int_equal(limits.value[LIMIT_STACK], 0);
    assert_int_equal(read_limits("{\"limits\":{\"cpus\":0.333333}}", &limits, &err), 1);
    assert_int_equal(limits.value[LIMIT_CPUS], 333);
}

static void bad_limits_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *member;
        const char *words;
    } rows[] = {
        {"\"timeout_ms\":-1", "limits.timeout_ms must not be negative"},
        {"\"timeout_ms\":-0.5", "limits.timeout_ms must not be negative"},
        {"\"timeout_ms\":0", "limits.timeout_ms must be from 1 to 86400000"},
        {"\"timeout_ms\":86400001", "limits.timeout_ms must be from 1 to 86400000"},
        {"\"timeout_ms\":1.5", "limits.timeout_ms must be a whole number"},
        {"\"timeout_ms\":\"1500\"", "limits.timeout_ms must be a whole number, not a text"},
        {"\"timeout_ms\":\"NaN\"", "limits.timeout_ms must be a whole number, not a text"},
        {"\"timeout_ms\":true", "limits.timeout_ms must be a whole number, not true or false"},
        {"\"timeout_ms\":[1]", "limits.timeout_ms must be a whole number, not an array"},
        {"\"timeout_ms\":18446744073709551617", "limits.timeout_ms is too large a number"},
        {"\"timeout_ms\":1e19", "limits.timeout_ms is too large a number"},
        {"\"timeout_ms\":1e999", "limits.timeout_ms is too large a number"},
        {"\"timeout_ms\":1,\"timeout_ms\":2", "limits.timeout_ms is given twice"},
        {"\"memory_mb\":9223372036854775807", "limits.memory_mb must be from 4 to 1048576"},
        {"\"memory_mb\":17592186044480", "limits.memory_mb must be from 4 to 1048576"},
        {"\"workspace_mb\":0", "limits.workspace_mb must be from 1 to 65536"},
        {"\"cpus\":0.001", "limits.cpus must be from 0.01 to 1024"},
        {"\"cpus\":-1", "limits.cpus must be from 0.01 to 1024"},
        {"\"cpus\":1e300", "limits.cpus must be from 0.01 to 1024"},
        {"\"cpus\":\"1\"", "limits.cpus must be a number, not a text"},
        {"\"tmieout\\n_ms\":1", "limits has no 'tmieout?_ms'; there are timeout_ms, idle_"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[200];
        struct err err = {0};
        struct limits limits = {.value = {7}};
        (void)snprintf(text, sizeof text, "{\"limits\":{%s}}", rows[i].member);
        assert_int_equal(read_limits(text, &limits, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
        assert_int_equal(strncmp(err.field, "limits.", 7), 0);
        if (strncmp(err.text, rows[i].words, strlen(rows[i].words)) != 0)
            fail_msg("%s: %s", text, err.text);
        assert_int_equal(limits.value[0], 7);
    }
    struct err err = {0};
    struct limits limits;
    assert_int_equal(read_limits("{\"limits\":\"all\"}", &limits, &err), -1);
    assert_string_equal(err.text, "limits must be an object, not a text");
    assert_int_equal(read_limits("{\"limits\":{\"x\":1}}", &limits, &err), -1);
    for (enum limit limit = 0; limit < LIMIT_KINDS; limit++)
        assert_non_null(strstr(err.text, limit_info(limit)->json_name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_texts_are_refused_with_their_place),
        cmocka_unit_test(the_lenient_readers_take_nul_and_half_a_character),
        cmocka_unit_test(an_array_at_the_top_is_read_where_one_is_asked_for),
        cmocka_unit_test(a_raw_nul_does_not_end_the_text),
        cmocka_unit_test(depth_is_bounded_before_anything_recurses),
        cmocka_unit_test(values_are_bounded_before_a_tree_is_made_of_them),
        cmocka_unit_test(brackets_in_texts_are_not_depth),
        cmocka_unit_test(damaged_texts_are_survived),
        cmocka_unit_test(fields_are_taken_by_type),
        cmocka_unit_test(limits_are_stored_in_their_units),
        cmocka_unit_test(bad_limits_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
