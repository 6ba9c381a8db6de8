/* SPDX-License-Identifier: MIT */
/* A job, from its JSON and back: what is taken is whole, and is written alike the second
 * time. */
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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!catalogue)
        set_up();
    auto_buf struct buf first = round_trip((struct slice){(const char *)bytes, size}, false);
    if (first.len == 0)
        return 0;
    auto_buf struct buf second = round_trip(buf_slice(&first), true);
    assert(slice_equal(buf_slice(&first), buf_slice(&second)));
    return 0;
}
