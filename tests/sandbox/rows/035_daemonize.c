/* SPDX-License-Identifier: MIT
 * row: 35 daemonize
 * expect: succeeded
 * stdout: ^daemon: [0-9]+$
 * args: ["{arg}"]
 * each: keeps-stdio closes-stdio
 * limits: timeout=20s
 * check: usage.wall_ms <= 4000
 * layer: cgroup, namespaces
 */
#include "saw.h"

int main(int argc, char **argv)
{
    (void)argc;
    pid_t child = fork();
    if (child == 0) {
        setsid();
        pid_t daemon_pid = fork();
        if (daemon_pid > 0) {
            printf("daemon: %d\n", (int)daemon_pid);
            _exit(0);
        }
        if (strcmp(argv[1], "closes-stdio") == 0)
            for (int i = 0; i < 3; i++)
                close(i);
        sleep(600);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return 0;
}
