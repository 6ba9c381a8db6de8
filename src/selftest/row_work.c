/* SPDX-License-Identifier: MIT */
/* row_work.c — the life of one row:
 *
 *     its runs: once for each word of `each`, for each of a pair  -+
 *     an ordinary run, which must be ordinary                      +-> judged, and the next
 *     a look at what is left, again until the grace is over       -+
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/engine.h"
#include "selftest/choose.h"
#include "selftest/selftest_private.h"

/* `bash` makes the ordinary run: it is there on every Debian, and starts fast. */
static const struct corpus_row ordinary = {
    .name = "ordinary",
    .language = "bash",
    .source = corpus_hello,
    .expect = (const char *const[]){"succeeded", NULL},
    .out_is = {"hello\n", 6, 1},
};

static void free_trials(struct row_work *work)
{
    for (size_t i = 0; i < work->trial_count; i++)
        trial_fini(&work->trials[i]);
    work->trial_count = 0;
}

static char *take_reason(struct complaints *complaints)
{
    buf_add_char(&complaints->text, '\0');
    return buf_take(&complaints->text);
}

/* What a ceiling cut short may well end otherwise; what else is wrong is wrong under any. */
static enum row_state state_of(const struct row_work *work)
{
    if (work->complaints.count == 0)
        return ROW_HELD;
    return work->complaints.count == work->excused ? ROW_UNDECIDED : ROW_DID_NOT_HOLD;
}

static char *name_blamed(unsigned blamed)
{
    struct buf text;
    buf_init(&text, MIB);
    buf_add_text(&text, "a ceiling is lower than what it needs (");
    for (int i = 0; blamed >> i != 0; i++) {
        if (blamed & 1U << i)
            buf_add_format(&text, "%s%s", limit_info((enum limit)i)->option,
                           blamed >> i > 1 ? ", " : ")");
    }
    buf_add_char(&text, '\0');
    char *whole = buf_take(&text);
    buf_fini(&text);
    return whole;
}

static char *reason_of(struct row_work *work, const struct row_result *result)
{
    if (result->state == ROW_DID_NOT_HOLD)
        return take_reason(&work->complaints);
    return result->state == ROW_UNDECIDED ? name_blamed(work->blamed) : NULL;
}

/* Of a row that only ran out of time no ceiling is blamed before it has had the machine alone. */
static bool may_do_better(const struct row_work *work, const struct row_result *result)
{
    bool failed = result->state == ROW_DID_NOT_HOLD || result->state == ROW_UNDECIDED;
    return failed && result->tries == 1 && work->complaints.late && !work->complaints.escaped;
}

static void end_row(struct row_work *work)
{
    struct selftest *selftest = work->selftest;
    struct row_result *result = work->result;
    work->result = NULL;
    result->ms = (loop_now_ns() - work->began_ns) / NS_PER_MS;
    result->state = selftest->interrupted ? ROW_NOT_RUN : state_of(work);
    if (may_do_better(work, result))
        result->state = ROW_WAITS; /* once more, when nothing else runs */
    else
        result->reason = reason_of(work, result);
    complaints_fini(&work->complaints);
    selftest->done += result->state != ROW_WAITS;
    if (selftest->spec.progress && result->state != ROW_WAITS)
        selftest->spec.progress(selftest->spec.context, selftest->done, selftest->count, result);
    loop_task_schedule(selftest->start);
}

static void look_around(struct row_work *work)
{
    struct selftest *selftest = work->selftest;
    struct complaints found;
    complaints_init(&found);
    aftermath_look(&selftest->aftermath, engine_running(selftest->spec.engine), &found);
    if (found.count > 0 && loop_now_ns() < work->look_until_ns) {
        loop_timer_start(work->again, AFTERMATH_AGAIN_MS);
        complaints_fini(&found);
        return;
    }
    complaints_take(&work->complaints, &found);
    complaints_fini(&found);
    end_row(work);
}

static void begin_look(struct row_work *work)
{
    struct canaries *canaries = work->selftest->spec.canaries;
    work->phase = PHASE_LOOK;
    work->look_until_ns = loop_now_ns() + AFTERMATH_GRACE_MS * NS_PER_MS;
    if (canaries)
        canaries_look(canaries, &work->complaints);
    look_around(work);
}

static int start_trial(struct row_work *work, const struct trial_case *tried)
{
    struct selftest_spec *spec = &work->selftest->spec;
    struct trial_host host = {spec->loop, spec->engine, spec->canaries, work->step};
    struct err err = {0};
    struct trial *trial = &work->trials[work->trial_count++];
    if (trial_start(trial, &host, tried, &err) == 0)
        return 0;
    complaints_add(&work->complaints, "it could not be tried: %s", err.text);
    trial_fini(trial);
    work->trial_count--;
    return -1;
}

