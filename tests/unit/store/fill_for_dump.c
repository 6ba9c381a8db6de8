/* SPDX-License-Identifier: MIT */
/* Makes the store that dumps/N.sql holds, when a version of the schema is new:
 *
 *     ninja -C build tests/unit/store/fill_for_dump
 *     build/tests/unit/store/fill_for_dump FOLDER
 *     tests/unit/store/dump.py FOLDER/runnel.db > tests/unit/store/dumps/N.sql
 */
#include <stdio.h>
#include <unistd.h>

#include "fixture.h"

static void fill(struct fixture *fixture)
{
    const struct store_pair pair = {"user", "alice"};
    struct store_run done = some_run("run_done", 1000);
    struct store_run left = some_run("run_left", 1001);
    struct store_file artifact = some_file("file_out", 1, 1500);
    struct store_file upload = some_file("file_up", 1, 1500);
    struct store_end end = some_end("succeeded", 2000);
    struct store_key key = {.label = "ci", .scopes = STORE_SCOPE_RUN, .created_ms = 1000};
    done.metadata = &pair;
    done.metadata_count = 1;
    done.idempotency_key = "order-66";
    done.webhook_url = left.webhook_url = "https://example.org/";
    done.webhook_base = "https://run.example.org";
    end.artifacts = &artifact;
    end.artifact_count = 1;
    (void)add_key(fixture, &key);
    (void)add_file(fixture, &upload);
    (void)add_run(fixture, &done);
    (void)finish_run(fixture, "run_done", &end);
    (void)add_run(fixture, &left);
}

int main(int argc, char **argv)
{
    void *state = NULL;
    if (argc != 2 || fixture_set_up(&state) != 0)
        return 64;
    struct fixture *fixture = state;
    fixture->config.dir = argv[1];
    fixture_open(fixture);
    fill(fixture);
    return fixture_tear_down(&state);
}
