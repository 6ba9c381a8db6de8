/* SPDX-License-Identifier: MIT */
/* spawner_loop.c — one poll over everything that can happen, and the replies.
 *
 * Replies are owed, not sent: each stage notes what its front is to be told,
 * and the notes are turned into messages when the socket takes them. So a front
 * that does not read can never hold the spawner up.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/spawner.h"

/* Fixed places in the poll's array; two for each stage follow, and one for each look. */
enum { AT_SOCKET, AT_SIGNALS, AT_FRONT, AT_STAGES };
enum {
    EXIT_MALFORMED = 70,
    EXIT_NO_MEMORY = 71,
    REQUESTS_A_TURN = 32,
    SIGNALS_AGAIN_MS = 1,
    MEMORY_AGAIN_MS = 10
};

struct loop_state {
    struct spawner *spawner;
    struct pollfd *fds;
    struct spawner_stage **stages; /* whose are fds[AT_STAGES + 2 * i] and the next */
    size_t room;                   /* stages that fit, and looks */
    size_t looks;                  /* that are in fds, behind the stages */
    int look_pause_ms;             /* until one of them takes too long; -1: none */
    bool blocked;                  /* the front's socket is full */
    bool owes_signals;             /* to programs that are not there yet */
    int status;                    /* to exit with; -1: go on */
};

static int make_room(struct loop_state *loop)
{
    size_t count = MAX(loop->spawner->stage_count, loop->spawner->look_count);
    if (count <= loop->room && loop->fds)
        return 0;
    size_t room = MAX(count * 2, 16);
    struct pollfd *fds = realloc(loop->fds, (AT_STAGES + 3 * room) * sizeof *fds);
    if (fds)
        loop->fds = fds;
    struct spawner_stage **stages = realloc(loop->stages, room * sizeof *stages);
    if (stages)
        loop->stages = stages;
    if (!fds || !stages)
        return -ENOMEM;
    loop->room = room;
    return 0;
}

/* Without memory for all of them, those that fit are looked at; others when these have gone. */
static bool is_crowded(const struct loop_state *loop)
{
    return loop->spawner->stage_count > loop->room;
}

/* Behind the stages. Those that do not fit are reaped with one that does. */
static void gather_looks(struct loop_state *loop, struct pollfd *fds)
{
    loop->looks = 0;
    list_for_each (link, &loop->spawner->looks) {
        if (loop->looks == loop->room)
            break;
        const struct spawner_look *look = CONTAINER_OF(link, struct spawner_look, link);
        fds[loop->looks++] = (struct pollfd){.fd = look->pidfd, .events = POLLIN};
    }
}

static size_t gather(struct loop_state *loop)
{
    struct spawner *spawner = loop->spawner;
    short wanted = loop->blocked ? POLLIN | POLLOUT : POLLIN;
    loop->fds[AT_SOCKET] = (struct pollfd){.fd = spawner->socket, .events = wanted};
    loop->fds[AT_SIGNALS] = (struct pollfd){.fd = spawner->signals, .events = POLLIN};
    loop->fds[AT_FRONT] = (struct pollfd){.fd = spawner->front, .events = POLLIN};
    size_t count = 0;
    list_for_each (link, &spawner->stages) {
        struct spawner_stage *stage = CONTAINER_OF(link, struct spawner_stage, link);
        struct pollfd *fds = &loop->fds[AT_STAGES + 2 * count];
        if (count == loop->room)
            break;
        fds[0] = (struct pollfd){.fd = stage->pidfd, .events = POLLIN};
        fds[1] = (struct pollfd){
            .fd = stage->group && stage->pidfd >= 0 ? cgroup_oom_fd(stage->group) : -1,
            .events = POLLIN};
        loop->stages[count++] = stage;
    }
    gather_looks(loop, &loop->fds[AT_STAGES + 2 * count]);
    return count;
}

/* False when the socket takes no more now. */
static bool pay(struct spawner *spawner, struct spawner_stage *stage, enum sandbox_reply_kind kind)
{
    if (!(stage->owed & 1U << kind))
        return true;
    struct sandbox_reply reply = {
        .kind = kind, .id = stage->id, .usage = stage->sample, .waiting = stage->waiting};
    if (kind == REPLY_ENDED)
        reply = stage->end;
    int rc = fd_send(spawner->socket, &reply, offsetof(struct sandbox_reply, path), NULL, 0);
    if (spawner_must_wait(rc))
        return false;
    stage->owed &= ~(1U << kind); /* a front that is gone shows in the poll */
    return true;
}

static bool pay_all(struct spawner *spawner)
{
    list_for_each_safe (link, following, &spawner->stages) {
        struct spawner_stage *stage = CONTAINER_OF(link, struct spawner_stage, link);
        if (!pay(spawner, stage, REPLY_STARTED) || !pay(spawner, stage, REPLY_SAMPLED) ||
            !pay(spawner, stage, REPLY_PROBED))
            return false;
        bool ended = stage->owed & 1U << REPLY_ENDED;
        if (!pay(spawner, stage, REPLY_ENDED))
            return false;
        if (ended)
            spawner_free_stage(spawner, stage);
    }
    return spawner_collect_some(spawner);
}

/* Is there something to do that no descriptor will tell of? */
static bool is_busy(const struct loop_state *loop)
{
    return !list_empty(&loop->spawner->collections) && !loop->blocked && loop->spawner->socket >= 0;
}