static void start_ordinary(struct row_work *work)
{
    const struct selftest *selftest = work->selftest;
    const struct language *bash =
        catalogue_find(selftest->spec.catalogue, slice_of(ordinary.language));
    work->phase = PHASE_ORDINARY;
    if (selftest->interrupted || !bash || !bash->installed ||
        start_trial(work, &(struct trial_case){&ordinary, bash, NULL, NULL}) < 0)
        begin_look(work);
}

/* The runs of one turn. */
static void start_turn(struct row_work *work)
{
    static const char *const roles[] = {"first", "second"};
    const struct corpus_row *row = work->result->row;
    const char *argument = row->each ? row->each[work->variant] : NULL;
    int rc = 0;
    if (row->pair == CORPUS_SINGLE)
        rc = start_trial(work, &(struct trial_case){row, work->language, argument, NULL});
    else if (row->pair == CORPUS_AFTER)
        rc = start_trial(work,
                         &(struct trial_case){row, work->language, argument, roles[work->turn]});
    else
        for (size_t i = 0; i < ARRAY_LEN(roles) && rc == 0; i++)
            rc = start_trial(work, &(struct trial_case){row, work->language, argument, roles[i]});
    if (rc < 0 && work->trial_count == 0)
        start_ordinary(work);
}

static bool has_next_turn(struct row_work *work)
{
    const struct corpus_row *row = work->result->row;
    if (work->selftest->interrupted)
        return false;
    if (row->pair == CORPUS_AFTER && work->turn == 0) {
        work->turn = 1;
        return true;
    }
    work->turn = 0;
    work->variant++;
    return row->each && row->each[work->variant];
}

static void judge_trial(struct row_work *work, const struct trial *trial)
{
    const struct corpus_row *row = work->result->row;
    size_t before = work->complaints.count;
    struct complaints found;
    complaints_init(&found);
    trial_judge(trial, &found);
    if (found.count > 0 && row->each)
        complaints_add(&work->complaints, "with '%s':", row->each[work->variant]);
    complaints_take(&work->complaints, &found);
    if (found.count > 0 && found.suspects & work->cut) {
        work->excused += work->complaints.count - before;
        work->blamed |= found.suspects & work->cut;
    }
    complaints_fini(&found);
}

static void judge_turn(struct row_work *work)
{
    for (size_t i = 0; i < work->trial_count; i++) {
        judge_trial(work, &work->trials[i]);
        work->result->verdict = trial_verdict(&work->trials[i]);
    }
    free_trials(work);
}

static void judge_ordinary(struct row_work *work)
{
    struct complaints found;
    complaints_init(&found);
    trial_judge(&work->trials[0], &found);
    if (found.count > 0)
        complaints_add(&work->complaints, "the next run is not an ordinary one: %s",
                       buf_text(&found.text));
    complaints_fini(&found);
    free_trials(work);
}

/* Scheduled whenever one of our runs has ended. */
static void on_step(void *context)
{
    struct row_work *work = context;
    for (size_t i = 0; i < work->trial_count; i++) {
        if (!work->trials[i].over)
            return;
    }
    if (!work->result || work->trial_count == 0)
        return;
    if (work->phase == PHASE_ORDINARY) {
        judge_ordinary(work);
        begin_look(work);
        return;
    }
    judge_turn(work);
    if (has_next_turn(work))
        start_turn(work);
    else
        start_ordinary(work);
}

static void on_again(void *context)
{
    look_around(context);
}

void row_work_init(struct row_work *work, struct selftest *selftest)
{
    *work = (struct row_work){.selftest = selftest};
    work->again = loop_timer_new(selftest->spec.loop, on_again, work);
    work->step = loop_task_new(selftest->spec.loop, on_step, work);
}

void row_work_fini(struct row_work *work)
{
    loop_timer_free(work->again);
    loop_task_free(work->step);
}

void row_work_begin(struct row_work *work, struct row_result *result)
{
    const struct catalogue *catalogue = work->selftest->spec.catalogue;
    work->result = result;
    work->language = catalogue_find(catalogue, slice_of(result->row->language));
    work->phase = PHASE_ROW;
    work->variant = 0;
    work->turn = 0;
    work->cut = choose_cut_limits(result->row, work->language, &work->selftest->spec.ceiling);
    work->blamed = 0;
    work->excused = 0;
    work->began_ns = loop_now_ns();
    result->state = ROW_NOT_RUN; /* so that nobody takes it again */
    result->tries++;
    complaints_init(&work->complaints);
    start_turn(work);
}

void row_work_cancel(struct row_work *work)
{
    for (size_t i = 0; i < work->trial_count; i++)
        trial_cancel(&work->trials[i]);
}
