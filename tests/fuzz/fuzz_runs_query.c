/* SPDX-License-Identifier: MIT */
/* The question mark of GET /v1/runs, through a real server: a letter, then what stands behind it.
 * 'a' asks with the scope admin; the store that is asked, which is played, finds nothing for 'n',
 * fails for 'f', and has two runs else. What it is asked for is whole and within its bounds; the
 * client is answered once, and not with 500 unless the store failed. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/runs.h"
#include "engine/engine.h"
#include "fake_executor.h"
#include "language/language.h"
#include "loopback.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { QUERY_MAX = 4096, KEY = 7, SCOPE_OTHER = 0 };

static struct world {
    struct loop *loop;
    struct runs runs;
    char letter;
    unsigned asked; /* the store */
    struct client client;
} world;

/* ---- the store ---- */

static void check_filter(const struct store_filter *filter)
{
    assert(filter->key == KEY && (!filter->any_key || world.letter == 'a'));
    assert(filter->limit >= 1 && filter->limit <= STORE_PAGE_MAX);
    assert(filter->metadata_count <= STORE_METADATA_MAX);
    for (size_t i = 0; i < filter->metadata_count; i++) {
        const struct store_pair *pair = &filter->metadata[i];
        assert(pair->name[0] && !strpbrk(pair->name, ":,") && !strchr(pair->value, ','));
    }
    assert(!filter->language ||
           catalogue_find(world.runs.catalogue, slice_of(filter->language)) != NULL);
    for (enum verdict i = 0; filter->verdict && filter->verdict[0]; i++) {
        assert(i < VERDICT_COUNT);
        if (strcmp(filter->verdict, verdict_name(i)) == 0)
            break;
    }
}

/* Linked in place of the real one (--wrap). */
void __wrap_store_run_list(struct store *store, const struct store_filter *filter,
                           store_runs_fn *done, void *context);

void __wrap_store_run_list(struct store *store, const struct store_filter *filter,
                           store_runs_fn *done, void *context)
{
    static const struct slice accepted = {"\"limits\":{}", sizeof "\"limits\":{}" - 1};
    const struct stored_run rows[] = {
        {.run = {.id = "run_000000000002", .key = KEY, .accepted = accepted}},
        {.run = {.id = "run_000000000001", .key = KEY, .accepted = accepted},
         .is_finished = true,
         .end = {.verdict = "succeeded"}},
    };
    struct err failed;
    (void)store;
    check_filter(filter);
    world.asked++;
    (void)err_set(&failed, ERR_INTERNAL, "the store fails");
    done(context, rows, world.letter == 'n' ? 0 : ARRAY_LEN(rows), world.letter == 'm',
         world.letter == 'f' ? &failed : NULL);
}

/* ---- the server ---- */

static bool authorize(void *context, struct http_request *request, const char *mount,
                      const struct http_route *route)
{
    (void)context, (void)mount, (void)route;
    http_set_caller(request, KEY, world.letter == 'a' ? STORE_SCOPE_ADMIN : SCOPE_OTHER);
    return true;
}

static void set_up(void)
{
    static const struct http_mount mount = {RUNS_NAME, runs_routes, &world.runs};
    static const struct http_config config = {.mounts = &mount,
                                              .mount_count = 1,
                                              .max_connections = 64,
                                              .timeout_s = 60,
                                              .authorize = authorize};
    static const struct engine_config engine = {.concurrency = 1, .queue_length = 1};
    struct err err = {0};
    world.loop = loopback_loop();
    struct catalogue *catalogue = catalogue_new();
    int rc = catalogue ? catalogue_load_builtin(catalogue, &err) : -1;
    world.runs = (struct runs){
        .loop = world.loop,
        .engine = engine_new(world.loop, &engine, fake_executor_new(world.loop), &err),
        .catalogue = catalogue,
    };
    assert(rc == 0 && world.runs.engine);
    loopback_serve(&config, NULL);
}

static bool is_answered(void)
{
    return client_status(&world.client) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char end[] = " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char query[QUERY_MAX];
    if (size == 0 || size > QUERY_MAX)
        return 0;
    for (size_t i = 1; i < size; i++) /* behind a blank stands no query any more: fuzz_http */
        query[i - 1] = (char)(bytes[i] > ' ' ? bytes[i] : '+');
    if (!world.loop)
        set_up();
    world.letter = (char)bytes[0];
    world.asked = 0;
    client_come(&world.client);
    client_say(&world.client, "GET /v1/runs?", sizeof "GET /v1/runs?" - 1);
    client_say(&world.client, query, size - 1);
    client_say(&world.client, end, sizeof end - 1);
    loopback_await(is_answered);
    int status = client_status(&world.client);
    client_leave(&world.client);
    loopback_turn();
    assert(status >= 200 && world.asked <= 1);
    assert((status == 200 || status == 500) == (world.asked == 1));
    assert((status == 500) == (world.asked == 1 && world.letter == 'f'));
    return 0;
}
