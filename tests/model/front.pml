/* SPDX-License-Identifier: MIT */
/* front.pml — what the front does with one run (src/fleet/front_*.c). */

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
#ifdef NO_WAY_BACK
    :: RUN.seen > 0 && RUN.mirror != preparing -> move(RUN.mirror, preparing)
#else
    :: RUN.seen > 0 && RUN.mirror != queued -> move(RUN.mirror, queued)
#endif
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
#define MAY_FOLLOW(to)                                                                     \
    (RUN.mirror == queued || (RUN.mirror == preparing && to != preparing) ||               \
     (RUN.mirror == compiling && (to == running || to == waiting)) ||                      \
     (RUN.mirror == running && to == waiting) || (RUN.mirror == waiting && to == running))
#define CAN_HEAR(w)                                                                        \
    (IS_OPEN && UNDER_WAY(w, r) &&                                                         \
     (workers[w].jobs[r].attempt > RUN.seen ||                                             \
      (workers[w].jobs[r].attempt == RUN.seen && MAY_FOLLOW(workers[w].jobs[r].state))))

/* Events come in their order, now or never: a mirror that is behind shows in that it has not
 * heard yet. */
inline hear(w, r)
{
    if
    :: workers[w].jobs[r].attempt > RUN.seen -> begin_again(r, workers[w].jobs[r].attempt)
    :: else
    fi;
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

    /* it dies; the one that is started again follows what was sent (front_resume.c), and has heard
     * nothing of it. What it has told stays told: the store knows that. */
    :: d_step {
        IS_OPEN && (RUN.message == sent || RUN.message == again) &&
        (RUN.mirror != queued || RUN.seen > 0) && MAY_BREAK ->
            BREAKS;
            RUN.message = again;
            RUN.mirror = queued;
            RUN.seen = 0
    }

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
