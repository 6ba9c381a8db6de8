/* SPDX-License-Identifier: MIT */
/* Every state of a run, with every two things that can end it, in every order: the
 * run ends once, by the table of verdicts, and leaves nothing behind. What cannot
 * be is said with its reason; what is not said is tried. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "fixture.h"

/* In the order of the table of verdicts: of two that held, the upper one counts. */
/* clang-format off */
#define CAUSES(X) \
    X(FAILURE, "executor failure",  VERDICT_INTERNAL_ERROR) \
    X(CANCEL,  "cancel",            VERDICT_CANCELLED) \
    X(LEAVE,   "last reader left",  VERDICT_CANCELLED) \
    X(QUEUE,   "queue limit",       VERDICT_QUEUE_TIMEOUT) \
    X(WALL,    "wall limit",        VERDICT_TIMEOUT) \
    X(IDLE,    "idle limit",        VERDICT_IDLE_TIMEOUT) \
    X(CPU,     "cpu limit",         VERDICT_CPU_LIMIT) \
    X(MEMORY,  "memory",            VERDICT_MEMORY_LIMIT) \
    X(OUTPUT,  "output limit",      VERDICT_OUTPUT_LIMIT) \
    X(SIGNAL,  "signal",            VERDICT_KILLED_BY_SIGNAL) \
    X(EXIT,    "exit with 3",       VERDICT_FAILED) \
    X(SUCCESS, "exit with 0",       VERDICT_SUCCEEDED)
/* clang-format on */

enum cause {
#define X(id, name, verdict) id,
    CAUSES(X)
#undef X
        CAUSE_COUNT
};

static const struct {
    const char *name;
    enum verdict verdict;
} causes[] = {
#define X(id, name, verdict) [id] = {name, verdict},
    CAUSES(X)
#undef X
};

static const enum run_state states[] = {RUN_QUEUED, RUN_PREPARING, RUN_COMPILING, RUN_RUNNING,
                                        RUN_WAITING};

/* Both before the loop turns; the second while the stage is being killed for the
 * first; the second after the end. The other order is the pair turned round. */
enum timing { SAME_TURN, WHILE_ENDING, AFTER_THE_END, TIMING_COUNT };

static const char *const timings[] = {"in one turn with", "and while it ends", "and after the end"};

/* ---- what cannot be ---- */

static const char no_box[] = "there is no box yet, and nothing was asked of the executor";
static const char no_clock[] = "the limits count from the start of the box";
static const char no_queue[] = "it has left the queue";
static const char no_idle[] = "a compiler may be silent: the idle limit is the program's";

static const char *const never[RUN_STATE_COUNT][CAUSE_COUNT] = {
    [RUN_QUEUED] = {[FAILURE] = no_box,
                    [WALL] = no_box,
                    [IDLE] = no_box,
                    [CPU] = no_box,
                    [MEMORY] = no_box,
                    [OUTPUT] = no_box,
                    [SIGNAL] = no_box,
                    [EXIT] = no_box,
                    [SUCCESS] = no_box},
    [RUN_PREPARING] = {[QUEUE] = no_queue, [WALL] = no_clock, [IDLE] = no_clock, [CPU] = no_clock},
    [RUN_COMPILING] = {[QUEUE] = no_queue, [IDLE] = no_idle},
    [RUN_RUNNING] = {[QUEUE] = no_queue},
    [RUN_WAITING] = {[QUEUE] = no_queue},
};

/* The stage's `ended`. */
static bool is_end(enum cause cause)
{
    return cause == FAILURE || cause == MEMORY || cause == SIGNAL || cause == EXIT ||
           cause == SUCCESS;
}

static bool is_timer(enum cause cause)
{
    return cause == LEAVE || cause == QUEUE || cause == WALL || cause == IDLE;
}

static bool comes_from_the_stage(enum cause cause)
{
    return is_end(cause) || cause == OUTPUT || cause == CPU;
}

/* NULL: it can. */
static const char *why_never(enum run_state state, enum cause first, enum cause second,
                             enum timing timing)
{
    if (never[state][first])
        return never[state][first];
    if (never[state][second])
        return never[state][second];
    if (state == RUN_COMPILING && first == SUCCESS)
        return "a compiler that succeeds ends its stage, not the run";
    if (first == second && first != CANCEL && first != OUTPUT && first != CPU)
        return "it happens once";
    if (comes_from_the_stage(second) && (is_end(first) || timing == AFTER_THE_END))
        return "after `ended` the executor says nothing (executor.h)";
    return NULL;
}

/* ---- what must come of it ---- */

struct expected {
    bool held[CAUSE_COUNT];
    bool killed;
    bool ended;
};

static void expect_cause(struct expected *expected, enum cause cause)
{
    bool is_of_the_clock = cause == WALL || cause == IDLE || cause == CPU;
    if (expected->ended || (expected->killed && is_of_the_clock))
        return; /* what is being killed is not measured any more */
    expected->held[cause] = true;
    expected->killed = true;
    expected->ended = is_end(cause);
}

