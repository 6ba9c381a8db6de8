/* SPDX-License-Identifier: MIT */
/* What a front asks of its spawner, while the kernel has no memory for messages. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "sandbox/client.h"

static int failures; /* so many sends fail next */
static int failure;

/* In place of libc's. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (failures > 0) {
        failures--;
        errno = failure;
        return -1;
    }
    return syscall(SYS_sendmsg, fd, message, flags);
}

static void a_request_without_memory_is_sent_when_there_is_some(void **state)
{
    static const int errors[] = {ENOMEM, ENOBUFS};
    int ends[2];
    char bytes[64];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        failure = errors[i];
        failures = 7;
        assert_int_equal(sandbox_stage_kill(ends[0], 1, NULL), 0);
        assert_int_equal(failures, 0);
        assert_true(recv(ends[1], bytes, sizeof bytes, MSG_DONTWAIT) > 0);
    }
    assert_int_equal(close(ends[0]) + close(ends[1]), 0);
}

static void one_that_can_never_be_sent_is_an_error(void **state)
{
    static const int errors[] = {ENOMEM, EPIPE};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        struct err err = {0};
        failure = errors[i];
        failures = INT_MAX;
        assert_int_equal(sandbox_stage_kill(-1, 1, &err), -1);
        assert_int_equal(err.sys, errors[i]);
    }
    failures = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_without_memory_is_sent_when_there_is_some),
        cmocka_unit_test(one_that_can_never_be_sent_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
