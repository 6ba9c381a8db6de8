/* SPDX-License-Identifier: MIT */
/* The body of POST /v1/runs, from its bytes to the description of a run. What is refused
 * names why; what is taken is whole. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/runs.h"
#include "dialect/runs_request.h"
#include "language/language.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct runs runs;

static void set_up(void)
{
    struct catalogue *catalogue = catalogue_new();
    struct err err;
    int rc = catalogue ? catalogue_load_builtin(catalogue, &err) : -1;
    assert(rc == 0);
    runs.catalogue = catalogue;
    runs.hooks = (struct runs_hooks *)(uintptr_t)1; /* there are some; nothing is called */
    runs.max_file_bytes = 10 * MIB;
}

static void check_spec(const struct runs_request *request)
{
    static const char zeros[8];
    struct slice uploads[256];
    struct run_spec spec;
    void *block = NULL;
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(uploads); i++)
        uploads[i] = (struct slice){zeros, sizeof zeros};
    if (runs_request_spec(&runs, request, uploads, &spec, &block, &err) == 0) {
        assert(spec.language && spec.source.at && spec.recorded);
        for (size_t i = 0; i < spec.file_count; i++)
            assert(spec.files[i].path && !strstr(spec.files[i].path, "/../"));
    } else {
        assert(err.text[0]);
    }
    free(block);
}

static void read_body(struct slice text, bool waits)
{
    struct runs_request request;
    struct err err = {0};
    auto_json json_t *body = json_read_object(text, &err);
    if (!body) {
        assert(err.text[0]);
        return;
    }
    if (runs_request_read(&runs, body, waits, &request, &err) == 0)
        check_spec(&request);
    else
        assert(err.text[0]);
    runs_request_fini(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice text = {(const char *)bytes, size};
    if (!runs.catalogue)
        set_up();
    read_body(text, true);
    read_body(text, false);
    return 0;
}