/* All three mean: come to an end. Under `serve` that is the front's to do, in its
 * own time; a Ctrl-C at the terminal (from the kernel) has reached it as well. */
static void take_signals(struct loop_state *loop)
{
    struct spawner *spawner = loop->spawner;
    struct signalfd_siginfo info;
    while (read(spawner->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        spawner->stopping = true;
        if (spawner->front < 0)
            loop->status = 0;
        else if (info.ssi_code != SI_KERNEL)
            (void)sys_pidfd_send_signal(spawner->front, SIGTERM);
    }
}

/* A front that is our parent has gone: so do we. One that we started shows by
 * its end. */
static void front_gone(struct loop_state *loop)
{
    if (loop->spawner->front < 0)
        loop->status = 0;
    else
        fd_close(&loop->spawner->socket);
}

static void take_requests(struct loop_state *loop)
{
    for (int i = 0; i < REQUESTS_A_TURN; i++) {
        int rc = spawner_take_request(loop->spawner);
        if (rc == -EAGAIN)
            return;
        bool is_our_want = rc == -EMFILE || rc == -ENOMEM;
        if (rc < 0) {
            spawner_log("error", is_our_want ? "request_lost" : "malformed_request", strerror(-rc));
            loop->status = is_our_want ? EXIT_NO_MEMORY : EXIT_MALFORMED;
        }
        if (rc == 0)
            front_gone(loop);
        if (rc <= 0)
            return;
    }
}

static void take_stages(struct loop_state *loop, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct spawner_stage *stage = loop->stages[i];
        const struct pollfd *fds = &loop->fds[AT_STAGES + 2 * i];
        if (fds[1].revents != 0)
            spawner_note_oom(stage);
        if (fds[0].revents != 0)
            spawner_end_stage(loop->spawner, stage);
    }
}

static void take_looks(struct loop_state *loop, const struct pollfd *fds)
{
    for (size_t i = 0; i < loop->looks; i++) {
        if (fds[i].revents == 0)
            continue;
        spawner_reap_looks(loop->spawner);
        return;
    }
}

static void start_front_when_due(struct loop_state *loop)
{
    struct spawner *spawner = loop->spawner;
    struct err err = {0};
    if (spawner->front_due_ns == 0 || spawner_now_ns() < spawner->front_due_ns)
        return;
    if (spawner_start_front(spawner, &err) < 0) {
        spawner_log("error", "front_unstartable", err.text);
        loop->status = EXIT_NO_MEMORY;
    }
}

static int sooner(int pause_ms, int other_ms)
{
    return pause_ms < 0 ? other_ms : MIN(pause_ms, other_ms);
}

/* Milliseconds until there is something to do without being asked; -1: none. */
static int pause_ms(const struct loop_state *loop)
{
    const struct spawner *spawner = loop->spawner;
    uint64_t now = spawner_now_ns();
    uint64_t due = spawner->front_due_ns;
    int pause = spawner->networks ? netns_tend(spawner->networks, now) : -1;
    if (due != 0)
        pause = sooner(pause, due <= now ? 0 : (int)((due - now) / NS_PER_MS) + 1);
    if (is_crowded(loop))
        pause = sooner(pause, MEMORY_AGAIN_MS);
    if (loop->look_pause_ms >= 0)
        pause = sooner(pause, loop->look_pause_ms);
    return loop->owes_signals ? sooner(pause, SIGNALS_AGAIN_MS) : pause;
}

static void turn(struct loop_state *loop)
{
    struct spawner *spawner = loop->spawner;
    if (make_room(loop) < 0 && loop->room == 0) {
        loop->status = EXIT_NO_MEMORY;
        return;
    }
    size_t count = gather(loop);
    /* Pooled things are tended only when nothing else waits to be done. */
    size_t fd_count = AT_STAGES + 2 * count + loop->looks;
    int ready = poll(loop->fds, fd_count, 0);
    if (ready == 0 && !is_busy(loop))
        ready = poll(loop->fds, fd_count, pause_ms(loop));
    if (ready < 0 && errno == ENOMEM)
        (void)usleep(MEMORY_AGAIN_MS * 1000);
    else if (ready < 0 && errno != EINTR)
        loop->status = EXIT_NO_MEMORY;
    if (ready > 0) {
        take_looks(loop, &loop->fds[AT_STAGES + 2 * count]);
        take_stages(loop, count);
        if (loop->fds[AT_SIGNALS].revents != 0)
            take_signals(loop);
        if (loop->fds[AT_SOCKET].revents & (POLLIN | POLLHUP | POLLERR))
            take_requests(loop);
        /* One that asked for what none of ours asks for has ended us, dead or alive. */
        if (loop->fds[AT_FRONT].revents != 0 && loop->status < 0)
            loop->status = spawner_front_ended(spawner);
    }
    start_front_when_due(loop);
    loop->look_pause_ms = spawner_hurry_looks(spawner);
    loop->owes_signals = spawner_send_signals(spawner);
    loop->blocked = spawner->socket >= 0 && !pay_all(spawner);
}

int spawner_loop(struct spawner *spawner)
{
    struct loop_state loop = {.spawner = spawner, .look_pause_ms = -1, .status = -1};
    if (spawner->socket < 0)
        spawner->front_due_ns = 1;
    start_front_when_due(&loop);
    while (loop.status < 0)
        turn(&loop);
    free(loop.fds);
    free(loop.stages);
    return loop.status;
}