static enum verdict expected_verdict(enum run_state state, enum cause first, enum cause second,
                                     enum timing timing)
{
    struct expected expected = {0};
    expect_cause(&expected, first);
    /* In the queue nothing needs to be killed: the next turn ends it. */
    bool at_once = timing == SAME_TURN && is_timer(first) == is_timer(second);
    if (timing == AFTER_THE_END || (state == RUN_QUEUED && !at_once))
        expected.ended = true;
    expect_cause(&expected, second);
    enum cause upper = 0;
    while (!expected.held[upper])
        upper++;
    if (state == RUN_COMPILING && (upper == SIGNAL || upper == EXIT))
        return VERDICT_COMPILE_FAILED;
    return causes[upper].verdict;
}

/* ---- a run that is brought there ---- */

enum { SOON_MS = 1000, COMPILE_WALL_MS = 30000, QUIET_MS = 40, OUTPUT_CAP = 100 };

static struct fixture fixture;
static char doing[200]; /* for the one who looks why it failed */

struct life {
    enum run_state state;
    enum cause causes[2];
    uint64_t due_ms[2]; /* from the beginning of the stage; of a queued run, of the run */
    uint64_t now_ms;
    struct run *blocker;
    struct run *run;
    struct fake_stage *stage; /* NULL in the queue, and after its end */
    struct client client;
    bool attached;
};

static void advance_to(struct life *life, uint64_t ms)
{
    if (ms > life->now_ms)
        fake_loop_advance(fixture.loop, ms - life->now_ms);
    life->now_ms = MAX(ms, life->now_ms);
}

static void set_limits(const struct life *life, struct run_spec *spec)
{
    spec->limits.value[LIMIT_OUTPUT] = OUTPUT_CAP;
    spec->ends_unattended = true;
    for (int i = 0; i < 2; i++) {
        uint64_t ms = life->due_ms[i];
        if (life->causes[i] == QUEUE)
            spec->limits.value[LIMIT_QUEUE] = ms;
        if (life->causes[i] == WALL)
            spec->limits.value[LIMIT_WALL] = ms;
        if (life->causes[i] == IDLE)
            spec->limits.value[LIMIT_IDLE] = ms;
        if (life->causes[i] == LEAVE)
            spec->unattended_ms = ms - (life->state == RUN_WAITING ? QUIET_MS : 0);
    }
}

static void bring_to_state(struct life *life)
{
    struct run_spec spec = spec_of(life->state == RUN_COMPILING ? &compiled : &interpreted);
    if (life->state == RUN_QUEUED) {
        struct run_spec other = spec_of(&interpreted);
        life->blocker = submit_and_settle(&fixture, &other);
    }
    spec.input_stays_open = true;
    set_limits(life, &spec);
    life->run = submit(&fixture, &spec);
    client_attach(&life->client, life->run, 0, READER_BYTES);
    life->attached = true;
    fake_loop_settle(fixture.loop);
    if (life->state != RUN_QUEUED)
        life->stage = stage_of(&fixture);
    if (life->state != RUN_QUEUED && life->state != RUN_PREPARING)
        fake_stage_start(life->stage);
    if (life->state == RUN_WAITING) {
        advance_to(life, QUIET_MS - 10);
        assert_int_equal(life->stage->probes, 1);
        fake_stage_answer(life->stage, true);
        advance_to(life, QUIET_MS);
    }
    fake_loop_settle(fixture.loop);
    assert_int_equal(run_state(life->run), life->state);
    if (life->causes[0] == LEAVE || life->causes[1] == LEAVE) {
        assert_int_equal(life->client.ends, 0);
        client_fini(&life->client);
        life->attached = false;
    }
}

static void end_stage(struct life *life, const struct stage_end *end)
{
    if (!life->stage)
        return;
    fake_stage_end(life->stage, end);
    life->stage = NULL;
}

/* What the kill leads to, when its time has come. */
static void let_it_die(struct life *life)
{
    if (life->stage) {
        assert_true(life->stage->killed);
        end_stage(life, &(struct stage_end){.signal = SIGKILL});
    }
    fake_loop_settle(fixture.loop);
}

static void strike(struct life *life, int which)
{
    static const char flood[OUTPUT_CAP + 1];
    struct stage_end end = {0};
    advance_to(life, life->due_ms[which] - !is_timer(life->causes[which]));
    switch (life->causes[which]) {
    case CANCEL:
        run_cancel(life->run, "the client stopped it");
        return;
    case OUTPUT:
        fake_stage_print(life->stage, STAGE_STDOUT, (struct slice){flood, sizeof flood});
        return;
    case CPU:
        fake_stage_use_cpu(life->stage, 60 * NS_PER_S);
        return;
    case FAILURE:
        end.failed = true;
        (void)err_set(&end.failure, ERR_UNAVAILABLE, "the spawner is gone");
        break;
    case MEMORY:
        end.signal = SIGKILL;
        end.out_of_memory = true;
        break;
    case SIGNAL:
        end.signal = SIGSEGV;
        break;
    case EXIT:
        end.exit_code = 3;
        break;
    case SUCCESS:
        break;
    case LEAVE:
    case QUEUE:
    case WALL:
    case IDLE:
    case CAUSE_COUNT:
        return; /* the clock has done it */
    }
    end_stage(life, &end);
}

