/* SPDX-License-Identifier: MIT */
/* From Linux 6.12 on the second barrier keeps signals and abstract sockets inside, too. Each
 * question is asked by a child that has nothing but that barrier, and by one without. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "os/sys.h"
#include "sandbox/box.h"

enum { SCOPES_ABI = 6, NO_BARRIER = 255 };

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_len;
static int listener = -1;

/* The errno of the question, as a child's exit status. */
static int asked(int (*question)(void), int abi)
{
    pid_t child = fork();
    if (child == 0) {
        struct box_plan plan = {.landlock_abi = abi};
        if (abi > 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || box_step_landlock(&plan) < 0))
            _exit(NO_BARRIER);
        _exit(question() < 0 ? errno : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int signal_parent(void)
{
    return kill(getppid(), 0);
}

static int signal_child(void)
{
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(60); /* should nobody be able to end it */
        _exit(pause());
    }
    int rc = kill(child, SIGKILL);
    (void)waitpid(child, NULL, rc < 0 ? WNOHANG : 0);
    return rc;
}

static int connect_to_parent(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return connect(fd, (const struct sockaddr *)&address, address_len);
}

static int connect_to_itself(void)
{
    struct sockaddr_un own = {.sun_family = AF_UNIX};
    socklen_t len = sizeof own;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(fd, (const struct sockaddr *)&own, sizeof own.sun_family) < 0 || listen(fd, 1) < 0 ||
        getsockname(fd, (struct sockaddr *)&own, &len) < 0)
        return -1;
    return connect(socket(AF_UNIX, SOCK_STREAM, 0), (const struct sockaddr *)&own, len);
}

static const struct {
    const char *name;
    int (*question)(void);
    int with_scopes; /* the errno; without there is none */
} questions[] = {
    {"signal a process outside", signal_parent, EPERM},
    {"signal one of its own", signal_child, 0},
    {"connect to an abstract socket outside", connect_to_parent, EPERM},
    {"connect to one of its own", connect_to_itself, 0},
};

/* The kernel names an abstract socket that is bound to no name. */
static int listen_outside(void **state)
{
    (void)state;
    address_len = sizeof address;
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return bind(listener, (const struct sockaddr *)&address, sizeof address.sun_family) < 0 ||
                   listen(listener, 8) < 0 ||
                   getsockname(listener, (struct sockaddr *)&address, &address_len) < 0
               ? -1
               : 0;
}

static int stop_listening(void **state)
{
    (void)state;
    return close(listener);
}

static void nothing_reaches_outside_from_version_6_on(void **state)
{
    (void)state;
    if (sys_landlock_abi() < SCOPES_ABI) {
        print_message("this kernel's Landlock has no scopes\n");
        skip();
    }
    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        print_message("%s\n", questions[i].name);
        assert_int_equal(asked(questions[i].question, 0), 0);
        assert_int_equal(asked(questions[i].question, SCOPES_ABI), questions[i].with_scopes);
    }
}

static void a_kernel_before_it_has_the_paths_alone(void **state)
{
    (void)state;
    if (sys_landlock_abi() < 1) {
        print_message("this kernel has no Landlock\n");
        skip();
    }
    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        print_message("%s\n", questions[i].name);
        assert_int_equal(asked(questions[i].question, 1), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_reaches_outside_from_version_6_on),
        cmocka_unit_test(a_kernel_before_it_has_the_paths_alone),
    };
    return cmocka_run_group_tests(tests, listen_outside, stop_listening);
}
