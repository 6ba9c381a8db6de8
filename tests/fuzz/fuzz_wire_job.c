/* SPDX-License-Identifier: MIT */
/* A job, from its JSON and back: what is taken is whole, and is written alike the second
 * time. What lists show of it and what is sent once more in its place are of the same job. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "fleet/wire.h"
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

static void check_spec(const struct run_spec *spec)
{
    const char *const *const lists[] = {spec->args, spec->compile_args, spec->env, spec->folders};
    assert(spec->language && spec->profile < PROFILE_COMPILE && spec->lane < LANES);
    assert(spec->id && spec->id[0] && strlen(spec->id) < RUN_ID_SIZE);
    for (size_t i = 0; i < spec->file_count; i++)
        assert(spec->files[i].path);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        for (const char *const *text = lists[i]; text && *text; text++)
            assert(strlen(*text) < SIZE_MAX);
    }
}

/* Empty when it was refused. */
static struct buf round_trip(struct slice text, bool must)
{
    struct buf written;
    struct job job;
    struct err err = {0};
    buf_init(&written, JOB_MAX_BYTES);
    if (job_decode(text, catalogue, &job, &err) < 0) {
        assert(err.text[0] && !must);
        return written;
    }
    check_spec(&job.spec);
    int rc = job_encode(&job.header, &job.spec, job.has_contents, &written, &err);
    assert(rc == 0);
    job_fini(&job);
    return written;
}

/* Whatever says which job it is can be listed; and all that is taken says so. */
static void check_summary(struct slice text, bool must)
{
    struct job_summary summary;
    struct err err = {0};
    if (job_summarize(text, &summary, &err) < 0) {
        assert(err.text[0] && !must);
        return;
    }
    assert(summary.header.id[0] && strlen(summary.header.id) < RUN_ID_SIZE);
    assert(strlen(summary.header.front) < NODE_NAME_SIZE && summary.header.lane < LANES);
    assert(strlen(summary.language) < sizeof summary.language && (summary.language[0] || !must));
}

static void check_renewed(struct slice text, bool must, bool contents)
{
    static const char id[] = "00000000-0000-4000-8000-000000000000";
    struct job_summary summary;
    struct job job;
    struct err err = {0};
    auto_buf struct buf renewed;
    buf_init(&renewed, (size_t)2 * JOB_MAX_BYTES);
    if (job_renew(text, id, 1, contents, &renewed, &err) < 0) {
        assert(err.text[0] && !must);
        return;
    }
    if (job_summarize(buf_slice(&renewed), &summary, &err) == 0)
        assert(strcmp(summary.header.id, id) == 0 && summary.header.submitted_ms == 1 &&
               !summary.header.aside);
    if (!must)
        return;
    int rc = job_decode(buf_slice(&renewed), catalogue, &job, &err);
    assert(rc == 0 && !job.spec.input_stays_open && job.has_contents <= contents);
    job_fini(&job);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct slice text = {(const char *)bytes, size};
    if (!catalogue)
        set_up();
    auto_buf struct buf first = round_trip(text, false);
    check_summary(text, first.len > 0);
    check_renewed(text, first.len > 0, true);
    check_renewed(text, first.len > 0, false);
    if (first.len == 0)
        return 0;
    auto_buf struct buf second = round_trip(buf_slice(&first), true);
    assert(slice_equal(buf_slice(&first), buf_slice(&second)));
    return 0;
}
