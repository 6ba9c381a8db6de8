/* SPDX-License-Identifier: MIT */
/* How much work a list of jobs makes, over an engine and records that are the test's own. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "codec/json_write.h"
#include "dialect/jobs.h"
#include "dialect/jobs_note.h"
#include "dialect/jobs_record.h"
#include "dialect/jobs_request.h"

enum { RUNS = 100 };
#define ROOM (16 * MIB)

struct http_request {
    bool others_wait; /* there is room for short answers only */
    bool is_refused;
    size_t len; /* of what was answered */
    char body[ROOM + 64 * KIB + 1];
};

/* By the order in which they were made. */
struct run {
    size_t number;
};

static struct run runs[RUNS];
static size_t sizes[RUNS]; /* of their records; 0: there is nothing to tell */
static size_t told;        /* records that were written */
static size_t written;     /* bytes of them */

/* --- the engine and the records, as far as they are asked --- */

void engine_each(const struct engine *engine, void (*each)(void *context, struct run *run),
                 void *context)
{
    (void)engine;
    for (size_t i = 0; i < RUNS; i++)
        each(context, &runs[i]);
}

void engine_list(struct engine *engine, size_t max,
                 void (*listed)(void *context, const char *ids, size_t count), void *context)
{
    (void)engine, (void)max;
    listed(context, NULL, 0);
}

struct run *engine_find(struct engine *engine, const char *id)
{
    (void)engine, (void)id;
    return NULL;
}

void engine_look_up(struct engine *engine, const char *id,
                    void (*found)(void *context, struct run *run), void *context)
{
    (void)engine, (void)id;
    found(context, NULL);
}

struct slice run_note(const struct run *run)
{
    return (struct slice){(const char *)run, sizeof *run};
}

bool jobs_note_read(struct slice text, struct jobs_note *ret_note)
{
    *ret_note = (struct jobs_note){.created_ms = 1 + ((const struct run *)text.at)->number};
    return true;
}

bool jobs_may_see(const struct http_request *request, const struct run *run,
                  struct jobs_note *ret_note)
{
    (void)request;
    return jobs_note_read(run_note(run), ret_note);
}

bool jobs_record_write(struct json *json, struct jobs *jobs, struct run *run,
                       const struct jobs_note *note)
{
    (void)jobs, (void)note;
    size_t size = sizes[run->number];
    if (size == 0)
        return false;
    char *text = malloc(size);
    memset(text, 'x', size);
    json_open_object(json, NULL);
    json_u64(json, "number", run->number);
    json_slice(json, "text", (struct slice){text, size});
    json_close_object(json);
    free(text);
    told++;
    written += json->buf->len;
    return true;
}

void jobs_answer_err(struct http_request *request, const struct jobs *jobs, const struct err *err)
{
    (void)request, (void)jobs, (void)err;
    abort();
}

void http_on_gone(struct http_request *request, void (*gone)(void *context), void *context)
{
    (void)request, (void)gone, (void)context;
}

bool http_may_answer(const struct http_request *request, size_t len)
{
    return len < HTTP_ANSWER_LONG || !request->others_wait;
}

void http_refuse_long(struct http_request *request)
{
    request->is_refused = true;
}

void http_reply_take(struct http_request *request, int status, const char *content_type,
                     struct buf *body)
{
    (void)content_type;
    assert_int_equal(status, 200);
    assert_false(body->failed);
    assert_true(http_may_answer(request, body->len));
    request->len = body->len;
    memcpy(request->body, buf_text(body), body->len + 1);
    buf_fini(body);
}

/* --- the tests --- */

static struct http_request *request;

static int prepare(void **state)
{
    (void)state;
    request = calloc(1, sizeof *request);
    for (size_t i = 0; i < RUNS; i++) {
        runs[i].number = i;
        sizes[i] = 10;
    }
    told = written = 0;
    return request ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    free(request);
    return 0;
}

static void ask(void)
{
    struct jobs jobs = {0};
    jobs_handle_list(request, &jobs);
}

static void test_short_ones_are_all_told(void **state)
{
    (void)state;
    sizes[50] = 0;
    ask();
    assert_int_equal(told, RUNS - 1);
    assert_non_null(strstr(request->body, "\"count\":99}"));
}

static void test_no_more_are_written_than_there_is_room_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < RUNS; i++)
        sizes[i] = 6 * MIB;
    ask();
    assert_non_null(strstr(request->body, "\"count\":2,\"more\":true}"));
    assert_non_null(strstr(request->body, "\"number\":99"));
    assert_non_null(strstr(request->body, "\"number\":98"));
    assert_int_equal(told, 3); /* and the one that did not fit */
    assert_true(written <= ROOM);
}

static void test_older_ones_do_not_stand_for_one_that_is_too_long(void **state)
{
    (void)state;
    sizes[97] = ROOM + 1;
    ask();
    assert_non_null(strstr(request->body, "\"count\":2,\"more\":true}"));
    assert_int_equal(told, 3);
    assert_true(written <= ROOM);
}

static void test_a_long_one_that_has_no_room_is_not_written(void **state)
{
    (void)state;
    request->others_wait = true;
    for (size_t i = 0; i < RUNS; i++)
        sizes[i] = 100 * KIB;
    ask();
    assert_true(request->is_refused);
    assert_int_equal(request->len, 0);
    assert_true(written <= HTTP_ANSWER_LONG);
}

static void test_for_a_short_one_there_is_always_room(void **state)
{
    (void)state;
    request->others_wait = true;
    ask();
    assert_false(request->is_refused);
    assert_int_equal(told, RUNS);
    assert_non_null(strstr(request->body, "\"count\":100}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_short_ones_are_all_told, prepare, clean),
        cmocka_unit_test_setup_teardown(test_no_more_are_written_than_there_is_room_for, prepare,
                                        clean),
        cmocka_unit_test_setup_teardown(test_older_ones_do_not_stand_for_one_that_is_too_long,
                                        prepare, clean),
        cmocka_unit_test_setup_teardown(test_a_long_one_that_has_no_room_is_not_written, prepare,
                                        clean),
        cmocka_unit_test_setup_teardown(test_for_a_short_one_there_is_always_room, prepare, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
