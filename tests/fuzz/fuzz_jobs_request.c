/* SPDX-License-Identifier: MIT */
/* The body of POST /api/execute, as JSON and as a form, to a job's note and back; and bytes
 * that are taken for a note. What is refused names why; what is taken is whole. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "dialect/jobs.h"
#include "dialect/jobs_note.h"
#include "dialect/jobs_request.h"
#include "dialect/request_form.h"
#include "language/language.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *const dependencies[] = {"python:numpy", "nodejs:fs", NULL};
static struct jobs jobs = {.dependencies = dependencies};

static void set_up(void)
{
    struct catalogue *catalogue = catalogue_new();
    struct err err;
    int rc = catalogue ? catalogue_load_builtin(catalogue, &err) : -1;
    assert(rc == 0);
    jobs.catalogue = catalogue;
}

static void check_note(const struct jobs_request *request)
{
    struct jobs_note note;
    auto_buf struct buf text;
    auto_buf struct buf whole;
    auto_free struct jobs_analysis *analysis = jobs_analyse(request->source);
    buf_init(&text, JOBS_NOTE_MAX);
    buf_init(&whole, 2 * JOBS_NOTE_MAX);
    jobs_note_write(&text, request, 1, analysis);
    assert(!text.failed);
    bool is_read = jobs_note_read(buf_slice(&text), &note);
    assert(is_read);
    buf_add_format(&whole, "{%.*s,%.*s,%.*s}", (int)note.asked.len, note.asked.at,
                   (int)note.more.len, note.more.at, (int)note.analysis.len, note.analysis.at);
    auto_json json_t *told = json_read_object(buf_slice(&whole), NULL);
    assert(told);
}

static void check_body(const json_t *body)
{
    struct jobs_request request;
    struct err err = {0};
    enum jobs_refusal refusal = jobs_request_read(&jobs, body, &request, &err);
    if (refusal == JOBS_TAKEN)
        check_note(&request);
    assert(refusal != JOBS_OTHER || err.text[0]);
    jobs_request_fini(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice text = {(const char *)bytes, size};
    struct jobs_note note;
    struct err err = {0};
    if (!jobs.catalogue)
        set_up();
    auto_json json_t *body = json_read_object(text, &err);
    assert(body || err.text[0]);
    if (body)
        check_body(body);
    auto_json json_t *form = request_read_form(text, &err);
    assert(form || err.text[0]);
    if (form && jobs_request_from_form(form, &err) == 0)
        check_body(form);
    (void)jobs_note_read(text, &note);
    return 0;
}
