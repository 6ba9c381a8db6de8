/* SPDX-License-Identifier: MIT */
/* Theory of operation. A namespace goes round
 *
 *     made ─► clean ─► in use (netns_take) ─► resting (netns_give) ─► inspected ─┐
 *               ▲                                                                │
 *               └──────────────────── looks like one never used ◄────────────────┤
 *                                                             else thrown away ◄─┘
 *
 * A box can change only what an unprivileged process can: sockets and what they
 * leave behind. So "looks like one never used" is asked of the kernel as text:
 * the count of sockets of every family (net/sockstat counts each from its
 * making to its very end, orphans and those in flight too), and each counter a
 * program can read. What is equal byte for byte cannot tell anybody anything.
 * (A sock_diag dump would walk the hash table of the whole host for each
 * protocol, milliseconds of it, and see less: only families that it knows.)
 *
 * To make one, this process enters the namespace and goes home again. If it
 * cannot go home, it must not live on: abort. What is inspected are files that
 * were opened inside and show that namespace for good, wherever they are read. */
#include "sandbox/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/list.h"
#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/netns_figures.h"

static const uint64_t rest_ns = 100 * NS_PER_MS;
/* More than the reserve are kept for as long as a load may come back. */
static const uint64_t spare_ns = 10 * NS_PER_S;
enum { RETRY_MS = 1000, HOME_TRIES = 1000, HOME_WAIT_US = 1000 };

struct netns {
    struct list link;
    int fd;
    struct netns_figures figures;
    uint64_t since_ns; /* at rest, or clean */
};

struct netns_pool {
    int proc_fd; /* borrowed */
    int net_fd;  /* /proc/self/net: shows the namespace this process is in */
    int home_fd;
    size_t reserve;
    struct list clean;
    struct list resting;
    size_t clean_count;
    struct netns_pristine pristine;
};

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* The kernel needs memory for it, which may be there a moment later. */
static void go_home_or_die(const struct netns_pool *pool)
{
    for (int tries = 0; setns(pool->home_fd, CLONE_NEWNET) < 0; tries++) {
        if (errno == ENOMEM && tries < HOME_TRIES) {
            (void)usleep(HOME_WAIT_US);
            continue;
        }
        (void)dprintf(STDERR_FILENO, "runnel: cannot return to our own network namespace: %s\n",
                      strerror(errno));
        abort();
    }
}

/* In the new namespace. */
static int furnish(const struct netns_pool *pool, struct netns *netns)
{
    netns->fd = openat(pool->proc_fd, "self/ns/net", O_RDONLY | O_CLOEXEC);
    if (netns->fd < 0)
        return -errno;
    int rc = sys_loopback_up();
    if (rc == 0)
        rc = netns_figures_open(pool->net_fd, &netns->figures);
    if (rc < 0)
        return rc;
    /* A closed connection holds its port for a minute otherwise, and programs
     * that start their server twice fail. No harm where it is refused. */
    (void)fd_write_text_at(pool->proc_fd, "sys/net/ipv4/tcp_max_tw_buckets", "0");
    return 0;
}

/* Not in a list any more. */
static void destroy(struct netns *netns)
{
    fd_close(&netns->fd);
    netns_figures_close(&netns->figures);
    free(netns);
}

static struct netns *make(const struct netns_pool *pool, struct err *err)
{
    struct netns *netns = malloc(sizeof *netns);
    if (!netns || unshare(CLONE_NEWNET) < 0) {
        (void)err_sys(err, errno, "make a network namespace");
        free(netns);
        return NULL;
    }
    netns->fd = -1;
    netns_figures_init(&netns->figures);
    list_init(&netns->link);
    int rc = furnish(pool, netns);
    go_home_or_die(pool);
    if (rc < 0) {
        (void)err_sys(err, -rc, "furnish a network namespace");
        destroy(netns);
        return NULL;
    }
    return netns;
}

