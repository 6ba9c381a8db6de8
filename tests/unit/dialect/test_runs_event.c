/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/buf.h"
#include "dialect/runs_event.h"
#include "engine/engine.h"

static void events_are_written_to_the_byte(void **state)
{
    (void)state;
    static const struct {
        struct event event;
        const char *text;
    } rows[] = {
        {{.number = 1, .kind = EVENT_STATE, .state = RUN_QUEUED, .attempt = 1},
         "{\"n\":1,\"t\":0,\"type\":\"state\",\"state\":\"queued\"}"},
        {{.number = 9, .time_ms = 7, .kind = EVENT_STATE, .state = RUN_QUEUED, .attempt = 2},
         "{\"n\":9,\"t\":7,\"type\":\"state\",\"state\":\"queued\",\"attempt\":2}"},
        {{.number = 10, .time_ms = 8, .kind = EVENT_STDOUT, .attempt = 2, .bytes = {"hi", 2}},
         "{\"n\":10,\"t\":8,\"type\":\"stdout\",\"data\":\"hi\"}"},
        {{.number = 11, .time_ms = 9, .kind = EVENT_USAGE, .cpu_ms = 3, .memory_bytes = 4},
         "{\"n\":11,\"t\":9,\"type\":\"usage\",\"cpu_ms\":3,\"memory_bytes\":4}"},
        {{.number = 12, .time_ms = 9, .kind = EVENT_GAP, .lost_bytes = 5},
         "{\"n\":12,\"t\":9,\"type\":\"gap\",\"lost_bytes\":5}"},
    };
    static const struct runs_outcome none;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_buf struct buf text;
        buf_init(&text, RUNS_EVENT_MAX);
        runs_event_write(&text, &rows[i].event, &none);
        assert_string_equal(buf_text(&text), rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_written_to_the_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
