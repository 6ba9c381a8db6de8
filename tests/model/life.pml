/* SPDX-License-Identifier: MIT */
/* life.pml — the life of a run that a front takes and workers carry out, with everything that
 * may happen on the way: a worker dies, is cut off from the broker, or is so slow that its lease
 * ends; the front's connection breaks with a job on it; jobs come twice; clients cancel; time
 * runs out. For spin; run.py builds it, runs it, and shows that it can fail.
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
 * and the first end that the front hears counts; tests/system has it), what programs write, and
 * a front that ends (its runs' results stay in Redis).
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
    nothing, /* or not yet */
    asking,  /* a delivery; Redis is asked what became of the run so far */
    having,  /* the run, in its engine */
    ending,  /* its result, which is to be stored */
    storing_done /* its delivery, which is to be acknowledged */
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

/* --- the front --- */

/* A state that it hears of; what it has not heard of on the way is made up. */
inline follow(r, to)
{
    if
    :: RUN.mirror == queued -> move(RUN.mirror, preparing)
    :: else
    fi;
    if
    :: to == compiling && RUN.mirror == preparing -> move(RUN.mirror, compiling)
    :: to == waiting && (RUN.mirror == preparing || RUN.mirror == compiling) ->
        move(RUN.mirror, running)
    :: else
    fi;
    if
    :: (to == running || to == waiting) && RUN.mirror != to -> move(RUN.mirror, to)
    :: else
    fi
}

/* A later attempt than it knows: what the earlier one said is void. */
inline begin_again(r, number)
{
    if
    :: RUN.seen > 0 && RUN.mirror == waiting -> move(RUN.mirror, running)
    :: else
    fi;
    if
    :: RUN.seen > 0 && RUN.mirror != queued -> move(RUN.mirror, queued)
    :: else
    fi;
    RUN.seen = number
}

#ifdef COARSE
#define HAS_HEARD (RUN.begun > 0)
#else
#define HAS_HEARD (RUN.seen > 0)
#endif
#define IS_OPEN (RUN.mirror != 0 && RUN.mirror != finished)
#define CAN_HEAR(w)                                                                           \
    (IS_OPEN && UNDER_WAY(w, r) && workers[w].jobs[r].attempt >= RUN.seen &&                  \
     (workers[w].jobs[r].attempt > RUN.seen || RUN.mirror == queued ||                        \
      (RUN.mirror == preparing && workers[w].jobs[r].state != preparing) ||                   \
      (RUN.mirror == compiling && workers[w].jobs[r].state == running) ||                     \
      (RUN.mirror == compiling && workers[w].jobs[r].state == waiting) ||                     \
      (RUN.mirror == running && workers[w].jobs[r].state == waiting) ||                       \
      (RUN.mirror == waiting && workers[w].jobs[r].state == running)))

/* Events come in their order, now or never: a mirror that is behind shows in that it has not
 * heard yet. */
inline hear(w, r)
{
    if
#ifndef NO_WAY_BACK
    :: workers[w].jobs[r].attempt > RUN.seen -> begin_again(r, workers[w].jobs[r].attempt)
#endif
    :: else
    fi;
#ifdef NO_WAY_BACK
    if
    :: workers[w].jobs[r].attempt > RUN.seen && RUN.seen > 0 ->
        RUN.seen = workers[w].jobs[r].attempt;
        move(RUN.mirror, preparing)
    :: else
    fi;
    RUN.seen = workers[w].jobs[r].attempt;
#endif
    follow(r, workers[w].jobs[r].state)
}

