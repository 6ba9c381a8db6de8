/* SPDX-License-Identifier: MIT */
/* life.pml — the life of a run that a front takes and workers carry out, with everything that
 * may happen on the way: a worker dies, is cut off from the broker, or is so slow that its lease
 * ends; the front's connection breaks with a job on it; the front dies, and is started again; jobs
 * come twice; clients cancel; time runs out. For spin; run.py builds it, runs it, and shows that it can fail.
 *
 * What must hold in every state
 *   a run moves along the arrows of engine/run_state.h alone, in the worker and in the front
 *   it has one end: nothing replaces the stored result, and the front tells that one, once
 *   no two workers carry it out at once, unless a lease was lost under one that lives
 *   nobody begins a program anew into which somebody may have typed
 *   a run that ends its workers ends no more than ATTEMPTS_MAX of them, and only such a run is
 *   called dead
 *   a slot is taken by a run that is under way, and by nothing else
 * and once nothing breaks any more (calm), whatever had happened, when nothing more can happen:
 *   every run has ended, and its front has told it
 *   no message, no delivery, no lease and no slot is left
 *
 * Each step below is one that nothing can come between: one script in Redis, one message, one
 * turn of a loop. What is not here: Redis away or emptied (then a run may be carried out twice
 * and the first end that the front hears counts; tests/system has it), what programs write, a front
 * that dies with a message of which it does not know whether the broker has it (its run may be lost,
 * which is told), and one that stays away (its runs' results stay in Redis).
 */
#ifndef RUNS
#define RUNS 2
#endif
#ifndef TROUBLES
#define TROUBLES 255 /* of what may go wrong in all; 255: as much as there is */
#endif
#define LAPSES_MAX 1 /* leases that are lost under a worker that lives, of a run */
#define WORKERS 2
#define SLOTS 1
#define IN_HAND 2      /* jobs that a worker has at most: 2 for each slot */
#define ATTEMPTS_MAX 2 /* fleet/names.h */
#define GIVEN_BACK_MAX 1

/* engine/run_state.h; 0 is a run that nobody has submitted yet. */
mtype:run_state = { queued, preparing, compiling, running, waiting, finished };

/* What a worker has of a run. */
mtype:hand = {
    nothing,
    asking, /* a delivery; Redis is asked what became of the run so far */
    having, /* the run, in its engine */
    ending, /* its result, which is to be stored */
    stored  /* its delivery, which is to be acknowledged */
};

/* What became of the front's message. */
mtype:message = { unsent, sent, lost, again };

#define NOBODY 0 /* else 1 + the worker's number, or */
#define FRONT (WORKERS + 1)
#define OF(w) ((w) + 1)

typedef task {
    mtype:hand hand;
    mtype:run_state state; /* in the worker's engine */
    bool holds;            /* a delivery that the broker counts as ours */
    unsigned attempt : 3
};
typedef machine {
    task jobs[RUNS];
    unsigned slots : 2;
    unsigned in_hand : 3
};
typedef life {
    bool is_batch;
    /* the front */
    mtype:message message;
    mtype:run_state mirror;
    unsigned seen : 3; /* the attempt that it last heard of */
    unsigned told : 2; /* whose result it has told */
    /* the broker */
    unsigned ready : 2;
    /* Redis */
    bool is_cancelled;
    unsigned lease : 2;
    unsigned begun : 3;
    unsigned given_back : 2;
    unsigned result : 2;
    /* what really happened */
    unsigned deaths : 2; /* of workers that had begun it */
    unsigned lapses : 2  /* of leases under workers that live */
};

life runs[RUNS];
machine workers[WORKERS];
byte troubles = TROUBLES; /* that may still come */

#define MAY_BREAK (troubles > 0)
#define BREAKS troubles = troubles - (troubles < 255)
#define RUN runs[r]
#define WORKER workers[w]
#define JOB workers[w].jobs[r]
#define LOST(r) (runs[r].begun - runs[r].given_back)
#define UNDER_WAY(w, r) (workers[w].jobs[r].hand == having && workers[w].jobs[r].state != queued)

#define HAS_BEGUN(w, r)                                                                    \
    (UNDER_WAY(w, r) ||                                                                    \
     (workers[w].jobs[r].state == finished && workers[w].jobs[r].attempt > 0))

/* The arrows of run_state.c; run.py compares them. */
inline move(now, to)
{
    if
    :: now == queued -> assert(to == preparing || to == finished)
    :: now == preparing ->
        assert(to == compiling || to == running || to == finished || to == queued)
    :: now == compiling -> assert(to == running || to == finished || to == queued)
    :: now == running -> assert(to == waiting || to == finished || to == queued)
    :: now == waiting -> assert(to == running || to == finished)
    :: else -> assert(false)
    fi;
    now = to
}

/* fleet/one_end.c: the first one stays. */
inline store_result(r, whose)
{
    if
#ifdef LAST_END_STAYS
    :: true ->
        assert(RUN.result == NOBODY);
        RUN.result = whose
#else
    :: RUN.result == NOBODY -> RUN.result = whose
    :: else
#endif
    fi
}

#include "front.pml"
#include "worker.pml"

init
{
    byte r;
    byte w;
    byte interactive;
    atomic {
        select (interactive : 0 .. RUNS);
        r = 0;
        do
        :: r < RUNS ->
#ifdef COARSE
            RUN.message = sent;
            RUN.mirror = queued;
            RUN.ready = 1;
#else
            RUN.message = unsent;
#endif
            w = 0;
            do
            :: w < WORKERS -> JOB.hand = nothing; run worker_of(w, r); w++
            :: else -> break
            od;
            RUN.is_batch = r >= interactive;
            run front(r);
            r++
        :: else -> break
        od;
        run trouble(0);
        run trouble(1);
        r = 0;
        w = 0;
        interactive = 0
    }
    troubles = 0;
    timeout;
    d_step {
        do
        :: r < RUNS ->
            assert(RUN.mirror == finished);
            assert(RUN.result != NOBODY && RUN.told == RUN.result);
            assert(RUN.ready == 0 && RUN.lease == NOBODY);
            r++
        :: else -> break
        od;
        r = 0;
        do
        :: w < WORKERS ->
            assert(WORKER.slots == 0 && WORKER.in_hand == 0);
            w++
        :: else -> break
        od
    }
}
