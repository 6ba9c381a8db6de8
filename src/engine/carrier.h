/* SPDX-License-Identifier: MIT */
/* carrier.h — runs that are carried out on other machines: the driver's side of an
 * engine that hands its runs on instead of giving them slots of its own.
 *
 * The engine checks a submission as ever, and keeps the run's log, readers, state and
 * end; the carrier takes it there and tells what comes back. Whoever uses engine.h
 * cannot tell. The order of things, for one run:
 *
 *     cargo = prepare(carrier, run, &spec, err)     all that can be wrong with sending it
 *     send(cargo, err)
 *        run_carried_accepted(run)                  it is safe: only now readers see `queued`
 *        run_carried_worker(run, …)                 as soon as it is known
 *        run_carried_event(run, …)   many
 *        run_carried_again(run)                     delivered once more: from the start
 *        run_carried_ended(run, &result)            exactly once, unless the engine ended it
 *     free(cargo)                                   when the run has ended, or never was sent
 *
 * run_carried_* come from the loop, never from within a call of the engine.
 *
 * Order of events: what comes of a run says that it was accepted, should that word be
 * late; of states that were not heard the missing ones are made up. A run that was not
 * accepted has no `queued` in its log: who waits for it sees `finished` first.
 *
 * What the engine ends by itself: a run whose queue deadline passes (queue_timeout; cancel
 * is called, and then free; where it may have begun unheard, only when it would be over twice by
 * its limits of time, and a minute later), and one whose cancel nobody answers (after 5 s when it
 * is queued: cancelled; else after 30 s, or 5 s when the engine drains: internal_error). When free
 * is called, run_result(run) is that end, and NULL when the run goes on and only we do not follow
 * it any more.
 *
 * Drain: when the grace is over, runs go on without us that were accepted and that nobody
 * talks with (no open input, no terminal, not passing, not ending unattended): whoever
 * wants their end asks for it by their id, elsewhere or later. All others are cancelled.
 */
#ifndef RUNNEL_ENGINE_CARRIER_H
#define RUNNEL_ENGINE_CARRIER_H

#include "engine/engine.h"

struct carrier;
struct cargo; /* the carrier's part of one run */

struct carrier_ops {
    const char *name;
    const char *(*isolation)(const struct carrier *carrier);
    /* Can somebody carry it out? */
    bool (*has_language)(const struct carrier *carrier, const struct language *language);
    /* spec and its limits are checked; what it says beyond the engine's own copy is borrowed
     * for the call. NULL with err. */
    struct cargo *(*prepare)(struct carrier *carrier, struct run *run, const struct run_spec *spec,
                             struct err *err);
    /* ERR_BUSY: too many wait; ERR_BROKER: it cannot be sent now. The cargo stays the
     * engine's to free. */
    int (*send)(struct cargo *cargo, struct err *err);
    /* As run_write and the rest of engine.h; bytes may come before the run has started. */
    int (*write)(struct cargo *cargo, struct slice bytes, struct err *err);
    void (*close_input)(struct cargo *cargo);
    void (*signal)(struct cargo *cargo, int signal);
    void (*resize)(struct cargo *cargo, unsigned columns, unsigned rows);
    /* In any state. The end comes by run_carried_ended, or when it does not come in time
     * the engine ends the run itself. */
    void (*cancel)(struct cargo *cargo, const char *why);
    /* Of a streaming run: its readers have taken so many bytes of output of the present
     * attempt in all (or nobody holds it back for them), so that the far side may send on.
     * Said in steps of 64 KiB, which the far side's window must be larger than. What a gap
     * says was lost counts as taken. */
    void (*taken)(struct cargo *cargo, uint64_t bytes);
    /* As run_queue_position; 0 when it does not wait or that is not known. */
    size_t (*position)(const struct cargo *cargo);
    /* Expected wait in ms of one that stands at `position`. */
    uint64_t (*wait_ms)(const struct cargo *cargo);
    /* Of one that nobody was heard to have begun: can somebody have begun it, and not have been
     * able to say so? Then whoever has it minds its time in the queue, and tells its end. */
    bool (*may_have_begun)(const struct cargo *cargo);
    /* The run is over or forgotten: `run` must not be used any more, once this returns. */
    void (*free)(struct cargo *cargo);
    /* A run of another machine's engine, by its id (borrowed): `found` with a run made by
     * engine_adopt, or NULL. Called once, from the loop; always, even when the carrier ends. */
    void (*find)(struct carrier *carrier, const char *id,
                 void (*found)(void *context, struct run *run), void *context);
    /* Ids of the newest `max` runs that any machine knows, each with a NUL behind it, one
     * after the other; newest first. */
    void (*list)(struct carrier *carrier, size_t max,
                 void (*listed)(void *context, const char *ids, size_t count), void *context);
    /* As engine_resume. What is found goes to engine_adopt, with the spec's id, owner and note,
     * and recorded. */
    int (*resume)(struct carrier *carrier, const struct run_spec *spec, uint64_t age_ms,
                  void (*lost)(void *context, const char *id), void *context);
};

/* The first member of every carrier and cargo. */
struct carrier {
    const struct carrier_ops *ops;
};
struct cargo {
    const struct carrier_ops *ops;
};

/* What comes back of a run. Each does nothing once the run is ending. */
/* What is said next happened so long after the submission, by the far side's clock: it is told
 * so, but neither before what was told already nor later than now. 0: it happens now. */
void run_carried_at(struct run *run, uint64_t time_ms);
void run_carried_accepted(struct run *run);
/* It was not taken after all: ends as internal_error with `why` (ERR_BROKER's text), or as
 * cancelled if it was. One that was accepted already goes on. */
void run_carried_refused(struct run *run, const char *why);
/* state: as on the far side; one that cannot follow ours is passed over */
void run_carried_state(struct run *run, enum run_state state);
/* Who has it, copied: the last one that is named stays. */
void run_carried_worker(struct run *run, const char *name);
/* EVENT_STDOUT, EVENT_STDERR or EVENT_NOTICE */
void run_carried_output(struct run *run, enum event_kind kind, struct slice bytes);
void run_carried_usage(struct run *run, uint64_t cpu_ms, uint64_t memory_bytes);
/* Bytes of it were lost on the way (0: nobody knows how many; then the carrier sees to it
 * that the far side does not wait for their being taken): readers get one EVENT_GAP */
void run_carried_gap(struct run *run, uint64_t bytes);
/* It begins anew, with this attempt, which is higher than the last (else nothing happens);
 * a batch run alone. What it said is void, its queue deadline begins anew. */
void run_carried_again(struct run *run, unsigned attempt);
/* artifacts: names and sizes alone, each with its refusal; copied */
void run_carried_ended(struct run *run, const struct run_result *result,
                       const struct run_artifact *artifacts, size_t artifact_count);

/* A run that another machine took, seen from here: as `spec` says, with its id, in state
 * `queued`; sent nowhere, counted nowhere, recorded by nobody. Takes the cargo, also on
 * failure; one that is known already is given back, and the cargo freed. It is forgotten
 * (its cargo freed) when it has had no reader for spec.unattended_ms; once it has
 * ended it is kept as every run is.
 *
 * With spec.recorded it is one of ours, which was sent by a process before this one
 * (engine_resume): from here on as every other that was sent, but that no quota is asked. */
struct run *engine_adopt(struct engine *engine, const struct run_spec *spec, struct cargo *cargo,
                         uint64_t age_ms, struct err *err);

#endif