proctype front(byte r)
{
end:
    do
    /* a job, sent; the connection may break before the broker has it, or before it says so */
    :: d_step { RUN.message == unsent -> RUN.message = sent; RUN.mirror = queued; RUN.ready++ }
    :: d_step { RUN.message == unsent && MAY_BREAK -> BREAKS; RUN.message = lost; RUN.mirror = queued }
    :: d_step { RUN.message == sent && MAY_BREAK -> BREAKS; RUN.message = lost }
    :: d_step { RUN.message == lost && RUN.mirror == queued -> RUN.message = again; RUN.ready++ }

#ifndef COARSE
    :: d_step { CAN_HEAR(0) -> hear(0, r) }
    :: d_step { CAN_HEAR(1) -> hear(1, r) }
#endif

    /* a client cancels; one that waits is ended from here, also when its time is up */
    :: d_step { IS_OPEN && !RUN.is_cancelled && MAY_BREAK -> BREAKS; RUN.is_cancelled = true }
    :: d_step {
        RUN.mirror == queued && RUN.result == NOBODY && (RUN.is_cancelled || MAY_BREAK) ->
            if
            :: RUN.is_cancelled
            :: else -> BREAKS
            fi;
            store_result(r, FRONT)
    }
    /* its worker is lost, and nobody else may have it */
    :: d_step {
        IS_OPEN && !RUN.is_batch && HAS_HEARD && RUN.lease == NOBODY && RUN.result == NOBODY ->
            store_result(r, FRONT)
    }
#ifdef TELLS_UNSTORED
    :: d_step { IS_OPEN && workers[0].jobs[r].hand == ending ->
        move(RUN.mirror, finished); RUN.told = OF(0) }
    :: d_step { IS_OPEN && workers[1].jobs[r].hand == ending ->
        move(RUN.mirror, finished); RUN.told = OF(1) }
#endif
#ifdef TELLS_TWICE
    :: d_step { RUN.mirror != 0 && RUN.result != NOBODY ->
#else
    :: d_step { IS_OPEN && RUN.result != NOBODY ->
#endif
        move(RUN.mirror, finished);
        RUN.told = RUN.result
    }
    od
}

/* --- a worker and one run --- */

inline forget(w, r)
{
    JOB.hand = nothing;
    JOB.state = 0;
    JOB.attempt = 0;
    WORKER.in_hand--
}

inline give_to_broker(w, r)
{
    RUN.ready = RUN.ready + JOB.holds;
    JOB.holds = false;
    forget(w, r)
}

inline acknowledge(w, r)
{
    JOB.holds = false;
    forget(w, r)
}

inline release_lease(w, r)
{
    if
    :: RUN.lease == OF(w) -> RUN.lease = NOBODY
    :: else
    fi
}

inline leave_slot(w, r)
{
    if
    :: JOB.state != queued -> WORKER.slots--
    :: else
    fi
}

#ifdef NO_LEASE_CHECK
#define MAY_ASK true
#else
#define MAY_ASK (RUN.lease == NOBODY || RUN.lease == OF(w) || RUN.result != NOBODY)
#endif

/* The delivery of a run that the worker knows is another's of the same message, when its own
 * connection was lost meanwhile; else it is one too many. */
inline take_delivery(w, r)
{
    RUN.ready--;
    if
    :: JOB.hand == nothing ->
        JOB.hand = asking;
        JOB.holds = true;
        WORKER.in_hand++
    :: else -> JOB.holds = true
    fi
}

/* fleet/worker_decide.c. The lease is taken in the same script that looks. */
inline ask(w, r)
{
    assert(JOB.holds);
    if
#ifdef NO_LEASE_CHECK
    :: true
#else
    :: RUN.lease == NOBODY
#endif
        -> RUN.lease = OF(w)
    :: else
    fi;
    if
    :: RUN.result != NOBODY ->
        release_lease(w, r);
        acknowledge(w, r)
    :: RUN.result == NOBODY && RUN.is_cancelled -> JOB.hand = ending
#ifndef NO_ATTEMPTS
    :: RUN.result == NOBODY && !RUN.is_cancelled && LOST(r) >= ATTEMPTS_MAX ->
        assert(RUN.deaths + RUN.lapses >= ATTEMPTS_MAX);
        JOB.hand = ending
#endif
#ifndef TYPED_AGAIN
    :: RUN.result == NOBODY && !RUN.is_cancelled && LOST(r) > 0 && LOST(r) < ATTEMPTS_MAX &&
        !RUN.is_batch -> JOB.hand = ending
#endif
    :: else ->
        JOB.hand = having;
        JOB.state = queued;
        JOB.attempt = RUN.begun + 1
    fi
}

/* Its slot is free, and Redis is told; what Redis says of it then may cancel it, which is one
 * of the ends that are open to it anyway. An attempt that somebody else has begun meanwhile,
 * who had the lease when this worker was slow, is not begun twice. */
inline begin(w, r)
{
    if
#ifndef BEGINS_ANYWAY
    :: RUN.begun >= JOB.attempt -> give_to_broker(w, r)
#endif
    :: else ->
        WORKER.slots++;
        move(JOB.state, preparing);
        RUN.begun = JOB.attempt;
        assert(RUN.is_batch || JOB.attempt == 1);
        assert(!(UNDER_WAY(0, r) && UNDER_WAY(1, r)) || RUN.lapses > 0)
    fi
}

inline finish(w, r)
{
    if
    :: JOB.state == queued -> JOB.attempt = 0 /* which never was one */
    :: else -> WORKER.slots--
    fi;
    move(JOB.state, finished);
    JOB.hand = ending
}

/* Another has its lease, or it was ended elsewhere: as if nothing had been. */
inline abandon(w, r)
{
#ifndef SLOT_KEPT
    leave_slot(w, r);
#endif
#ifdef ACK_ABANDONED
    acknowledge(w, r)
#else
    give_to_broker(w, r)
#endif
}

inline store(w, r)
{
    if
    :: RUN.lease != NOBODY && RUN.lease != OF(w) ->
#ifdef ACK_VOID
        acknowledge(w, r)
#else
        give_to_broker(w, r)
#endif
    :: else ->
        RUN.lease = NOBODY;
        store_result(r, OF(w));
        JOB.hand = storing_done
    fi
}

proctype worker_of(byte w; byte r)
{
end:
    do
    :: d_step {
        RUN.ready > 0 && WORKER.in_hand < IN_HAND && !(JOB.hand != nothing && JOB.holds) ->
            take_delivery(w, r)
    }
    :: d_step { RUN.ready > 0 && WORKER.in_hand < IN_HAND && JOB.holds -> RUN.ready-- }
    :: d_step { JOB.hand == asking && MAY_ASK -> ask(w, r) }

    /* in its engine */
    :: d_step { JOB.hand == having && JOB.state == queued && WORKER.slots < SLOTS -> begin(w, r) }
#ifndef COARSE
    :: d_step { JOB.hand == having && JOB.state == preparing -> move(JOB.state, compiling) }
    :: d_step { JOB.hand == having && JOB.state == running -> move(JOB.state, waiting) }
#endif
    :: d_step {
        JOB.hand == having &&
        (JOB.state == preparing || JOB.state == compiling || JOB.state == waiting) ->
            move(JOB.state, running)
    }
    :: d_step { JOB.hand == having && (JOB.state != queued || RUN.is_cancelled) -> finish(w, r) }
    :: d_step { JOB.hand == having && JOB.state == queued && MAY_BREAK -> BREAKS; finish(w, r) }

    /* its lease, said again and again */
    :: d_step {
        JOB.hand == having && RUN.result == NOBODY && RUN.lease == NOBODY -> RUN.lease = OF(w)
    }
    :: d_step {
        JOB.hand == having &&
        (RUN.result != NOBODY || (RUN.lease != NOBODY && RUN.lease != OF(w))) -> abandon(w, r)
    }

    /* its end */
#ifdef ACK_FIRST
    :: d_step { JOB.hand == ending && JOB.holds -> JOB.holds = false }
    :: d_step { JOB.hand == ending && !JOB.holds -> store(w, r) }
#else
    :: d_step { JOB.hand == ending -> store(w, r) }
#endif
    :: d_step { JOB.hand == storing_done -> acknowledge(w, r) }

    /* the worker is told to end: others shall have it */
    :: d_step {
        MAY_BREAK && JOB.hand == having && (RUN.is_batch || JOB.state == queued) &&
        RUN.given_back < GIVEN_BACK_MAX ->
            BREAKS;
            RUN.given_back = RUN.given_back + (JOB.state != queued);
            leave_slot(w, r);
            release_lease(w, r);
            give_to_broker(w, r)
    }

    /* a lease that nobody renews ends; one of a worker that is too slow, too */
    :: d_step { RUN.lease == OF(w) && JOB.hand == nothing -> RUN.lease = NOBODY }
    :: d_step {
        MAY_BREAK && RUN.lease == OF(w) && JOB.hand != nothing && RUN.lapses < LAPSES_MAX ->
            BREAKS;
            RUN.lease = NOBODY;
            RUN.lapses++
    }
    od
}

/* --- what breaks --- */

proctype trouble(byte w)
{
    byte r;
end:
    do
    /* it dies, and is started again */
    :: d_step {
        MAY_BREAK && WORKER.in_hand > 0 ->
            BREAKS;
            r = 0;
            do
            :: r < RUNS ->
                RUN.deaths = RUN.deaths + HAS_BEGUN(w, r);
                assert(RUN.deaths <= ATTEMPTS_MAX);
                RUN.ready = RUN.ready + JOB.holds;
                JOB.holds = false;
                JOB.hand = nothing;
                JOB.state = 0;
                JOB.attempt = 0;
                r++
            :: else -> break
            od;
            r = 0;
            WORKER.slots = 0;
            WORKER.in_hand = 0
    }
    /* the broker is lost: its deliveries are others' now, and what has not begun is forgotten */
    :: d_step {
        MAY_BREAK && WORKER.in_hand > 0 ->
            BREAKS;
            r = 0;
            do
            :: r < RUNS && JOB.hand == asking ->
                release_lease(w, r);
                give_to_broker(w, r);
                r++
            :: r < RUNS && JOB.hand != asking ->
                RUN.ready = RUN.ready + JOB.holds;
                JOB.holds = false;
                r++
            :: else -> break
            od;
            r = 0
    }
    od
}

/* --- what must hold --- */

inline slots_are_right(w)
{
    assert(workers[w].slots <= SLOTS)
}

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
