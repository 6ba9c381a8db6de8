/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

const struct language interpreted = {
    .name = "python",
    .title = "Python",
    .extensions = (const char *const[]){"py", NULL},
    .source = "main.py",
    .execute = (const char *const[]){"/usr/bin/python3", "{source}", "{args}", NULL},
    .environment = (const char *const[]){"PYTHONUNBUFFERED=1", "LANG=en_US.UTF-8", NULL},
    .requires = "/usr/bin/python3",
    .installed = true,
};

const struct language compiled = {
    .name = "c",
    .title = "C",
    .extensions = (const char *const[]){"c", NULL},
    .source = "main.c",
    .compile =
        (const char *const *const[]){
            (const char *const[]){"/usr/bin/cc", "-c", "{source}", "{files}", NULL},
            (const char *const[]){"/usr/bin/ld", "main.o", NULL},
            NULL,
        },
    .execute = (const char *const[]){"./main", "{args}", NULL},
    .requires = "/usr/bin/cc",
    .installed = true,
};

static void observe(void *context, const struct run *run)
{
    struct fixture *fixture = context;
    buf_add_format(&fixture->observed, "%s ", run_state_name(run_state(run)));
}

static void record(void *context, struct run *run, const struct run_result *result,
                   struct run_artifact *artifacts, size_t artifact_count)
{
    struct fixture *fixture = context;
    fixture->recorded = run;
    fixture->result = result;
    fixture->artifacts = artifacts;
    fixture->artifact_count = artifact_count;
    fixture->recordings++;
    if (fixture->records_at_once)
        run_recorded(run);
}

static int begin_quota(void *context, const struct run_spec *spec, struct err *err)
{
    struct fixture *fixture = context;
    (void)spec;
    (void)err;
    fixture->quotas++;
    return 0;
}

static void end_quota(void *context, uint64_t owner, uint64_t run_ms)
{
    struct fixture *fixture = context;
    (void)owner;
    fixture->charged_ms += run_ms;
    fixture->quotas--;
}

static void init(struct fixture *fixture, unsigned concurrency, size_t queue_length,
                 struct carrier *carrier)
{
    fixture->loop = loop_new();
    fixture->executor = fake_executor_new(fixture->loop);
    buf_init(&fixture->observed, MIB);
    fixture->recorded = NULL;
    fixture->recordings = 0;
    fixture->quotas = 0;
    fixture->charged_ms = 0;
    fixture->records_at_once = false;
    struct engine_config config = {
        .recorder = {record, fixture},
        .quota = {begin_quota, end_quota, fixture},
        .concurrency = concurrency,
        .queue_length = queue_length,
        .carrier = carrier,
        .keep_ms = 60000,
        .observer = observe,
        .observer_context = fixture,
    };
    struct err err = {0};
    fixture->engine = engine_new(fixture->loop, &config, carrier ? NULL : fixture->executor, &err);
    assert_non_null(fixture->engine);
}

void fixture_init(struct fixture *fixture, unsigned concurrency, size_t queue_length)
{
    init(fixture, concurrency, queue_length, NULL);
}

void fixture_init_carried(struct fixture *fixture, struct carrier *carrier, size_t queue_length)
{
    init(fixture, 0, queue_length, carrier);
}

static void on_drained(void *context)
{
    *(bool *)context = true;
}

void fixture_renew(struct fixture *fixture, const struct engine_config *config)
{
    struct err err = {0};
    engine_free(fixture->engine);
    fixture->engine = engine_new(fixture->loop, config, fixture->executor, &err);
    assert_non_null(fixture->engine);
}

void fixture_fini(struct fixture *fixture)
{
    bool drained = false;
    engine_drain(fixture->engine, 0, on_drained, &drained);
    fake_loop_settle(fixture->loop);
    if (!drained) /* a carrier that does not answer is not waited for longer */
        fake_loop_advance(fixture->loop, 5000);
    assert_true(drained);
    assert_int_equal(engine_running(fixture->engine), 0);
    assert_int_equal(engine_queued(fixture->engine), 0);
    assert_int_equal(fixture->quotas, 0);
    engine_free(fixture->engine);
    fixture->executor->ops->executor_free(fixture->executor);
    assert_int_equal(fake_loop_objects(fixture->loop), 0);
    loop_free(fixture->loop);
    buf_fini(&fixture->observed);
}

