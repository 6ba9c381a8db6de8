/* SPDX-License-Identifier: MIT */
/* main.c — `runnel VERB …`: finds the verb, runs it, reports its failure.
 *
 * Where to read on: verb_serve.c and verb_run.c say what the two ways to use
 * Runnel do; wiring.c joins the modules; front.c gives up what a process that
 * parses strangers' bytes should not have.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/verb.h"

/* Descriptors 0, 1 and 2 may be closed by who starts us. The next file that is
 * opened would then become our "stdout". */
static int open_standard_descriptors(struct err *err)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) == 0);
    if (fd < 0)
        return err_set(err, ERR_INTERNAL, "/dev/null cannot be opened");
    return close(fd);
}

static int run_verb(int argc, char **argv, struct err *err)
{
    static const char *const aliases[][2] = {
        {"--help", "help"}, {"-h", "help"}, {"--version", "version"}, {"-V", "version"}};
    const char *name = argc > 1 ? argv[1] : "help";
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        if (strcmp(name, aliases[i][0]) == 0)
            name = aliases[i][1];
    }
    const struct verb *verb = verb_find(name, err);
    if (!verb)
        return -1;
    return argc > 1 ? verb->run(verb, argc - 1, argv + 1, err) : verb->run(verb, 1, argv, err);
}

/* An early failure of what was printed is known by its flag alone; a pipe says why at any time. */
static bool stdout_is_unread(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) > 0 && (out.revents & POLLERR);
}

static int end_stdout(int status, struct err *err)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    int sys = errno;
    if (sys == EPIPE || stdout_is_unread())
        return EXIT_UNREAD;
    (void)err_set(err, ERR_STORAGE_FULL, "stdout cannot be written%s%s", sys ? ": " : "",
                  sys ? strerror(sys) : "");
    return -1;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    int status = open_standard_descriptors(&err);
    (void)signal(SIGPIPE, SIG_IGN);
    if (status == 0)
        status = run_verb(argc, argv, &err);
    if (status >= 0)
        status = end_stdout(status, &err);
    if (status < 0) {
        (void)fprintf(stderr, "runnel: %s\n", err.text);
        status = err_exit_status(err.code);
    }
    return status;
}
