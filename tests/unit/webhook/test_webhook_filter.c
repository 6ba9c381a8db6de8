/* SPDX-License-Identifier: MIT */
/* Webhooks under the front's system call filter: made before it is loaded, sent
 * afterwards. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/seccomp_policy.h"
#include "webhook_fixture.h"

static int load_filter(void)
{
    struct seccomp_program filter = {0};
    const char *policy = seccomp_builtin_policy("front");
    struct err err;
    if (seccomp_compile("front.policy", slice_of(policy), SECCOMP_REFUSE_ENOSYS, &filter, &err) < 0)
        return -1;
    struct sock_fprog program = {.len = (unsigned short)filter.count,
                                 .filter = filter.instructions};
    int rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (rc == 0)
        rc = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
    seccomp_program_fini(&filter);
    return rc;
}

/* In a process of its own: a filter stays. Its exit status is the line that failed. */
static int send_from_child(struct fixture *fixture, const char *host, int status)
{
    pid_t child = fork();
    if (child == 0) {
        fixture_open(fixture, "127.0.0.0/8", 0, 0);
        if (load_filter() < 0)
            _exit(1);
        if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
            MAP_FAILED)
            _exit(2);
        if (fixture_post(fixture, host, "/", "{}", NULL) < 0)
            _exit(3);
        fixture_await(fixture, 1);
        if (fixture->results[0].status != status)
            (void)fprintf(stderr, "%s\n", fixture->results[0].err.text);
        _exit(fixture->results[0].status == status ? 0 : 4);
    }
    int ended = -1;
    assert_int_equal(waitpid(child, &ended, 0), child);
    return ended;
}

static void a_webhook_is_sent_under_the_filter(void **state)
{
    struct fixture *fixture = *state;
    fixture_serve(fixture, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", 0);
    assert_int_equal(send_from_child(fixture, "127.0.0.1", 204), 0);
    assert_int_equal(send_from_child(fixture, "localhost", 204), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_webhook_is_sent_under_the_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
