/* SPDX-License-Identifier: MIT */
#include "cli/follow.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/shared_watch.h"
#include "cli/terminal.h"
#include "engine/engine.h"
#include "loop/loop.h"
#include "os/fd.h"

enum {
    /* A pipe that poll calls writable takes this much without waiting (PIPE_BUF). */
    WRITE_MAX = 4096,
    READ_MAX = 64 * 1024,
    INPUT_RETRY_MS = 10,
};

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};

struct follow {
    const struct follow_spec *spec;
    struct loop *loop;
    struct run *run;
    struct reader *reader;
    struct follow_text *text;
    unsigned attempt;                /* whose text it is */
    struct shared_watch *outputs[2]; /* on our stdout and stderr */
    struct slice pending;            /* not yet written, to … */
    int pending_fd;
    int broken; /* why nothing more can be written (errno); 0: it can */
    struct shared_watch *input;
    struct loop_timer *retry;
    char chunk[READ_MAX];
    size_t chunk_len; /* the run did not take it yet */
    struct loop_signal *signals[ARRAY_LEN(ending_signals)];
    struct loop_signal *resized;
    bool interrupted;
};

static void begin_write(struct follow *follow, int fd, struct slice bytes)
{
    if (follow->spec->collect) {
        buf_add_slice(fd == STDOUT_FILENO ? &follow->text->out : &follow->text->err, bytes);
        return;
    }
    if (bytes.len == 0 || follow->broken)
        return;
    follow->pending = bytes;
    follow->pending_fd = fd;
    shared_watch_enable(follow->outputs[fd - STDOUT_FILENO], true);
}

static void begin_anew(struct follow *follow, unsigned attempt)
{
    follow->attempt = attempt;
    if (follow->spec->collect) {
        buf_clear(&follow->text->out);
        buf_clear(&follow->text->err);
    }
}

/* Takes events until one has bytes that must be written first. */
static void pump(struct follow *follow)
{
    struct event event;
    while (follow->pending.len == 0 && reader_next(follow->reader, &event) > 0) {
        if (event.attempt > follow->attempt)
            begin_anew(follow, event.attempt);
        switch (event.kind) {
        case EVENT_STDOUT:
            begin_write(follow, STDOUT_FILENO, event.bytes);
            break;
        case EVENT_STDERR:
        case EVENT_NOTICE:
            begin_write(follow, STDERR_FILENO, event.bytes);
            break;
        case EVENT_END:
            loop_stop(follow->loop);
            return;
        case EVENT_STATE:
        case EVENT_USAGE:
        case EVENT_GAP:
            break;
        }
    }
}

static void on_events(void *context)
{
    pump(context);
}

static void on_output_room(void *context)
{
    struct follow *follow = context;
    int fd = follow->pending_fd;
    ssize_t put = write(fd, follow->pending.at, MIN(follow->pending.len, (size_t)WRITE_MAX));
    if (put < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (put < 0) {
        follow->broken = errno;
        follow->pending.len = 0;
        run_cancel(follow->run, follow->broken == EPIPE ? "nobody reads its output"
                                                        : "its output cannot be written");
    } else {
        follow->pending.at += put;
        follow->pending.len -= (size_t)put;
    }
    if (follow->pending.len > 0)
        return;
    shared_watch_enable(follow->outputs[fd - STDOUT_FILENO], false);
    pump(follow);
}

static void end_input(struct follow *follow)
{
    shared_watch_free(follow->input);
    follow->input = NULL;
    run_close_input(follow->run);
}

/* A run takes a chunk whole or not at all; then it is offered again. */
static void offer_chunk(void *context)
{
    struct follow *follow = context;
    struct err err = {0};
    struct slice chunk = {follow->chunk, follow->chunk_len};
    if (!follow->input)
        return;
    if (run_write(follow->run, chunk, &err) == 0) {
        follow->chunk_len = 0;
        shared_watch_enable(follow->input, true);
    } else if (err.code == ERR_BUSY) {
        shared_watch_enable(follow->input, false);
        loop_timer_start(follow->retry, INPUT_RETRY_MS);
    } else {
        end_input(follow);
    }
}

static void on_input(void *context)
{
    struct follow *follow = context;
    ssize_t got = read(STDIN_FILENO, follow->chunk, sizeof follow->chunk);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        end_input(follow);
        return;
    }
    follow->chunk_len = (size_t)got;
    offer_chunk(follow);
}

