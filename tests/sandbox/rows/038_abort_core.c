/* SPDX-License-Identifier: MIT
 * row: 38 abort_core
 * expect: killed_by_signal
 * signal: 6
 * stdout: ^child: SIGABRT, core dumped: no$
 * stdout: ^files: main
 * stdout: ^raise the core limit: EPERM$
 * stdout: ^raise it by prlimit: EPERM$
 * never: core(\.[0-9]+)?$
 * layer: rlimits, seccomp
 */
#include "saw.h"
#include <dirent.h>
#include <sys/resource.h>

int main(void)
{
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    struct rlimit none = {0, 0};
    saw_refused("raise the core limit", setrlimit(RLIMIT_CORE, &unlimited));
    saw_refused("raise it by prlimit", prlimit(0, RLIMIT_CORE, &unlimited, NULL));
    /* 0 would call the host's handler, if that is a pipe. */
    saw_refused("set it to zero", setrlimit(RLIMIT_CORE, &none));
    pid_t child = fork();
    if (child == 0)
        abort();
    int status = 0;
    waitpid(child, &status, 0);
    printf("child: SIG%s, core dumped: %s\n", sigabbrev_np(WTERMSIG(status)),
           WCOREDUMP(status) ? "yes" : "no");
    DIR *folder = opendir("/work");
    printf("files:");
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (entry->d_name[0] != '.')
            printf(" %s", entry->d_name);
    }
    puts("");
    abort();
}