static struct netns *oldest(const struct list *list)
{
    /* The analyzer does not see that a member leaves its list before it is freed.
     * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
    return list_empty(list) ? NULL : CONTAINER_OF(list->next, struct netns, link);
}

static struct netns *remove_oldest(struct list *list)
{
    struct netns *netns = oldest(list);
    if (netns)
        list_remove(&netns->link);
    return netns;
}

static void add_clean(struct netns_pool *pool, struct netns *netns, uint64_t now_ns)
{
    netns->since_ns = now_ns;
    list_append(&pool->clean, &netns->link);
    pool->clean_count++;
}

static struct netns *remove_clean(struct netns_pool *pool)
{
    struct netns *netns = remove_oldest(&pool->clean);
    pool->clean_count -= netns != NULL;
    return netns;
}

static void destroy_all(struct list *list)
{
    for (struct netns *netns = remove_oldest(list); netns; netns = remove_oldest(list))
        destroy(netns);
}

void netns_close_pool(struct netns_pool *pool)
{
    if (!pool)
        return;
    destroy_all(&pool->clean);
    destroy_all(&pool->resting);
    fd_close(&pool->net_fd);
    fd_close(&pool->home_fd);
    free(pool);
}

static int open_home(struct netns_pool *pool, struct err *err)
{
    pool->home_fd = openat(pool->proc_fd, "self/ns/net", O_RDONLY | O_CLOEXEC);
    pool->net_fd = openat(pool->proc_fd, "self/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (pool->home_fd < 0 || pool->net_fd < 0)
        return err_sys(err, errno, "open /proc/self/ns/net");
    /* Without the right to come back, do not leave. */
    if (setns(pool->home_fd, CLONE_NEWNET) < 0)
        return err_set(err, ERR_UNAVAILABLE, "enter our own network namespace: %s",
                       strerror(errno));
    return 0;
}

static int make_first(struct netns_pool *pool, struct err *err)
{
    struct netns *first = make(pool, err);
    if (!first)
        return -1;
    add_clean(pool, first, monotonic_ns());
    int rc = netns_figures_remember(&first->figures, &pool->pristine);
    return rc < 0 ? err_sys(err, -rc, "read the figures of a network namespace") : 0;
}

int netns_open_pool(int proc_fd, size_t reserve, struct netns_pool **ret_pool, struct err *err)
{
    struct netns_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return err_sys(err, ENOMEM, "open a pool of network namespaces");
    pool->proc_fd = proc_fd;
    pool->home_fd = pool->net_fd = -1;
    pool->reserve = reserve;
    list_init(&pool->clean);
    list_init(&pool->resting);
    int rc = open_home(pool, err);
    if (rc == 0)
        rc = make_first(pool, err);
    while (rc == 0 && pool->clean_count < reserve) {
        struct netns *netns = make(pool, err);
        if (netns)
            add_clean(pool, netns, monotonic_ns());
        else
            rc = -1;
    }
    if (rc < 0) {
        netns_close_pool(pool);
        return -1;
    }
    *ret_pool = pool;
    return 0;
}

int netns_fd(const struct netns *netns)
{
    return netns->fd;
}

int netns_home_fd(const struct netns_pool *pool)
{
    return pool->home_fd;
}

void netns_give(struct netns_pool *pool, struct netns *netns)
{
    if (!netns)
        return;
    netns->since_ns = monotonic_ns();
    list_append(&pool->resting, &netns->link);
}

static void inspect(struct netns_pool *pool, struct netns *netns, uint64_t now_ns)
{
    list_remove(&netns->link);
    if (netns_figures_are(&netns->figures, &pool->pristine))
        add_clean(pool, netns, now_ns);
    else
        destroy(netns);
}

static bool due(const struct netns *netns, uint64_t after_ns, uint64_t now_ns)
{
    return netns && now_ns >= netns->since_ns + after_ns;
}

static int ms_until(const struct netns *netns, uint64_t after_ns, uint64_t now_ns)
{
    if (!netns)
        return -1;
    uint64_t at_ns = netns->since_ns + after_ns;
    return at_ns <= now_ns ? 0 : (int)((at_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

struct netns *netns_take(struct netns_pool *pool, struct err *err)
{
    /* Under a load that leaves no time to tend, half the price of a new one;
     * and without it, those at rest would only become more. */
    uint64_t now_ns = monotonic_ns();
    if (list_empty(&pool->clean) && due(oldest(&pool->resting), rest_ns, now_ns))
        inspect(pool, oldest(&pool->resting), now_ns);
    struct netns *netns = remove_clean(pool);
    return netns ? netns : make(pool, err);
}

int netns_tend(struct netns_pool *pool, uint64_t now_ns)
{
    if (due(oldest(&pool->resting), rest_ns, now_ns)) {
        inspect(pool, oldest(&pool->resting), now_ns);
    } else if (pool->clean_count < pool->reserve) {
        struct netns *netns = make(pool, NULL);
        if (!netns)
            return RETRY_MS;
        add_clean(pool, netns, now_ns);
    } else if (pool->clean_count > pool->reserve && due(oldest(&pool->clean), spare_ns, now_ns)) {
        destroy(remove_clean(pool));
    }

    if (pool->clean_count < pool->reserve)
        return 0;
    int wait_ms = ms_until(oldest(&pool->resting), rest_ns, now_ns);
    int spare_ms = -1;
    if (pool->clean_count > pool->reserve)
        spare_ms = ms_until(oldest(&pool->clean), spare_ns, now_ns);
    return wait_ms < 0 || (spare_ms >= 0 && spare_ms < wait_ms) ? spare_ms : wait_ms;
}