/* The second time we do not wait for the run's end: the spawner sees that we
 * are gone, and clears away what is left. */
static void on_signal(void *context, int signal)
{
    struct follow *follow = context;
    (void)signal;
    if (follow->interrupted) {
        terminal_restore();
        _exit(verdict_exit_status(VERDICT_CANCELLED, 0, 0));
    }
    follow->interrupted = true;
    run_cancel(follow->run, "it was interrupted");
}

static void on_resized(void *context, int signal)
{
    struct follow *follow = context;
    unsigned columns;
    unsigned rows;
    (void)signal;
    terminal_size(&columns, &rows);
    if (columns > 0 && rows > 0)
        run_resize(follow->run, columns, rows);
}

static int hand_over_terminal(struct follow *follow, struct err *err)
{
    if (!follow->spec->terminal)
        return 0;
    follow->resized = loop_signal_new(follow->loop, SIGWINCH, on_resized, follow);
    on_resized(follow, SIGWINCH);
    return terminal_make_raw(err);
}

/* Under nohup a run goes on when the terminal is closed. The others end it even
 * where a script's background had them ignored: who sends one to us means it. */
static bool is_wanted(int signal)
{
    struct sigaction present;
    return signal != SIGHUP ||
           (sigaction(signal, NULL, &present) == 0 && present.sa_handler != SIG_IGN);
}

static int set_up(struct follow *follow, struct err *err)
{
    enum reader_form form = follow->spec->collect ? READER_TEXT : READER_BYTES;
    for (int i = 0; i < 2; i++) {
        follow->outputs[i] =
            shared_watch_new(follow->loop, STDOUT_FILENO + i, LOOP_WRITE, on_output_room, follow);
        if (!follow->outputs[i])
            return err_sys(err, errno, "watch descriptor %d", STDOUT_FILENO + i);
    }
    follow->retry = loop_timer_new(follow->loop, offer_chunk, follow);
    if (follow->spec->input) {
        follow->input = shared_watch_new(follow->loop, STDIN_FILENO, LOOP_READ, on_input, follow);
        if (!follow->input)
            return err_sys(err, errno, "watch stdin");
        shared_watch_enable(follow->input, true);
    }
    for (size_t i = 0; i < ARRAY_LEN(ending_signals); i++) {
        if (is_wanted(ending_signals[i]))
            follow->signals[i] =
                loop_signal_new(follow->loop, ending_signals[i], on_signal, follow);
    }
    follow->reader = run_attach(follow->run, 0, form, on_events, follow, err);
    return follow->reader ? hand_over_terminal(follow, err) : -1;
}

static void tear_down(struct follow *follow)
{
    if (follow->spec->terminal)
        terminal_restore();
    loop_signal_free(follow->resized);
    reader_free(follow->reader);
    shared_watch_free(follow->outputs[0]);
    shared_watch_free(follow->outputs[1]);
    shared_watch_free(follow->input);
    loop_timer_free(follow->retry);
    for (size_t i = 0; i < ARRAY_LEN(ending_signals); i++)
        loop_signal_free(follow->signals[i]);
}

int follow_run(struct loop *loop, struct run *run, const struct follow_spec *spec,
               struct follow_text *text, struct err *err)
{
    static struct follow follow; /* too large for the stack; there is one at a time */
    follow = (struct follow){.spec = spec, .loop = loop, .run = run, .text = text, .attempt = 1};
    int rc = set_up(&follow, err);
    if (rc == 0)
        loop_run(loop);
    tear_down(&follow);
    if (rc < 0 || follow.broken == 0)
        return rc;
    if (follow.broken == EPIPE)
        return follow.interrupted ? 0 : 1;
    (void)err_sys(err, follow.broken, "write the program's output");
    if (err)
        err->code = ERR_STORAGE_FULL;
    return -1;
}
