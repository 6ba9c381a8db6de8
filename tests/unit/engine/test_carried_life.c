/* SPDX-License-Identifier: MIT */
/* Every state of a run that another machine carries out, with every three things that can
 * happen to it, in every order: it ends once, as the rules below say, its cargo is freed
 * once, and what comes too late does nothing. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "fake_carrier.h"
#include "fixture.h"

/* clang-format off */
#define THINGS(X) \
    X(ACCEPTED, "accepted") \
    X(REFUSED,  "refused") \
    X(STATE,    "it runs") \
    X(OUTPUT,   "output") \
    X(USAGE,    "usage") \
    X(GAP,      "a gap") \
    X(AGAIN,    "again") \
    X(ENDED,    "ended") \
    X(CANCEL,   "cancel") \
    X(LEAVE,    "the last reader left") \
    X(QUEUE,    "the queue deadline") \
    X(DRAIN,    "drain") \
    X(CAUGHT,   "a slow reader, told to hurry")
/* clang-format on */

enum thing {
#define X(id, name) id,
    THINGS(X)
#undef X
        THING_COUNT
};

static const char *const things[] = {
#define X(id, name) [id] = name,
    THINGS(X)
#undef X
};

/* How far it has come before. */
enum place { SENT, TAKEN, PREPARING, COMPILING, RUNNING, WAITING, SECOND_ATTEMPT, PLACE_COUNT };
static const char *const places[] = {"sent",    "accepted", "preparing",   "compiling",
                                     "running", "waiting",  "queued again"};

enum { QUEUE_MS = 1000, LEAVE_MS = 300, ANSWER_MS = 30000, ROUNDS = 3 };

/* ---- what must come of it ---- */

struct model {
    bool accepted;
    bool queued;
    bool cancelled;
    bool ended;
    enum verdict verdict;
};

static void end_model(struct model *model, enum verdict verdict)
{
    model->ended = true;
    model->verdict = verdict;
}

static void expect(struct model *model, enum thing thing)
{
    if (model->ended)
        return;
    switch (thing) {
    case STATE:
    case OUTPUT:
        model->queued = false;
        model->accepted = true;
        break;
    case AGAIN:
        model->queued = true;
        model->accepted = true;
        break;
    case ACCEPTED:
    case GAP:
        model->accepted = true;
        break;
    case REFUSED:
        if (!model->accepted)
            end_model(model, model->cancelled ? VERDICT_CANCELLED : VERDICT_INTERNAL_ERROR);
        break;
    case ENDED:
        model->accepted = true;
        end_model(model, VERDICT_FAILED);
        break;
    case CANCEL:
    case LEAVE:
    case DRAIN:
        model->cancelled = true;
        break;
    case QUEUE:
        if (model->queued && !model->cancelled)
            end_model(model, VERDICT_QUEUE_TIMEOUT);
        break;
    case USAGE:
    case CAUGHT:
    case THING_COUNT:
        break;
    }
}

/* ---- how it comes ---- */

static struct fixture fixture;
static struct fake_carrier carrier;
static char doing[200]; /* for the one who looks why it failed */

struct life {
    struct run *run;
    struct client client;
    bool attached;
    unsigned attempt;
    struct model model;
};

static void leave(struct life *life)
{
    if (!life->attached)
        return;
    client_fini(&life->client);
    life->attached = false;
}

static void end(struct life *life)
{
    static char path[] = "a";
    static const struct run_artifact artifact = {.path = path, .size = 3, .fd = -1};
    struct run_result result = {.verdict = VERDICT_FAILED, .exit_code = 3, .reason = "it exited"};
    run_carried_ended(life->run, &result, &artifact, 1);
}

static void happen(struct life *life, enum thing thing)
{
    switch (thing) {
    case ACCEPTED:
        run_carried_accepted(life->run);
        break;
    case REFUSED:
        run_carried_refused(life->run, "the broker does not take it");
        break;
    case STATE:
        run_carried_state(life->run, RUN_RUNNING);
        break;
    case OUTPUT:
        run_carried_output(life->run, EVENT_STDOUT, slice_of("text"));
        break;
    case USAGE:
        run_carried_usage(life->run, 3, 4);
        break;
    case GAP:
        run_carried_gap(life->run, 5);
        break;
    case AGAIN:
        run_carried_again(life->run, ++life->attempt);
        break;
    case ENDED:
        end(life);
        break;
    case CANCEL:
        run_cancel(life->run, "the client stopped it");
        break;
    case LEAVE:
        leave(life);
        fake_loop_advance(fixture.loop, LEAVE_MS);
        break;
    case QUEUE:
        fake_loop_advance(fixture.loop, QUEUE_MS);
        break;
    case DRAIN:
        engine_drain(fixture.engine, 0, NULL, NULL);
        break;
    case CAUGHT:
        if (life->attached)
            client_read(&life->client);
        break;
    case THING_COUNT:
        break;
    }
}

