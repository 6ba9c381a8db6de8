/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <arpa/inet.h>
#include <linux/in6.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/util.h"
#include "box_child.h"
#include "os/fd.h"
#include "sandbox/netns.h"

enum { SKIPPED = 77, RESERVE = 3 };

static struct netns_pool *pool;
static int proc_fd;

static struct netns *take(void)
{
    struct err err = {0};
    struct netns *netns = netns_take(pool, &err);
    if (!netns)
        print_error("%s\n", err.text);
    assert_non_null(netns);
    return netns;
}

static ino_t inode_of(int fd)
{
    struct stat file;
    assert_int_equal(fstat(fd, &file), 0);
    return file.st_ino;
}

static bool at_home(void)
{
    struct stat file;
    return stat("/proc/self/ns/net", &file) == 0 && file.st_ino == inode_of(netns_home_fd(pool));
}

static void tend_all(uint64_t later_ms)
{
    for (int units = 0; units < 200; units++) {
        int wait_ms = netns_tend(pool, clock_ns(CLOCK_MONOTONIC) + later_ms * NS_PER_MS);
        assert_true(at_home());
        if (wait_ms != 0)
            return;
    }
    fail_msg("netns_tend never has done");
}

/* Runs `work` in it as a box would: a child that enters before it clones. */
static int use(struct netns *netns, int (*work)(void))
{
    assert_int_equal(setns(netns_fd(netns), CLONE_NEWNET), 0);
    pid_t pid = start_child(NULL, work);
    assert_int_equal(setns(netns_home_fd(pool), CLONE_NEWNET), 0);
    return wait_child(pid);
}

/* Does it come round again? Every one the pool has is taken once to find out. */
static bool comes_back(ino_t inode)
{
    struct netns *all[64];
    size_t count = 0;
    bool found = false;
    (void)usleep(110000);
    tend_all(0);
    for (; count < 2 * RESERVE && !found; count++) {
        all[count] = take();
        found = inode_of(netns_fd(all[count])) == inode;
    }
    for (size_t i = 0; i < count; i++)
        netns_give(pool, all[i]);
    (void)usleep(110000);
    tend_all(0);
    return found;
}

/* ---- what boxes do ---- */

static int do_nothing(void)
{
    return 0;
}

static int talk_over_tcp(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int server = socket(AF_INET, SOCK_STREAM, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server, (struct sockaddr *)&address, size) < 0 || listen(server, 1) < 0 ||
        getsockname(server, (struct sockaddr *)&address, &size) < 0 ||
        connect(client, (struct sockaddr *)&address, size) < 0)
        return 1;
    int peer = accept(server, NULL, NULL);
    char text[4] = "";
    return write(client, "ping", 4) == 4 && read(peer, text, 4) == 4 ? 0 : 2;
}

static int send_over_udp6(void)
{
    struct sockaddr_in6 address = {
        .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = htons(9)};
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    return sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof address) == 1 ? 0 : 1;
}

/* Nothing goes over the loopback, but a counter of failures moves. */
static int connect_to_nowhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x01010101)};
    address.sin_port = htons(53);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    return connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? 0 : 1;
}

static int leave_a_flow_label(void)
{
    struct in6_flowlabel_req request = {
        .flr_dst = IN6ADDR_LOOPBACK_INIT,
        .flr_action = IPV6_FL_A_GET,
        .flr_flags = IPV6_FL_F_CREATE,
        .flr_share = IPV6_FL_S_ANY,
        .flr_label = htonl(0x12345),
        .flr_linger = 60,
    };
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    return setsockopt(fd, IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, &request, sizeof request) == 0 ? 0 : 1;
}

static int talk_over_unix(void)
{
    int pair[2];
    char byte = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        return 1;
    return write(pair[0], "x", 1) == 1 && read(pair[1], &byte, 1) == 1 ? 0 : 2;
}

static int look_around(void)
{
    struct if_nameindex *all = if_nameindex();
    int count = 0;
    while (all && all[count].if_index)
        count++;
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0 || !(request.ifr_flags & IFF_UP))
        return 10;
    return count;
}

static noreturn int hold_a_socket(void)
{
    (void)!socket(AF_UNIX, SOCK_DGRAM, 0);
    for (;;)
        (void)pause();
}

/* ---- tests ---- */

static void loopback_is_up_and_alone(void **state)
{
    (void)state;
    struct netns *netns = take();
    assert_int_equal(use(netns, look_around), 1);
    netns_give(pool, netns);
}

static void only_a_clean_one_comes_back(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int (*work)(void);
        bool back;
    } rows[] = {
        {"untouched", do_nothing, true},
        {"unix sockets, closed", talk_over_unix, true},
        {"tcp", talk_over_tcp, false},
        {"udp over v6", send_over_udp6, false},
        {"a failure that only a counter knows of", connect_to_nowhere, false},
        {"a flow label that lingers", leave_a_flow_label, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct netns *netns = take();
        ino_t inode = inode_of(netns_fd(netns));
        assert_int_equal(use(netns, rows[i].work), 0);
        /* Another namespace may get the inode of one thrown away: hold it. */
        int hold = dup(netns_fd(netns));
        netns_give(pool, netns);
        if (comes_back(inode) != rows[i].back)
            fail_msg("%s: %s back", rows[i].name, rows[i].back ? "did not come" : "came");
        (void)close(hold);
    }
}

