/* SPDX-License-Identifier: MIT */
/* worker.pml — what a worker does with one run (src/fleet/worker_*.c), and what happens to a
 * worker. */

inline forget(w, r)
{
    JOB.hand = nothing;
    JOB.state = 0;
    JOB.attempt = 0;
    WORKER.in_hand--
}

/* To the broker, for whoever it goes to next; without a delivery there is nothing to give. */
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

/* One of a run that the worker knows is the same message again, when its connection was lost
 * meanwhile; else it is a second one, which is one too many. */
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
        JOB.hand = stored
    fi
}

proctype worker_of(byte w; byte r)
{
end:
    do
    :: d_step {
        RUN.ready > 0 && WORKER.in_hand < IN_HAND && !JOB.holds -> take_delivery(w, r)
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
    :: d_step { JOB.hand == stored -> acknowledge(w, r) }

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