struct run_spec spec_of(const struct language *language)
{
    return (struct run_spec){
        .language = language,
        .profile = PROFILE_BATCH,
        .source = slice_of("print(1)"),
    };
}

struct run_spec live_spec(void)
{
    struct run_spec spec = spec_of(&interpreted);
    spec.profile = PROFILE_LIVE;
    spec.streaming = true;
    return spec;
}

struct run *submit(struct fixture *fixture, const struct run_spec *spec)
{
    struct err err = {0};
    struct run *run = engine_submit(fixture->engine, spec, &err);
    if (!run)
        fail_msg("not submitted: %s", err.text);
    return run;
}

struct run *submit_one(struct fixture *fixture)
{
    struct run_spec spec = spec_of(&interpreted);
    return submit(fixture, &spec);
}

struct run *submit_and_settle(struct fixture *fixture, const struct run_spec *spec)
{
    struct run *run = submit(fixture, spec);
    fake_loop_settle(fixture->loop);
    return run;
}

struct fake_stage *stage_of(struct fixture *fixture)
{
    struct fake_stage *stage = fake_stage_newest(fixture->executor);
    assert_non_null(stage);
    return stage;
}

void end_oldest_stage(struct fixture *fixture)
{
    struct list *stages = &fake_of_fixture(fixture)->stages;
    assert_false(list_empty(stages));
    fake_stage_exit(CONTAINER_OF(stages->next, struct fake_stage, link), 0);
    fake_loop_settle(fixture->loop);
}

struct fake_executor *fake_of_fixture(struct fixture *fixture)
{
    return CONTAINER_OF(fixture->executor, struct fake_executor, executor);
}

void keep_id(char id[RUN_ID_SIZE], const struct run *run)
{
    memcpy(id, run_id(run), RUN_ID_SIZE);
}

static void add_story(struct client *client, const char *word)
{
    size_t len = strlen(client->story);
    (void)snprintf(client->story + len, sizeof client->story - len, "%s%s", len ? " " : "", word);
}

static void note(struct client *client, const struct event *event)
{
    assert_int_equal(client->ends, 0); /* nothing follows the end */
    assert_true(event->number > client->last_number || client->last_number == 0);
    assert_true(event->attempt >= client->attempt);
    client->last_number = event->number;
    client->attempt = event->attempt;
    switch (event->kind) {
    case EVENT_STATE:
        add_story(client, run_state_name(event->state));
        break;
    case EVENT_STDOUT:
        add_story(client, "out");
        buf_add_slice(&client->out, event->bytes);
        break;
    case EVENT_STDERR:
        add_story(client, "err");
        buf_add_slice(&client->err, event->bytes);
        break;
    case EVENT_NOTICE:
        add_story(client, "notice");
        buf_add_slice(&client->notice, event->bytes);
        break;
    case EVENT_USAGE:
        break;
    case EVENT_GAP:
        add_story(client, "gap");
        client->lost_bytes += event->lost_bytes;
        break;
    case EVENT_END:
        add_story(client, "end");
        client->ends++;
        break;
    }
}

void client_read(struct client *client)
{
    struct event event;
    while (reader_next(client->reader, &event))
        note(client, &event);
}

static void on_ready(void *context)
{
    struct client *client = context;
    client->calls++;
    if (!client->slow)
        client_read(client);
}

void client_attach(struct client *client, struct run *run, uint64_t from, enum reader_form form)
{
    bool slow = client->slow;
    *client = (struct client){.slow = slow};
    buf_init(&client->out, 16 * MIB);
    buf_init(&client->err, 16 * MIB);
    buf_init(&client->notice, 16 * MIB);
    struct err err = {0};
    client->reader = run_attach(run, from, form, on_ready, client, &err);
    assert_non_null(client->reader);
}

void client_leave(struct client *client)
{
    reader_free(client->reader);
    client->reader = NULL;
}

void client_replay(struct client *client, struct run *run, enum reader_form form)
{
    *client = (struct client){0};
    client_attach(client, run, 0, form);
    client_read(client);
    client_leave(client);
}

void client_fini(struct client *client)
{
    client_leave(client);
    buf_fini(&client->out);
    buf_fini(&client->err);
    buf_fini(&client->notice);
}
