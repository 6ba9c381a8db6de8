/* SPDX-License-Identifier: MIT */
/* native_pipes.c — the three streams of a program: pipes, or one terminal. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "executor/native_private.h"
#include "os/fd.h"

/* One pipe whose ends are ours and the program's. Only ours is non-blocking:
 * the flag belongs to the open file, and the program must find usual pipes. */
static int open_pipe(int *ret_ours, int *ret_theirs, bool we_write)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    *ret_ours = ends[we_write ? 1 : 0];
    *ret_theirs = ends[we_write ? 0 : 1];
    return fd_set_nonblocking(*ret_ours);
}

static int open_pipes(struct native_pipes *pipes, int program[3])
{
    int rc = open_pipe(&pipes->input, &program[STDIN_FILENO], true);
    if (rc == 0)
        rc = open_pipe(&pipes->output[STAGE_STDOUT], &program[STDOUT_FILENO], false);
    if (rc == 0)
        rc = open_pipe(&pipes->output[STAGE_STDERR], &program[STDERR_FILENO], false);
    return rc;
}

static int open_terminal(struct native_pipes *pipes, int program[3])
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (terminal < 0)
        return -errno;
    pipes->output[STAGE_STDOUT] = terminal;
    pipes->input = fcntl(terminal, F_DUPFD_CLOEXEC, 3);
    if (pipes->input < 0 || unlockpt(terminal) < 0)
        return -errno;
    /* By descriptor, not by the path in /dev/pts: no other devpts can be met. */
    program[0] = ioctl(terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (program[0] < 0)
        return -errno;
    for (int i = 1; i < 3; i++) {
        program[i] = fcntl(program[0], F_DUPFD_CLOEXEC, 3);
        if (program[i] < 0)
            return -errno;
    }
    return 0;
}

int native_pipes_open(bool tty, struct native_pipes *ret_pipes, int ret_program[3], struct err *err)
{
    struct native_pipes pipes = {
        .input = -1, .output = {-1, -1}, .tty = tty, .ends_due = tty ? 1 : 0};
    int program[3] = {-1, -1, -1};
    int rc = tty ? open_terminal(&pipes, program) : open_pipes(&pipes, program);
    if (rc < 0) {
        native_pipes_close(&pipes);
        for (int i = 0; i < 3; i++)
            fd_close(&program[i]);
        return err_sys(err, -rc, tty ? "cannot make a terminal" : "cannot make pipes");
    }
    *ret_pipes = pipes;
    for (int i = 0; i < 3; i++)
        ret_program[i] = program[i];
    return 0;
}

void native_pipes_close(struct native_pipes *pipes)
{
    fd_close(&pipes->input);
    for (int i = 0; i < STAGE_STREAMS; i++)
        fd_close(&pipes->output[i]);
}

ssize_t native_pipes_read(const struct native_pipes *pipes, enum stage_stream stream, char *chunk,
                          size_t size)
{
    ssize_t got;
    do
        got = read(pipes->output[stream], chunk, size);
    while (got < 0 && errno == EINTR);
    if (got >= 0)
        return got;
    /* EIO is how a terminal says that its other side was closed. */
    return errno == EAGAIN ? -EAGAIN : 0;
}

bool native_pipes_has_output(const struct native_pipes *pipes, enum stage_stream stream)
{
    int bytes = 0;
    return ioctl(pipes->output[stream], FIONREAD, &bytes) == 0 && bytes > 0;
}

static ssize_t put(const struct native_pipes *pipes, struct slice bytes)
{
    ssize_t count;
    do
        count = write(pipes->input, bytes.at, bytes.len);
    while (count < 0 && errno == EINTR);
    if (count >= 0)
        return count;
    return errno == EAGAIN ? 0 : -EPIPE;
}

/* A terminal has no end of its input but the character for it, which hands over a
 * line that has no newline yet: behind one, only the second is the end. */
ssize_t native_pipes_write(struct native_pipes *pipes, struct slice bytes)
{
    ssize_t count = put(pipes, bytes);
    if (pipes->tty && count > 0)
        pipes->ends_due = bytes.at[count - 1] == '\n' ? 1 : 2;
    return count;
}

bool native_pipes_end_input(struct native_pipes *pipes)
{
    static const char ends[] = {4, 4};
    while (pipes->input >= 0 && pipes->ends_due > 0) {
        ssize_t count = put(pipes, (struct slice){ends, pipes->ends_due});
        if (count == 0)
            return false;
        pipes->ends_due -= count < 0 ? pipes->ends_due : (unsigned)count;
    }
    return true;
}

static bool holds_nothing(int fd)
{
    int bytes = 0;
    return fd < 0 || (ioctl(fd, FIONREAD, &bytes) == 0 && bytes == 0);
}

/* Our end of a terminal cannot tell what lies in the program's queue; who sleeps
 * in reading from it has found it empty. */
bool native_pipes_drained(const struct native_pipes *pipes)
{
    return (pipes->tty || holds_nothing(pipes->input)) &&
           holds_nothing(pipes->output[STAGE_STDOUT]) && holds_nothing(pipes->output[STAGE_STDERR]);
}

void native_pipes_resize(const struct native_pipes *pipes, unsigned columns, unsigned rows)
{
    struct winsize size = {.ws_col = (unsigned short)MIN(columns, 10000U),
                           .ws_row = (unsigned short)MIN(rows, 10000U)};
    if (pipes->tty)
        (void)ioctl(pipes->output[STAGE_STDOUT], TIOCSWINSZ, &size);
}