static void one_with_a_socket_left_is_thrown_away(void **state)
{
    (void)state;
    struct netns *netns = take();
    ino_t inode = inode_of(netns_fd(netns));
    assert_int_equal(setns(netns_fd(netns), CLONE_NEWNET), 0);
    pid_t pid = start_child(NULL, hold_a_socket);
    assert_int_equal(setns(netns_home_fd(pool), CLONE_NEWNET), 0);
    (void)usleep(20000);
    netns_give(pool, netns);
    assert_false(comes_back(inode));
    kill_child(pid);
}

static void first_given_is_first_taken_and_rests(void **state)
{
    (void)state;
    struct netns *pair[2] = {take(), take()};
    tend_all(0); /* the reserve is full again */
    ino_t inodes[2] = {inode_of(netns_fd(pair[0])), inode_of(netns_fd(pair[1]))};
    netns_give(pool, pair[0]);
    netns_give(pool, pair[1]);
    tend_all(0);
    /* Not before they have rested: these are all that are clean. */
    struct netns *others[RESERVE];
    for (size_t i = 0; i < RESERVE; i++) {
        others[i] = take();
        assert_int_not_equal(inode_of(netns_fd(others[i])), inodes[0]);
        assert_int_not_equal(inode_of(netns_fd(others[i])), inodes[1]);
    }
    (void)usleep(110000);
    assert_int_equal(netns_tend(pool, clock_ns(CLOCK_MONOTONIC)), 0);
    assert_int_equal(netns_tend(pool, clock_ns(CLOCK_MONOTONIC)), 0);
    pair[0] = take();
    pair[1] = take();
    assert_int_equal(inode_of(netns_fd(pair[0])), inodes[0]);
    assert_int_equal(inode_of(netns_fd(pair[1])), inodes[1]);
    netns_give(pool, pair[0]);
    netns_give(pool, pair[1]);
    for (size_t i = 0; i < RESERVE; i++)
        netns_give(pool, others[i]);
}

static void rested_ones_serve_when_there_was_no_time_to_tend(void **state)
{
    (void)state;
    ino_t first = 0;
    struct netns *taken[20];
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        taken[i] = take();
    first = inode_of(netns_fd(taken[0]));
    netns_give(pool, taken[0]);
    (void)usleep(110000);
    taken[0] = take();
    assert_int_equal(inode_of(netns_fd(taken[0])), first);
    assert_true(at_home());
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        netns_give(pool, taken[i]);
}

static size_t count_descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void pool_shrinks_to_its_reserve(void **state)
{
    (void)state;
    size_t before = count_descriptors();
    struct netns *taken[10];
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        taken[i] = take();
    size_t after = count_descriptors();
    size_t each = (after - before) / (10 - RESERVE);
    assert_int_equal(after, before + each * (10 - RESERVE));
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        netns_give(pool, taken[i]);
    (void)usleep(110000);
    tend_all(0);
    assert_int_equal(count_descriptors(), after);
    /* For a while the load may come back. */
    assert_in_range(netns_tend(pool, clock_ns(CLOCK_MONOTONIC)), 5000, 10000);
    tend_all(20000);
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(netns_tend(pool, clock_ns(CLOCK_MONOTONIC)), -1);
    struct netns *kept[RESERVE];
    size_t with_pool = count_descriptors();
    for (size_t i = 0; i < RESERVE; i++)
        kept[i] = take(); /* none is made: no descriptor more */
    assert_int_equal(count_descriptors(), with_pool);
    struct netns *made = take();
    assert_int_equal(count_descriptors(), with_pool + each);
    netns_give(pool, made);
    for (size_t i = 0; i < RESERVE; i++)
        netns_give(pool, kept[i]);
}

static int open_pool(void **state)
{
    struct err err = {0};
    (void)state;
    int rc = netns_open_pool(proc_fd, RESERVE, &pool, &err);
    if (rc < 0)
        print_message("%s\n", err.text);
    return rc;
}

static int close_pool(void **state)
{
    (void)state;
    netns_close_pool(pool);
    return 0;
}

#define POOL_TEST(test) cmocka_unit_test_setup_teardown(test, open_pool, close_pool)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(loopback_is_up_and_alone),
        POOL_TEST(only_a_clean_one_comes_back),
        POOL_TEST(one_with_a_socket_left_is_thrown_away),
        POOL_TEST(first_given_is_first_taken_and_rests),
        POOL_TEST(rested_ones_serve_when_there_was_no_time_to_tend),
        POOL_TEST(pool_shrinks_to_its_reserve),
    };
    proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (geteuid() != 0 || open_pool(NULL) < 0) {
        print_message("skipped: needs root and network namespaces\n");
        return SKIPPED;
    }
    (void)close_pool(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fd_close(&proc_fd);
    return failed;
}
