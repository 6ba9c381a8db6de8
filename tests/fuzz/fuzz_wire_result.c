/* SPDX-License-Identifier: MIT */
/* The result of a run, from its JSON and back: what is taken is whole, and is written
 * alike the second time. */
#include <assert.h>
#include <stdint.h>

#include "fleet/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_arrays(const struct job_result *result)
{
    for (size_t i = 0; i < result->artifact_count; i++)
        assert(result->artifacts[i].path && result->artifacts[i].fd == -1);
    for (size_t i = 0; i < result->event_count; i++)
        assert(result->events[i].number > 0 && result->events[i].kind <= EVENT_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct job_result result;
    struct job_result again;
    struct err err = {0};
    if (result_decode((struct slice){(const char *)bytes, size}, &result, &err) < 0) {
        assert(err.text[0]);
        return 0;
    }
    check_arrays(&result);
    assert(result.id[0] && result.result.verdict < VERDICT_COUNT);
    auto_buf struct buf first;
    auto_buf struct buf second;
    buf_init(&first, RESULT_MAX_BYTES);
    buf_init(&second, RESULT_MAX_BYTES);
    int rc = result_encode(&result, true, &first);
    assert(rc == 0);
    rc = result_decode(buf_slice(&first), &again, &err);
    assert(rc == 0);
    rc = result_encode(&again, true, &second);
    assert(rc == 0 && slice_equal(buf_slice(&first), buf_slice(&second)));
    result_fini(&result);
    result_fini(&again);
    return 0;
}
