/* SPDX-License-Identifier: MIT */
/* runs_start.c — POST /v1/runs: from the request to a run that nothing can lose.
 *
 *     read          the body, by its table
 *     look_back     with an Idempotency-Key: is it here already?
 *     take_uploads  rows, then bytes, of the uploaded files that it names
 *     accept        checked whole by the engine, then written into the store
 *     on_accepted   … which may know it already (Idempotency-Key); else it starts
 *     go            answered at once (wait=false), or at its end (runs_wait.h)
 *
 * The client may leave in every step. Until it is accepted nothing has happened then.
 * Between steps the store is asked, which may take its time, and a body is kept as it came: what
 * is read of it, a tree many times as large, is let go, and read again when it is needed. */
#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json_read.h"
#include "codec/json_write.h"
#include "dialect/request_answer.h"
#include "dialect/request_fields.h"
#include "dialect/request_idempotency.h"
#include "dialect/request_rate.h"
#include "dialect/request_tenant.h"
#include "dialect/runs.h"
#include "dialect/runs_record.h"
#include "dialect/runs_request.h"
#include "dialect/runs_wait.h"
#include "language/language.h"
#include "os/clock.h"
#include "os/random_id.h"
#include "store/content.h"
#include "store/store.h"

#define UPLOADS_BYTES_MAX (25 * MIB)
#define KEPT_REQUEST_MAX (256 * KIB)
#define ACCEPTED_MAX (256 * KIB)
#define BASE_MAX (4 * KIB)

struct start {
    const struct runs *runs;
    struct http_request *http; /* NULL: the client has left */
    uint64_t key;
    uint64_t tenant;
    bool waits;
    json_t *body; /* NULL: let go, and so is the request, which borrows from it */
    struct runs_request request;
    unsigned columns; /* of the terminal; 0: not said */
    unsigned rows;
    char id[RANDOM_ID_SIZE];
    char *idempotency_key; /* NULL: none */
    struct buf base;       /* of the links that a webhook will have */
    unsigned char digest[STORE_DIGEST_SIZE];
    struct buf accepted;
    uint64_t created_ms;
    /* uploads */
    char upload_ids[RUNS_UPLOADS_MAX][STORE_ID_SIZE];
    size_t upload_count;
    size_t uploads_known;
    uint64_t upload_bytes;
    bool refused;    /* answered; the last of the lookups frees */
    struct run *run; /* prepared */
};

static void let_go(struct start *start)
{
    runs_request_fini(&start->request);
    start->request = (struct runs_request){0};
    json_decref(take_ptr(&start->body));
}

static void start_free(struct start *start)
{
    if (start->http)
        http_on_gone(start->http, NULL, NULL);
    let_go(start);
    buf_fini(&start->accepted);
    buf_fini(&start->base);
    free(start->idempotency_key);
    free(start);
}

/* To be answered now; NULL when the client has left. */
static struct http_request *take_request(struct start *start)
{
    struct http_request *http = take_ptr(&start->http);
    if (http)
        http_on_gone(http, NULL, NULL);
    return http;
}

static void answer_err(struct start *start, const struct err *err)
{
    struct http_request *http = take_request(start);
    if (!http)
        return;
    request_add_retry_after(http, start->runs->engine, err);
    request_answer_err(http, err);
}

static void refuse(struct start *start, const struct err *err)
{
    answer_err(start, err);
    start_free(start);
}

/* A callback of the store's is still to come, which frees. */
static void on_gone(void *context)
{
    struct start *start = context;
    start->http = NULL;
}

/* --- accepted --- */

static void wait_for_end(struct start *start, struct run *run)
{
    runs_wait(start->runs, take_request(start), run,
              start->idempotency_key ? RUNS_CLIENT_RETURNS : RUNS_ENDS_WITH_CLIENT);
    start_free(start);
}

/* The same request was here before. */
static void answer_existing(struct start *start, const char *existing, bool same_request)
{
    const struct runs *runs = start->runs;
    struct run *run = engine_find(runs->engine, existing);
    struct err err;
    if (!same_request) {
        (void)err_set(&err, ERR_MISMATCH,
                      "this Idempotency-Key belongs to another request: use a new one");
        refuse(start, &err);
        return;
    }
    if (run && run_state(run) != RUN_FINISHED && start->waits) {
        wait_for_end(start, run);
        return;
    }
    if (!run && start->waits)
        runs_wait_stored(runs, take_request(start), existing);
    else
        runs_answer_repeated(runs, take_request(start), existing);
    start_free(start);
}

