/* SPDX-License-Identifier: MIT */
/* Messages of the code-execution form: whatever producers and runners of others put into
 * the broker is refused with a reason, or whole. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "fleet/foreign.h"
#include "language/language.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct catalogue *catalogue;

static void set_up(void)
{
    struct catalogue *builtin = catalogue_new();
    struct err err;
    int rc = builtin ? catalogue_load_builtin(builtin, &err) : -1;
    assert(rc == 0);
    catalogue = builtin;
}

/* What goes back to the queue is taken again, and the program is the same. */
static void check_job(const struct foreign_job *job)
{
    struct foreign_job again;
    struct err err = {0};
    auto_buf struct buf text;
    buf_init(&text, FOREIGN_JOB_MAX_BYTES);
    assert(strlen(job->id) < RUN_ID_SIZE && job->spec.language && job->spec.source.at);
    int rc = foreign_job_encode(job, &text, &err);
    assert(rc == 0);
    rc = foreign_job_decode(buf_slice(&text), catalogue, &again, &err);
    assert(rc == 0 && slice_equal(again.spec.source, job->spec.source));
    foreign_job_fini(&again);
}

static void read_job(struct slice text)
{
    struct foreign_job job;
    struct err err = {0};
    if (foreign_job_decode(text, catalogue, &job, &err) == 0)
        check_job(&job);
    else
        assert(err.text[0]);
    foreign_job_fini(&job);
}

static void read_answers(struct slice text)
{
    struct foreign_result result;
    struct foreign_line line;
    struct err err = {0};
    if (foreign_result_decode(text, &result, &err) == 0) {
        struct run_result end = foreign_result_end(&result);
        assert(result.id[0] && end.reason[0]);
        foreign_result_fini(&result);
    }
    if (foreign_line_decode(text, &line, &err) == 0) {
        assert(line.id[0] && line.line.at);
        foreign_line_fini(&line);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice text = {(const char *)bytes, size};
    if (!catalogue)
        set_up();
    read_job(text);
    read_answers(text);
    return 0;
}
