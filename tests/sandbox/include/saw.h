/* SPDX-License-Identifier: MIT */
/* saw.h — how the programs of the corpus say what they saw: one line an attempt,
 * with the name of the error. The runner puts this text in place of the include
 * line, since a run is one file. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* glibc 2.32 has the names; a child that is killed must not take lines with it. */
__attribute__((constructor, unused)) static void saw_line_by_line(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
}

__attribute__((unused)) static const char *saw_errno(int errnum)
{
    const char *name = strerrorname_np(errnum);
    return name ? name : "unnamed";
}

/* "what: ok" or "what: EPERM" */
__attribute__((unused)) static void saw(const char *what, long result)
{
    printf("%s: %s\n", what, result < 0 ? saw_errno(errno) : "ok");
}

/* An attempt that must fail: "what: EPERM", or "what: ESCAPED" */
__attribute__((unused)) static void saw_refused(const char *what, long result)
{
    printf("%s: %s\n", what, result < 0 ? saw_errno(errno) : "ESCAPED");
}

/* The same in a child, for what may kill the one who tries: "what: SIGSYS". The
 * attempt returns as a system call does. */
__attribute__((unused)) static const char *saw_in_child(long (*attempt)(const void *),
                                                        const void *argument)
{
    static char text[32];
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(attempt(argument) < 0 ? errno : 0);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return "fork failed";
    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "SIG%s", sigabbrev_np(WTERMSIG(status)));
    else
        snprintf(text, sizeof text, "%s",
                 WEXITSTATUS(status) ? saw_errno(WEXITSTATUS(status)) : "ESCAPED");
    return text;
}

/* How many times slower than usual the machine is: for those who wait for somebody. */
__attribute__((unused)) static int saw_slowness(void)
{
    const char *text = getenv("SLOW");
    int factor = text ? atoi(text) : 1;
    return factor > 0 ? factor : 1;
}