static void go(struct start *start)
{
    const struct runs *runs = start->runs;
    struct run *run = take_ptr(&start->run);
    struct err err;
    if (engine_start(run, &err) < 0) {
        store_run_remove(runs->store, start->id, NULL, NULL);
        refuse(start, &err);
        return;
    }
    if (start->columns > 0 && start->rows > 0)
        run_resize(run, start->columns, start->rows);
    if (start->waits && start->http) {
        wait_for_end(start, run);
        return;
    }
    if (start->http)
        runs_reply_live(runs, take_request(start), 201, run);
    start_free(start);
}

static void on_accepted(void *context, const char *existing, bool same_request,
                        const struct err *err)
{
    struct start *start = context;
    bool abandoned = !start->http && !start->idempotency_key;
    if (!err && !existing && !abandoned) {
        go(start);
        return;
    }
    engine_discard(take_ptr(&start->run));
    if (err) {
        refuse(start, err);
        return;
    }
    if (!existing)
        store_run_remove(start->runs->store, start->id, NULL, NULL);
    if (existing && start->http)
        answer_existing(start, existing, same_request);
    else
        start_free(start);
}

static void store_it(struct start *start, const struct run_spec *spec)
{
    const struct schema_list *metadata = &start->request.metadata;
    struct slice body = http_request_body(start->http);
    struct store_pair pairs[STORE_METADATA_MAX];
    const struct schema_pair *from = metadata->items;
    for (size_t i = 0; i < metadata->count; i++)
        pairs[i] = (struct store_pair){from[i].name, from[i].value};
    struct store_run row = {
        .id = start->id,
        .key = start->key,
        .language = spec->language->name,
        .created_ms = start->created_ms,
        .accepted = buf_slice(&start->accepted),
        .request = body.len <= KEPT_REQUEST_MAX ? body : (struct slice){0},
        .metadata = pairs,
        .metadata_count = metadata->count,
        .idempotency_key = start->idempotency_key,
        .webhook_url = start->request.webhook_url.at,
        .webhook_base = start->base.len > 0 ? buf_text(&start->base) : NULL,
    };
    memcpy(row.request_digest, start->digest, sizeof row.request_digest);
    store_run_add(start->runs->store, &row, on_accepted, start);
}

static int write_accepted(struct start *start, const struct run_spec *spec,
                          const struct limits *limits, struct err *err)
{
    struct json json = json_start(&start->accepted);
    runs_write_accepted(&json, &start->request, limits, spec->language->name, spec->source,
                        start->created_ms);
    if (start->accepted.starved)
        return err_sys(err, ENOMEM, "run");
    if (!start->accepted.failed)
        return 0;
    (void)err_field(err, "metadata", "metadata is too long");
    err->code = ERR_TOO_LARGE;
    return -1;
}

static int prepare(struct start *start, struct run_spec *spec, struct err *err)
{
    const struct runs *runs = start->runs;
    if (random_id("run_", start->id) < 0)
        return err_sys(err, errno, "no id can be made");
    start->created_ms = clock_unix_ms();
    spec->id = start->id;
    spec->owner = start->key;
    spec->tenant = start->tenant;
    struct limits limits = engine_limits(runs->engine, spec);
    if (!spec->artifacts)
        limits.value[LIMIT_ARTIFACT_FILES] = limits.value[LIMIT_ARTIFACT_BYTES] = 0;
    if (write_accepted(start, spec, &limits, err) < 0)
        return -1;
    spec->note = buf_slice(&start->accepted);
    start->run = engine_prepare(runs->engine, spec, err);
    return start->run ? 0 : -1;
}

static int read_body(struct start *start, struct err *err)
{
    start->body = json_read_object(http_request_body(start->http), err);
    return start->body
               ? runs_request_read(start->runs, start->body, start->waits, &start->request, err)
               : -1;
}

static void accept(struct start *start, const struct slice *uploads)
{
    struct run_spec spec;
    void *block = NULL;
    struct err err;
    int rc = start->body ? 0 : read_body(start, &err);
    if (rc == 0)
        rc = runs_request_spec(start->runs, &start->request, uploads, &spec, &block, &err);
    if (rc == 0)
        rc = prepare(start, &spec, &err);
    if (rc < 0) {
        request_rename_field(&err, "entry_file",
                             start->request.entrypoint.at ? "entrypoint" : "files");
        refuse(start, &err);
    } else {
        store_it(start, &spec);
        let_go(start);
    }
    free(block);
}

/* --- its uploads --- */

static void on_uploads(void *context, const struct slice *contents, const struct err *err)
{
    struct start *start = context;
    if (!start->http)
        start_free(start);
    else if (err)
        refuse(start, err);
    else
        accept(start, contents);
}

static void read_uploads(struct start *start)
{
    const char *ids[RUNS_UPLOADS_MAX];
    for (size_t i = 0; i < start->upload_count; i++)
        ids[i] = start->upload_ids[i];
    content_read(start->runs->loop, store_files_folder(start->runs->store), ids,
                 start->upload_count, UPLOADS_BYTES_MAX, on_uploads, start);
}

