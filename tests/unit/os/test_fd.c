/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"

struct ends {
    int sender;
    int receiver;
    int pipe[2];
};

static struct ends open_ends(void)
{
    struct ends ends;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(pipe2(ends.pipe, O_CLOEXEC), 0);
    ends.sender = pair[0];
    ends.receiver = pair[1];
    return ends;
}

static void close_ends(struct ends *ends)
{
    fd_close(&ends->sender);
    fd_close(&ends->receiver);
    fd_close(&ends->pipe[0]);
    fd_close(&ends->pipe[1]);
}

/* Once our own is closed, somebody else's copy is what keeps the pipe open. */
static bool has_writer(struct ends *ends)
{
    fd_close(&ends->pipe[1]);
    struct pollfd reader = {.fd = ends->pipe[0], .events = POLLIN};
    return poll(&reader, 1, 0) == 0;
}

static void descriptors_come_with_the_bytes_and_are_closed_at_exec(void **state)
{
    (void)state;
    struct ends ends = open_ends();
    char text[8];
    int fds[FD_PASS_MAX];
    size_t count = 0;
    assert_int_equal(fd_receive(ends.receiver, text, sizeof text, fds, &count), -EAGAIN);
    assert_int_equal(fd_send(ends.sender, "abc", 3, &ends.pipe[1], 1), 0);
    assert_int_equal(fd_receive(ends.receiver, text, sizeof text, fds, &count), 3);
    assert_memory_equal(text, "abc", 3);
    assert_int_equal(count, 1);
    assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    assert_true(has_writer(&ends));
    fd_close(&fds[0]);
    close_ends(&ends);
}

static void a_message_without_bytes_leaves_no_descriptor_behind(void **state)
{
    (void)state;
    struct ends ends = open_ends();
    char text[8];
    int fds[FD_PASS_MAX];
    size_t count = 9;
    assert_int_equal(fd_send(ends.sender, "", 0, &ends.pipe[1], 1), 0);
    assert_int_equal(fd_receive(ends.receiver, text, sizeof text, fds, &count), 0);
    assert_int_equal(count, 0);
    assert_false(has_writer(&ends));
    close_ends(&ends);
}

static void a_message_that_is_too_long_leaves_no_descriptor_behind(void **state)
{
    (void)state;
    struct ends ends = open_ends();
    char text[8];
    int fds[FD_PASS_MAX];
    size_t count = 9;
    assert_int_equal(fd_send(ends.sender, "123456789", 9, &ends.pipe[1], 1), 0);
    assert_int_equal(fd_receive(ends.receiver, text, sizeof text, fds, &count), -EMSGSIZE);
    assert_int_equal(count, 0);
    assert_false(has_writer(&ends));
    close_ends(&ends);
}

static void more_descriptors_than_fit_are_not_sent(void **state)
{
    (void)state;
    struct ends ends = open_ends();
    int fds[FD_PASS_MAX + 1];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = ends.pipe[1];
    assert_int_equal(fd_send(ends.sender, "abc", 3, fds, ARRAY_LEN(fds)), -EINVAL);
    close_ends(&ends);
}

/* What this process has no room for would be -EMFILE. */
static void more_descriptors_than_any_message_has_are_too_long(void **state)
{
    (void)state;
    struct ends ends = open_ends();
    char space[CMSG_SPACE(sizeof(int) * (FD_PASS_MAX + 1))] __attribute__((aligned(8))) = {0};
    char text[8] = "abc";
    struct iovec part = {text, 3};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){CMSG_LEN(sizeof(int) * (FD_PASS_MAX + 1)), SOL_SOCKET, SCM_RIGHTS};
    for (size_t i = 0; i < FD_PASS_MAX + 1; i++)
        memcpy(CMSG_DATA(header) + i * sizeof(int), &ends.pipe[1], sizeof(int));
    assert_int_equal(sendmsg(ends.sender, &message, 0), 3);
    int fds[FD_PASS_MAX];
    size_t count = 9;
    assert_int_equal(fd_receive(ends.receiver, text, sizeof text, fds, &count), -EMSGSIZE);
    assert_int_equal(count, 0);
    assert_false(has_writer(&ends));
    close_ends(&ends);
}

static void a_full_pipe_takes_no_line_and_one_without_a_reader_finds_out(void **state)
{
    static const char page[4096] = {0};
    int pipe_fds[2];
    (void)state;
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
    assert_true(fd_takes_a_line(pipe_fds[1], 0));
    while (write(pipe_fds[1], page, sizeof page) > 0)
        ;
    assert_false(fd_takes_a_line(pipe_fds[1], 1));
    assert_int_equal(close(pipe_fds[0]), 0);
    assert_true(fd_takes_a_line(pipe_fds[1], 1));
    assert_int_equal(close(pipe_fds[1]), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_come_with_the_bytes_and_are_closed_at_exec),
        cmocka_unit_test(a_message_without_bytes_leaves_no_descriptor_behind),
        cmocka_unit_test(a_message_that_is_too_long_leaves_no_descriptor_behind),
        cmocka_unit_test(more_descriptors_than_fit_are_not_sent),
        cmocka_unit_test(more_descriptors_than_any_message_has_are_too_long),
        cmocka_unit_test(a_full_pipe_takes_no_line_and_one_without_a_reader_finds_out),
    };
    return cmocka_run_group_tests_name("os/fd", tests, NULL, NULL);
}