static void bring_to(struct life *life, enum place place)
{
    static const enum run_state states[PLACE_COUNT] = {
        [PREPARING] = RUN_PREPARING, [COMPILING] = RUN_COMPILING,    [RUNNING] = RUN_RUNNING,
        [WAITING] = RUN_WAITING,     [SECOND_ATTEMPT] = RUN_RUNNING,
    };
    struct run_spec spec = spec_of(&interpreted);
    spec.input_stays_open = true;
    spec.ends_unattended = true;
    spec.unattended_ms = LEAVE_MS;
    spec.streaming = place % 2 == 0;
    spec.recorded = place % 3 == 0;
    spec.limits.value[LIMIT_QUEUE] = QUEUE_MS;
    *life = (struct life){.attempt = 1, .attached = true, .model.queued = true};
    life->client.slow = true;
    life->run = submit_and_settle(&fixture, &spec);
    client_attach(&life->client, life->run, 0, READER_BYTES);
    if (place == SENT)
        return;
    run_carried_accepted(life->run);
    life->model.accepted = true;
    if (states[place] == RUN_QUEUED)
        return;
    run_carried_state(life->run, states[place]);
    life->model.queued = false;
    if (place == SECOND_ATTEMPT) {
        happen(life, AGAIN);
        life->model.queued = true;
    }
}

/* ---- what is looked at ---- */

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        count++;
    return count;
}

/* Everything, late. */
static void come_too_late(struct life *life)
{
    size_t freed = carrier.freed;
    for (enum thing thing = 0; thing < LEAVE; thing++)
        happen(life, thing);
    run_signal(life->run, 15);
    run_resize(life->run, 80, 24);
    run_close_input(life->run);
    struct err err = {0};
    assert_int_equal(run_write(life->run, slice_of("late"), &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_true(carrier.freed == freed);
}

static void expect_one_end(struct life *life)
{
    struct client late;
    come_too_late(life);
    if (fixture.recorded)
        run_recorded(take_ptr(&fixture.recorded));
    come_too_late(life);
    assert_int_equal(run_state(life->run), RUN_FINISHED);
    if (run_result(life->run)->verdict != life->model.verdict)
        fail_msg("%s instead of %s", verdict_name(run_result(life->run)->verdict),
                 verdict_name(life->model.verdict));
    assert_true(run_result(life->run)->reason[0] != '\0');
    assert_int_equal(carrier.live, 0);
    assert_int_equal(carrier.freed, 1);
    assert_int_equal(carrier.last_verdict, life->model.verdict);
    assert_int_equal(engine_running(fixture.engine), 0);
    assert_int_equal(engine_queued(fixture.engine), 0);
    assert_int_equal(count_of(buf_text(&fixture.observed), "finished"), 1);
    assert_ptr_equal(strstr(buf_text(&fixture.observed), "queued"), buf_text(&fixture.observed));
    client_replay(&late, life->run, READER_BYTES);
    assert_int_equal(late.ends, 1);
    assert_int_equal(count_of(late.story, "finished"), 1);
    assert_int_equal(strncmp(late.story, "queued", 6) == 0, life->model.accepted);
    client_fini(&late);
}

static void try(enum place place, const enum thing some[ROUNDS])
{
    struct life life;
    (void)snprintf(doing, sizeof doing, "%s: %s, %s, %s", places[place], things[some[0]],
                   things[some[1]], things[some[2]]);
    fake_carrier_init(&carrier);
    fixture_init_carried(&fixture, &carrier.carrier, 8);
    bring_to(&life, place);
    for (int i = 0; i < ROUNDS; i++) {
        happen(&life, some[i]);
        expect(&life.model, some[i]);
        assert_int_equal(run_result(life.run) != NULL, run_state(life.run) == RUN_FINISHED);
    }
    if (!life.model.ended && life.model.cancelled) {
        fake_loop_advance(fixture.loop, ANSWER_MS);
        end_model(&life.model, life.model.queued ? VERDICT_CANCELLED : VERDICT_INTERNAL_ERROR);
    }
    if (!life.model.ended) {
        happen(&life, ENDED);
        expect(&life.model, ENDED);
    }
    expect_one_end(&life);
    leave(&life);
    fixture_fini(&fixture);
    fake_carrier_fini(&carrier);
    doing[0] = '\0';
}

static int tell(void **unit)
{
    (void)unit;
    if (doing[0] != '\0')
        print_error("# %s\n", doing);
    return 0;
}

static void whatever_happens_it_ends_once(void **unit)
{
    enum place place = (enum place)(size_t)*unit;
    enum thing some[ROUNDS];
    for (some[0] = 0; some[0] < THING_COUNT; some[0]++)
        for (some[1] = 0; some[1] < THING_COUNT; some[1]++)
            for (some[2] = 0; some[2] < THING_COUNT; some[2]++)
                try(place, some);
}

int main(void)
{
#define PLACE(name, at)                                                                          \
    {                                                                                            \
        "whatever happens to one that is " name ", it ends once", whatever_happens_it_ends_once, \
            NULL, tell, (void *)(size_t)(at)                                                     \
    }
    const struct CMUnitTest tests[] = {
        PLACE("sent", SENT),
        PLACE("accepted", TAKEN),
        PLACE("preparing", PREPARING),
        PLACE("compiling", COMPILING),
        PLACE("running", RUNNING),
        PLACE("waiting", WAITING),
        PLACE("queued again", SECOND_ATTEMPT),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