static int check_upload(struct start *start, const struct store_file *file, struct err *err)
{
    if (!file || file->run || !start->http || !request_may_see(start->http, file->key))
        return err_set(err, ERR_NOT_FOUND, "uploaded file not found");
    if (file->size > start->runs->max_file_bytes)
        return err_field(err, "files", "file %.100s exceeds %llu MiB", file->name,
                         (unsigned long long)(start->runs->max_file_bytes / MIB));
    start->upload_bytes += file->size;
    if (start->upload_bytes > UPLOADS_BYTES_MAX)
        return err_field(err, "files", "total file size exceeds %llu MiB", UPLOADS_BYTES_MAX / MIB);
    return 0;
}

static void on_upload_known(void *context, const struct store_file *file, const struct err *failure)
{
    struct start *start = context;
    struct err err;
    int rc = start->refused ? -1 : check_upload(start, file, &err);
    if (failure && failure->code != ERR_NOT_FOUND && !start->refused)
        err = *failure;
    if (rc < 0 && !start->refused) {
        start->refused = true;
        answer_err(start, &err);
    }
    if (++start->uploads_known < start->upload_count)
        return;
    if (start->refused || !start->http)
        start_free(start);
    else
        read_uploads(start);
}

static void take_uploads(struct start *start)
{
    if (start->upload_count == 0) {
        accept(start, NULL);
        return;
    }
    let_go(start);
    for (size_t i = 0; i < start->upload_count; i++)
        store_file_get(start->runs->store, start->upload_ids[i], on_upload_known, start);
}

/* --- the same request before --- */

static void on_looked_back(void *context, const char *existing, bool same_request,
                           const struct err *err)
{
    struct start *start = context;
    if (!start->http)
        start_free(start);
    else if (err)
        refuse(start, err);
    else if (existing)
        answer_existing(start, existing, same_request);
    else
        take_uploads(start);
}

/* Who repeats a request takes nothing anew: neither is a quota asked that its own run has
 * used up, nor an upload that has expired since. */
static void look_back(struct start *start)
{
    struct store_run row = {.key = start->key, .idempotency_key = start->idempotency_key};
    let_go(start);
    memcpy(row.request_digest, start->digest, sizeof row.request_digest);
    store_run_find_same(start->runs->store, &row, on_looked_back, start);
}

/* --- the request --- */

/* Of everything that makes it this request and no other. */
static void digest_request(struct start *start, struct slice body)
{
    struct sha256_ctx sha256;
    sha256_init(&sha256);
    sha256_update(&sha256, 1, (const uint8_t *)(start->waits ? "w" : "s"));
    sha256_update(&sha256, body.len, (const uint8_t *)body.at);
    sha256_digest(&sha256, sizeof start->digest, start->digest);
}

/* What is asked for once the request was let go. */
static void note_rest(struct start *start)
{
    const struct runs_request *request = &start->request;
    const struct runs_request_file *files = request->files.items;
    start->columns = (unsigned)request->columns;
    start->rows = (unsigned)request->rows;
    for (size_t i = 0; i < request->files.count; i++) {
        if (files[i].id.at)
            (void)snprintf(start->upload_ids[start->upload_count++], STORE_ID_SIZE, "%s",
                           files[i].id.at);
    }
}

static int read_request(struct start *start, struct err *err)
{
    struct slice body = http_request_body(start->http);
    if (!http_request_is_json(start->http))
        return err_set(err, ERR_MEDIA_TYPE, "the body must be application/json");
    if (read_body(start, err) < 0 ||
        request_idempotency_key(start->http, &start->idempotency_key, err) < 0)
        return -1;
    digest_request(start, body);
    note_rest(start);
    return 0;
}

void runs_handle_start(struct http_request *request, void *context)
{
    const struct runs *runs = context;
    const char *wait = http_request_query(request, "wait");
    struct err err;
    if (!request_take_rate(runs->accounts, request))
        return;
    struct start *start = calloc(1, sizeof *start);
    if (!start) {
        (void)err_sys(&err, errno, "run");
        request_answer_err(request, &err);
        return;
    }
    *start = (struct start){
        .runs = runs,
        .http = request,
        .key = http_request_key(request),
        .tenant = request_tenant(request),
        .waits = !wait || strcmp(wait, "false") != 0,
    };
    buf_init(&start->accepted, ACCEPTED_MAX);
    buf_init(&start->base, BASE_MAX);
    request_write_base(&start->base, &runs->links, request);
    http_on_gone(request, on_gone, start);
    if (read_request(start, &err) < 0)
        refuse(start, &err);
    else if (start->idempotency_key)
        look_back(start);
    else
        take_uploads(start);
}
