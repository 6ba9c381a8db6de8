/* SPDX-License-Identifier: MIT */
/* A real spawner that starts its front, which is this program once more. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "real_spawner.h"
#include "sandbox/client.h"

enum { WAIT_MS = 60000, DEATH_US = 50000, EXIT_MALFORMED = 70 };

/* Stopped is who has left the kernel's wait: it has not looked at what comes now. */
static void stop(pid_t pid)
{
    char path[32];
    char text[512];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    (void)kill(pid, SIGSTOP);
    while (fd_read_text_at(AT_FDCWD, path, text, sizeof text) > 0 && !strstr(text, ") T"))
        (void)usleep(1000);
}

/* Asks for what no front of ours asks for, and is dead before that can be read: the
 * spawner stands still meanwhile, and then finds both at once. */
static void be_front(int socket)
{
    pid_t parent = getppid();
    pid_t front = getpid();
    struct layer_report report;
    (void)sandbox_receive_report(socket, &report, NULL);
    if (fork() == 0) {
        while (getppid() == front)
            (void)usleep(1000);
        (void)usleep(DEATH_US);
        (void)kill(parent, SIGCONT);
        _exit(0);
    }
    stop(parent);
    (void)!send(socket, "?", 1, 0);
    (void)kill(front, SIGKILL);
}

static int become_spawner(void)
{
    static char name[] = "front";
    char *argv[] = {name, NULL};
    struct sandbox_settings settings = real_spawner_settings();
    return sandbox_become_spawner(&settings, argv, NULL);
}

static void a_front_cannot_die_out_of_a_malformed_request(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(become_spawner());
    }
    auto_close int ended = pidfd_open(child, 0);
    struct pollfd ready = {.fd = ended, .events = POLLIN};
    int in_time = poll(&ready, 1, WAIT_MS);
    if (in_time != 1)
        (void)kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(in_time, 1);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_MALFORMED);
}

int main(void)
{
    int socket = sandbox_inherited_socket();
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_front_cannot_die_out_of_a_malformed_request),
    };
    if (socket >= 0) {
        be_front(socket);
        return EXIT_FAILURE;
    }
    return cmocka_run_group_tests_name("sandbox/front", tests, real_spawner_group,
                                       real_spawner_group_end);
}