/* ---- what is looked at ---- */

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        count++;
    return count;
}

static void expect_one_end(struct life *life, enum verdict first, enum verdict other)
{
    assert_int_equal(run_state(life->run), RUN_FINISHED);
    enum verdict verdict = run_result(life->run)->verdict;
    if (verdict != first && verdict != other)
        fail_msg("%s instead of %s", verdict_name(verdict), verdict_name(first));
    assert_true(run_result(life->run)->reason[0] != '\0');
    if (life->attached)
        assert_int_equal(life->client.ends, 1);
    struct client late;
    client_replay(&late, life->run, READER_BYTES);
    assert_int_equal(late.ends, 1);
    assert_int_equal(count_of(late.story, "finished"), 1);
    assert_non_null(strstr(late.story, "finished end"));
    client_fini(&late);
}

/* The next run gets the slot, and ends as if nothing had been. */
static void expect_slot_back(struct life *life)
{
    if (life->blocker)
        fake_stage_exit(stage_of(&fixture), 0);
    fake_of_fixture(&fixture)->deaf = false;
    fake_loop_settle(fixture.loop);
    assert_int_equal(engine_running(fixture.engine), 0);
    assert_int_equal(engine_queued(fixture.engine), 0);
    assert_int_equal(fake_of_fixture(&fixture)->workspaces, 0);
    struct run_spec spec = spec_of(&interpreted);
    struct run *next = submit_and_settle(&fixture, &spec);
    assert_int_equal(run_state(next), RUN_PREPARING);
    fake_stage_exit(stage_of(&fixture), 0);
    assert_int_equal(run_result(next)->verdict, VERDICT_SUCCEEDED);
    assert_int_equal(count_of(buf_text(&fixture.observed), "finished"), life->blocker ? 3 : 2);
}

/* ---- the product ---- */

/* Its limits cannot be asked for: the others go by it. */
static void set_due(struct life *life, enum timing timing)
{
    uint64_t later = timing == SAME_TURN ? 0 : 2;
    uint64_t first = SOON_MS;
    if (life->state == RUN_COMPILING && life->causes[0] == WALL)
        first = COMPILE_WALL_MS;
    if (life->state == RUN_COMPILING && life->causes[1] == WALL)
        first = COMPILE_WALL_MS - later;
    life->due_ms[0] = first;
    life->due_ms[1] = first + later;
}

static void try(enum run_state state, enum cause first, enum cause second, enum timing timing)
{
    struct life life = {.state = state, .causes = {first, second}};
    enum verdict verdict = expected_verdict(state, first, second, timing);
    bool is_the_loops_choice = /* of two timers of one moment, the later is stopped */
        timing == SAME_TURN &&
        ((first == WALL && second == IDLE) || (first == IDLE && second == WALL));
    enum verdict other = is_the_loops_choice ? causes[second].verdict : verdict;
    (void)snprintf(doing, sizeof doing, "%s: %s, %s %s", run_state_name(state), causes[first].name,
                   timings[timing], causes[second].name);

    fixture_init(&fixture, 1, 8);
    set_due(&life, timing);
    bring_to_state(&life);
    fake_of_fixture(&fixture)->deaf = true;
    strike(&life, 0);
    if (timing == WHILE_ENDING)
        fake_loop_settle(fixture.loop);
    if (timing == AFTER_THE_END)
        let_it_die(&life);
    strike(&life, 1);
    let_it_die(&life);
    expect_one_end(&life, verdict, other);
    expect_slot_back(&life);
    if (life.attached)
        client_fini(&life.client);
    fixture_fini(&fixture);
    doing[0] = '\0';
}

static int tell(void **unit)
{
    (void)unit;
    if (doing[0] != '\0')
        print_error("# %s\n", doing);
    return 0;
}

static void whatever_ends_it_in_a_state_ends_it_once(void **unit)
{
    enum run_state state = *(const enum run_state *)*unit;
    size_t tried = 0;
    size_t impossible = 0;
    for (enum cause first = 0; first < CAUSE_COUNT; first++)
        for (enum cause second = 0; second < CAUSE_COUNT; second++)
            for (enum timing timing = 0; timing < TIMING_COUNT; timing++) {
                if (why_never(state, first, second, timing)) {
                    impossible++;
                    continue;
                }
                try(state, first, second, timing);
                tried++;
            }
    assert_int_equal(tried + impossible, CAUSE_COUNT * CAUSE_COUNT * TIMING_COUNT);
    print_message("# %s: %zu tried, %zu cannot be\n", run_state_name(state), tried, impossible);
}

int main(void)
{
#define STATE(name, at)                                                                \
    {                                                                                  \
        "whatever ends it while " name ", and whatever else comes, ends it once",      \
            whatever_ends_it_in_a_state_ends_it_once, NULL, tell, (void *)&states[at], \
    }
    const struct CMUnitTest tests[] = {
        STATE("queued", 0),  STATE("preparing", 1), STATE("compiling", 2),
        STATE("running", 3), STATE("waiting", 4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
