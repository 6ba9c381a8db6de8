/* SPDX-License-Identifier: MIT */
/* What the policies in the tree mean: every call, with arguments that matter,
 * run through the finished program and compared with a table that people read
 * (seccomp_box.golden, seccomp_front.golden). After a change of a policy:
 *
 *     ninja -C build seccomp-golden && git diff
 */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/fs.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "bpf_eval.h"
#include "sandbox/seccomp_rules.h"

enum { NUMBERS = 601, PROBE_ARGS = 6 };

#define HIGH (1ULL << 32)

/* What the headers above do not have, or have only for the kernel's own networking tools. */
enum {
    TIME_NAMESPACE = 0x80, /* CLONE_NEWTIME: for clone a part of the exit signal */
    DEADLINE = 6,          /* SCHED_DEADLINE */
    MULTIPATH_TCP = 262,   /* IPPROTO_MPTCP */
    L2TP = 115,            /* IPPROTO_L2TP */
    NETLINK_XFRM = 6,
    IPT_SO_SET_REPLACE = 64,
    ARPT_SO_SET_REPLACE = 96,
    EBT_SO_SET_ENTRIES = 128,
    MRT_INIT = 200,
    IP6T_SO_SET_REPLACE = 64,
    IP6T_SO_SET_ADD_COUNTERS = 65,
    MRT6_INIT = 200,
    SIOCGIFCONF = 0x8912,
    SIOCGIFINDEX = 0x8933,
    KVM_CREATE_VM = 0xae01,
};

struct probe {
    const char *call;
    const char *text;
    uint64_t args[PROBE_ARGS];
};

/* clang-format off */
#define PROBE(call, ...) {#call, #__VA_ARGS__, {__VA_ARGS__}}

/* Every call that looks at its arguments has rows here, or the test fails. */
static const struct probe probes[] = {
    PROBE(mmap, 0, 4096, PROT_READ | PROT_WRITE),
    PROBE(mmap, 0, 4096, PROT_READ | PROT_EXEC),
    PROBE(mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS),
    PROBE(mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB),
    PROBE(madvise, 0, 4096, MADV_DONTNEED), PROBE(madvise, 0, 4096, MADV_HUGEPAGE),
    PROBE(msync, 0, 4096, MS_SYNC), PROBE(msync, 0, 4096, MS_ASYNC), PROBE(msync, 0, 4096, MS_SYNC | MS_INVALIDATE),
    PROBE(madvise, 0, 4096, MADV_MERGEABLE), PROBE(madvise, 0, 4096, MADV_UNMERGEABLE),
    PROBE(memfd_create, 0, MFD_CLOEXEC | MFD_ALLOW_SEALING), PROBE(memfd_create, 0, MFD_HUGETLB),
    PROBE(fcntl, 0, F_DUPFD_CLOEXEC), PROBE(fcntl, 0, F_SETFL, O_NONBLOCK), PROBE(fcntl, 0, F_SETLK),
    PROBE(fcntl, 0, F_NOTIFY), PROBE(fcntl, 0, F_SETPIPE_SZ), PROBE(fcntl, 0, F_ADD_SEALS),
    PROBE(splice, 0, 0, 1, 0, 9, SPLICE_F_MOVE | SPLICE_F_NONBLOCK), PROBE(splice, 0, 0, 1, 0, 9, SPLICE_F_MORE),
    PROBE(mprotect, 0, 4096, PROT_READ),
    PROBE(mprotect, 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC),

    PROBE(clone, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM),
    PROBE(clone, CLONE_VM | CLONE_VFORK | SIGCHLD),
    PROBE(clone, SIGCHLD),
    PROBE(clone, CLONE_NEWNS), PROBE(clone, CLONE_NEWCGROUP), PROBE(clone, CLONE_NEWUTS),
    PROBE(clone, CLONE_NEWIPC), PROBE(clone, CLONE_NEWUSER | SIGCHLD), PROBE(clone, CLONE_NEWPID),
    PROBE(clone, CLONE_NEWNET), PROBE(clone, TIME_NAMESPACE),
    PROBE(clone, CLONE_THREAD | CLONE_NEWUSER),

    PROBE(sched_setscheduler, 0, SCHED_OTHER), PROBE(sched_setscheduler, 0, SCHED_BATCH),
    PROBE(sched_setscheduler, 0, SCHED_IDLE), PROBE(sched_setscheduler, 0, SCHED_FIFO),
    PROBE(sched_setscheduler, 0, SCHED_RR), PROBE(sched_setscheduler, 0, DEADLINE),
    PROBE(sched_setscheduler, 0, SCHED_RESET_ON_FORK | SCHED_FIFO),

    PROBE(tgkill, 1, 1, SIGKILL), PROBE(fcntl, 0, F_SETOWN, 1), PROBE(fcntl, 0, F_SETOWN_EX, 0),
    PROBE(sched_setscheduler, 1, SCHED_OTHER), PROBE(sched_setscheduler, 2, SCHED_OTHER),
    PROBE(sched_setparam, 0), PROBE(sched_setparam, 1), PROBE(sched_setaffinity, 0),
    PROBE(sched_setaffinity, 1), PROBE(sched_setaffinity, 2), PROBE(setpriority, PRIO_PROCESS, 0),
    PROBE(setpriority, PRIO_PROCESS, 1), PROBE(setpriority, PRIO_PROCESS, 2),
    PROBE(setpriority, PRIO_PGRP, 0), PROBE(setpriority, PRIO_PGRP, 1), PROBE(setpriority, PRIO_USER, 0),

    PROBE(setrlimit, RLIMIT_NOFILE), PROBE(setrlimit, RLIMIT_CORE),
    PROBE(prlimit64, 0, RLIMIT_NOFILE, 0x7ffc00001000), PROBE(prlimit64, 0, RLIMIT_CORE, 0),
    PROBE(prlimit64, 0, RLIMIT_CORE, 0x1000), PROBE(prlimit64, 0, RLIMIT_CORE, 0x7ffc00000000),
    PROBE(prlimit64, 1, RLIMIT_NOFILE, 0), PROBE(prlimit64, 1, RLIMIT_CORE, 0x1000),

    PROBE(personality, PER_LINUX), PROBE(personality, PER_LINUX32), PROBE(personality, UNAME26),
    PROBE(personality, 0xffffffff), PROBE(personality, ADDR_NO_RANDOMIZE),
    PROBE(personality, READ_IMPLIES_EXEC), PROBE(personality, MMAP_PAGE_ZERO),
    PROBE(personality, PER_LINUX32 | ADDR_NO_RANDOMIZE),

    PROBE(prctl, PR_SET_NAME), PROBE(prctl, PR_GET_NAME), PROBE(prctl, PR_SET_VMA),
    PROBE(prctl, PR_SET_PDEATHSIG, 9), PROBE(prctl, PR_GET_PDEATHSIG),
    PROBE(prctl, PR_SET_DUMPABLE, 0), PROBE(prctl, PR_GET_DUMPABLE),
    PROBE(prctl, PR_SET_NO_NEW_PRIVS, 1), PROBE(prctl, PR_GET_NO_NEW_PRIVS),
    PROBE(prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT),
    PROBE(prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER), PROBE(prctl, PR_GET_SECCOMP),
    PROBE(prctl, PR_CAPBSET_READ, 0), PROBE(prctl, PR_CAPBSET_DROP, 0),
    PROBE(prctl, PR_GET_KEEPCAPS), PROBE(prctl, PR_SET_KEEPCAPS, 1),
    PROBE(prctl, PR_GET_SECUREBITS), PROBE(prctl, PR_SET_SECUREBITS, 0),
    PROBE(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 0),
    PROBE(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 0),
    PROBE(prctl, PR_SET_TIMERSLACK, 1), PROBE(prctl, PR_GET_TIMERSLACK),
    PROBE(prctl, PR_GET_TID_ADDRESS), PROBE(prctl, PR_SET_THP_DISABLE, 1),
    PROBE(prctl, PR_GET_THP_DISABLE), PROBE(prctl, PR_GET_CHILD_SUBREAPER),
    PROBE(prctl, PR_SET_CHILD_SUBREAPER, 1), PROBE(prctl, PR_GET_SPECULATION_CTRL),
    PROBE(prctl, PR_SET_SPECULATION_CTRL), PROBE(prctl, PR_SET_MM), PROBE(prctl, PR_SET_PTRACER),
    PROBE(prctl, PR_SCHED_CORE), PROBE(prctl, PR_SET_TSC), PROBE(prctl, PR_MCE_KILL),
    PROBE(prctl, PR_TASK_PERF_EVENTS_DISABLE), PROBE(prctl, 999),

    PROBE(mknod, 0, 0644), PROBE(mknod, 0, S_IFREG | 0644), PROBE(mknod, 0, S_IFIFO | 0644),
    PROBE(mknod, 0, S_IFSOCK), PROBE(mknod, 0, S_IFBLK | 0666), PROBE(mknod, 0, S_IFCHR | 0666),
    PROBE(mknod, 0, S_IFDIR),
    PROBE(mknodat, 0, 0, 0644), PROBE(mknodat, 0, 0, S_IFREG), PROBE(mknodat, 0, 0, S_IFIFO),
    PROBE(mknodat, 0, 0, S_IFSOCK), PROBE(mknodat, 0, 0, S_IFBLK), PROBE(mknodat, 0, 0, S_IFCHR),

    PROBE(ioctl, 0, TCGETS), PROBE(ioctl, 0, TCSETS), PROBE(ioctl, 0, TCSETSW),
    PROBE(ioctl, 0, TCSETSF), PROBE(ioctl, 0, TCGETS2), PROBE(ioctl, 0, TCSETS2),
    PROBE(ioctl, 0, TCSETSW2), PROBE(ioctl, 0, TCSETSF2), PROBE(ioctl, 0, TIOCGWINSZ),
    PROBE(ioctl, 0, TIOCSWINSZ), PROBE(ioctl, 0, TIOCGPGRP), PROBE(ioctl, 0, TIOCSPGRP),
    PROBE(ioctl, 0, TIOCGSID), PROBE(ioctl, 0, TCSBRK, 1), PROBE(ioctl, 0, TCXONC),
    PROBE(ioctl, 0, TCFLSH), PROBE(ioctl, 0, TIOCOUTQ), PROBE(ioctl, 0, TIOCNOTTY),
    PROBE(ioctl, 0, TIOCSCTTY, 0), PROBE(ioctl, 0, TIOCSCTTY, 1), PROBE(ioctl, 0, TIOCGPTN),
    PROBE(ioctl, 0, TIOCSPTLCK), PROBE(ioctl, 0, TIOCGPTPEER), PROBE(ioctl, 0, FIONREAD),
    PROBE(ioctl, 0, FIONBIO), PROBE(ioctl, 0, FIOCLEX), PROBE(ioctl, 0, FIONCLEX),
    PROBE(ioctl, 0, TIOCSTI), PROBE(ioctl, 0, TIOCLINUX), PROBE(ioctl, 0, TIOCCONS),
    PROBE(ioctl, 0, TIOCSETD), PROBE(ioctl, 0, FICLONE), PROBE(ioctl, 0, FICLONERANGE),
    PROBE(ioctl, 0, FIOASYNC), PROBE(ioctl, 0, TIOCEXCL), PROBE(ioctl, 0, TIOCVHANGUP),
    PROBE(ioctl, 0, FS_IOC_GETFLAGS), PROBE(ioctl, 0, FS_IOC_SETFLAGS), PROBE(ioctl, 0, SIOCGIFCONF),
    PROBE(ioctl, 0, SIOCGIFINDEX), PROBE(ioctl, 0, KVM_CREATE_VM), PROBE(ioctl, 0, 0),

    PROBE(socket, AF_UNIX, SOCK_STREAM, 0), PROBE(socket, AF_UNIX, SOCK_DGRAM, 0),
    PROBE(socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), PROBE(socket, AF_UNIX, SOCK_RAW, 0),
    PROBE(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
    PROBE(socket, AF_INET, SOCK_STREAM, IPPROTO_TCP), PROBE(socket, AF_INET, SOCK_DGRAM, 0),
    PROBE(socket, AF_INET6, SOCK_DGRAM, IPPROTO_UDP), PROBE(socket, AF_INET6, SOCK_STREAM, 0),
    PROBE(socket, AF_INET, SOCK_STREAM, MULTIPATH_TCP),
    PROBE(socket, AF_INET, SOCK_STREAM, IPPROTO_SCTP), PROBE(socket, AF_INET, SOCK_DGRAM, L2TP),
    PROBE(socket, AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP),
    PROBE(socket, AF_INET, SOCK_DGRAM, IPPROTO_ICMP),
    PROBE(socket, AF_INET, SOCK_DCCP, 0), PROBE(socket, AF_INET, SOCK_RAW, IPPROTO_ICMP),
    PROBE(socket, AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW),
    PROBE(socket, AF_INET, SOCK_PACKET, 0), PROBE(socket, AF_UNSPEC, SOCK_STREAM, 0),
    PROBE(socket, AF_NETLINK, SOCK_RAW, 0), PROBE(socket, AF_NETLINK, SOCK_DGRAM, NETLINK_XFRM),
    PROBE(socket, AF_PACKET, SOCK_RAW, 0), PROBE(socket, AF_PACKET, SOCK_DGRAM, 0),
    PROBE(socket, AF_VSOCK, SOCK_STREAM, 0), PROBE(socket, AF_ALG, SOCK_SEQPACKET, 0),
    PROBE(socket, AF_KEY, SOCK_RAW, 2), PROBE(socket, AF_RXRPC, SOCK_DGRAM, 2),
    PROBE(socket, AF_TIPC, SOCK_SEQPACKET, 0), PROBE(socket, AF_XDP, SOCK_RAW, 0),
    PROBE(socket, AF_BLUETOOTH, SOCK_RAW, 0), PROBE(socket, AF_SMC, SOCK_STREAM, 0),
    PROBE(socketpair, AF_UNIX, SOCK_STREAM, 0), PROBE(socketpair, AF_UNIX, SOCK_DGRAM, 0),
    PROBE(socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0),
    PROBE(socketpair, AF_UNIX, SOCK_RAW, 0), PROBE(socketpair, AF_INET, SOCK_STREAM, 0),
    PROBE(socketpair, AF_TIPC, SOCK_STREAM, 0),

    PROBE(sendto, 3, 0, 5, MSG_NOSIGNAL | MSG_DONTWAIT), PROBE(sendto, 3, 0, 5, MSG_MORE),
    PROBE(sendmsg, 3, 0, MSG_NOSIGNAL), PROBE(sendmsg, 3, 0, MSG_MORE | MSG_NOSIGNAL),
    PROBE(sendmmsg, 3, 0, 1, 0), PROBE(sendmmsg, 3, 0, 1, MSG_MORE),

    PROBE(setsockopt, 0, SOL_SOCKET, SO_REUSEADDR), PROBE(setsockopt, 0, SOL_SOCKET, SO_KEEPALIVE),
    PROBE(setsockopt, 0, SOL_SOCKET, SO_SNDBUF), PROBE(setsockopt, 0, SOL_SOCKET, SO_RCVBUF),
    PROBE(setsockopt, 0, SOL_IP, IP_RECVERR), PROBE(setsockopt, 0, SOL_IPV6, IPV6_RECVERR),
    PROBE(setsockopt, 0, SOL_SOCKET, SO_ATTACH_FILTER),
    PROBE(setsockopt, 0, SOL_SOCKET, SO_ATTACH_BPF),
    PROBE(setsockopt, 0, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF),
    PROBE(setsockopt, 0, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF),
    PROBE(setsockopt, 0, SOL_SOCKET, SO_MARK), PROBE(setsockopt, 0, SOL_TCP, TCP_NODELAY),
    PROBE(setsockopt, 0, SOL_TCP, TCP_MD5SIG), PROBE(setsockopt, 0, SOL_TCP, TCP_MD5SIG_EXT),
    PROBE(setsockopt, 0, SOL_TCP, 37), PROBE(setsockopt, 0, SOL_TCP, 38), PROBE(setsockopt, 0, SOL_TCP, 42),
    PROBE(setsockopt, 0, SOL_TCP, TCP_CORK), PROBE(setsockopt, 0, SOL_UDP, UDP_CORK),
    PROBE(setsockopt, 0, SOL_UDP, UDP_ENCAP), PROBE(setsockopt, 0, SOL_UDP, UDP_SEGMENT),
    PROBE(setsockopt, 0, SOL_TCP, TCP_ULP), PROBE(setsockopt, 0, SOL_SOCKET, 31),
    PROBE(setsockopt, 0, SOL_IP, IP_TOS), PROBE(setsockopt, 0, SOL_IP, 63),
    PROBE(setsockopt, 0, SOL_IP, IP_MULTICAST_TTL), PROBE(setsockopt, 0, SOL_IP, IP_ADD_MEMBERSHIP),
    PROBE(setsockopt, 0, SOL_IP, IP_DROP_MEMBERSHIP), PROBE(setsockopt, 0, SOL_IP, IP_ADD_SOURCE_MEMBERSHIP),
    PROBE(setsockopt, 0, SOL_IP, IP_MSFILTER), PROBE(setsockopt, 0, SOL_IP, MCAST_JOIN_GROUP),
    PROBE(setsockopt, 0, SOL_IP, MCAST_JOIN_SOURCE_GROUP), PROBE(setsockopt, 0, SOL_IP, MCAST_MSFILTER),
    PROBE(setsockopt, 0, SOL_IP, IPT_SO_SET_REPLACE),
    PROBE(setsockopt, 0, SOL_IP, ARPT_SO_SET_REPLACE),
    PROBE(setsockopt, 0, SOL_IP, EBT_SO_SET_ENTRIES),
    PROBE(setsockopt, 0, SOL_IP, MRT_INIT), PROBE(setsockopt, 0, SOL_IP, 256),
    PROBE(setsockopt, 0, SOL_IPV6, IPV6_2292PKTOPTIONS), PROBE(setsockopt, 0, SOL_IPV6, IPV6_2292HOPLIMIT),
    PROBE(setsockopt, 0, SOL_IPV6, IPV6_V6ONLY), PROBE(setsockopt, 0, SOL_IPV6, IPV6_TCLASS),
    PROBE(setsockopt, 0, SOL_IPV6, IPV6_MULTICAST_HOPS), PROBE(setsockopt, 0, SOL_IPV6, IPV6_JOIN_GROUP),
    PROBE(setsockopt, 0, SOL_IPV6, IPV6_LEAVE_GROUP), PROBE(setsockopt, 0, SOL_IPV6, IPV6_JOIN_ANYCAST),
    PROBE(setsockopt, 0, SOL_IPV6, MCAST_JOIN_GROUP), PROBE(setsockopt, 0, SOL_IPV6, MCAST_MSFILTER),
    PROBE(setsockopt, 0, SOL_IPV6, IPV6_PKTINFO), PROBE(setsockopt, 0, SOL_IPV6, IP6T_SO_SET_REPLACE),
    PROBE(setsockopt, 0, SOL_IPV6, IP6T_SO_SET_ADD_COUNTERS),
    PROBE(setsockopt, 0, SOL_IPV6, IPV6_RECVFRAGSIZE), PROBE(setsockopt, 0, SOL_IPV6, MRT6_INIT),
};
/* clang-format on */

/* A policy, as rules and as the program that they became. */
struct policy {
    struct seccomp_rules *rules;
    struct seccomp_program program;
};

static struct policy policy_open(const char *name)
{
    struct policy policy = {0};
    struct slice text = slice_of(seccomp_builtin_policy(name));
    struct err err = {0};
    policy.rules = seccomp_rules_parse(name, text, SECCOMP_REFUSE_ENOSYS, &err);
    if (!policy.rules || seccomp_rules_generate(policy.rules, &policy.program, &err) < 0)
        fail_msg("%s", err.text);
    return policy;
}

static void policy_close(struct policy *policy)
{
    seccomp_program_fini(&policy->program);
    seccomp_rules_free(policy->rules);
}

static bool is_probed(const char *call)
{
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        if (strcmp(probes[i].call, call) == 0)
            return true;
    }
    return false;
}

/* Whether the policy says so, or the arguments of any probe, or one of them
 * alone with or without bit 32, do change the answer. */
static bool looks_at_arguments(const struct policy *policy, int number)
{
    const struct seccomp_call *call = &policy->rules->calls[number];
    for (size_t i = 0; i < call->rule_count; i++) {
        if (policy->rules->rules[call->rules[i]].test_count > 0)
            return true;
    }
    static const uint64_t none[6];
    uint32_t answer = bpf_eval_call(&policy->program, number, none);
    for (size_t i = 0; i < ARRAY_LEN(probes) * PROBE_ARGS * 6; i++) {
        const struct probe *probe = &probes[i / (PROBE_ARGS * 6)];
        uint64_t value = probe->args[i / 6 % PROBE_ARGS];
        uint64_t all[6] = {0};
        memcpy(all, probe->args, sizeof probe->args);
        uint64_t low[6] = {0};
        uint64_t high[6] = {0};
        low[i % 6] = value;
        high[i % 6] = HIGH | value;
        if (bpf_eval_call(&policy->program, number, all) != answer ||
            bpf_eval_call(&policy->program, number, low) != answer ||
            bpf_eval_call(&policy->program, number, high) != answer)
            return true;
    }
    return false;
}

/* A row for the probe, and one for each argument whose upper half matters. */
static void print_probe(const struct seccomp_program *program, const struct probe *probe,
                        struct buf *out)
{
    int number = seccomp_call_number(probe->call);
    uint64_t args[6] = {0};
    memcpy(args, probe->args, sizeof probe->args);
    uint32_t answer = bpf_eval_call(program, number, args);
    char call[160];
    if (snprintf(call, sizeof call, "%s(%s)", probe->call, probe->text) < 0)
        call[0] = '\0';
    buf_add_format(out, "      %-72s %s\n", call, bpf_action_name(answer));
    for (size_t i = 0; i < PROBE_ARGS; i++) {
        args[i] |= HIGH;
        uint32_t high = bpf_eval_call(program, number, args);
        args[i] = probe->args[i];
        if (high != answer)
            buf_add_format(out, "          with bit 32 of argument %zu: %s\n", i,
                           bpf_action_name(high));
    }
}

static void print_call(const struct policy *policy, int number, struct buf *out)
{
    static const uint64_t none[6];
    const char *name = seccomp_call_name(number);
    if (!looks_at_arguments(policy, number)) {
        buf_add_format(out, "%3d   %-24s %s\n", number, name,
                       bpf_action_name(bpf_eval_call(&policy->program, number, none)));
        return;
    }
    buf_add_format(out, "%3d   %s\n", number, name);
    if (!is_probed(name))
        fail_msg("%s looks at its arguments: probe it", name);
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        if (strcmp(probes[i].call, name) == 0)
            print_probe(&policy->program, &probes[i], out);
    }
}

/* From `first` on as long as there are no calls; returns the last of them. */
static int print_gap(const struct policy *policy, int first, struct buf *out)
{
    static const uint64_t none[6];
    uint32_t answer = bpf_eval_call(&policy->program, first, none);
    int last = first;
    for (; last + 1 < NUMBERS && !seccomp_call_name(last + 1); last++) {
        assert_false(looks_at_arguments(policy, last + 1));
        assert_int_equal(bpf_eval_call(&policy->program, last + 1, none), answer);
    }
    buf_add_format(out, "%3d to %d%20s %s\n", first, last, "", bpf_action_name(answer));
    return last;
}

static void print_foreign(const struct seccomp_program *program, struct buf *out)
{
    static const struct {
        const char *name;
        uint32_t arch;
        uint32_t number_bits;
    } foreign[] = {
        {"x32 (x86-64, bit 30 of the number)", AUDIT_ARCH_X86_64, 0x40000000},
        {"negative numbers", AUDIT_ARCH_X86_64, 0x80000000},
        {"i386 (int 0x80)", AUDIT_ARCH_I386, 0},
        {"aarch64", AUDIT_ARCH_AARCH64, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
        const char *answer = NULL;
        for (uint32_t number = 0; number < NUMBERS; number++) {
            struct seccomp_data data = {.nr = (int)(number | foreign[i].number_bits),
                                        .arch = foreign[i].arch};
            const char *this_one = bpf_action_name(bpf_eval(program, &data));
            answer = answer && strcmp(answer, this_one) != 0 ? "differs" : this_one;
        }
        buf_add_format(out, "all   %-40s %s\n", foreign[i].name, answer);
    }
}

static void print_golden(const char *name, struct buf *out)
{
    struct policy policy = policy_open(name);
    buf_add_format(out,
                   "# What %s.policy answers. Written by 'ninja -C build seccomp-golden'.\n"
                   "# Bit 32 of an argument makes no difference where no line says so.\n",
                   name);
    print_foreign(&policy.program, out);
    for (int number = 0; number < NUMBERS; number++) {
        if (seccomp_call_name(number))
            print_call(&policy, number, out);
        else
            number = print_gap(&policy, number, out);
    }
    policy_close(&policy);
}

static char *golden_folder;

static FILE *open_golden(const char *name, const char *mode)
{
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/seccomp_%s.golden", golden_folder, name);
    assert_true(len > 0 && (size_t)len < sizeof path);
    FILE *file = fopen(path, mode);
    if (!file)
        fail_msg("cannot open %s", path);
    return file;
}

static void compare_golden(const char *name)
{
    auto_buf struct buf now;
    buf_init(&now, MIB);
    print_golden(name, &now);
    assert_false(now.failed);
    char *expected = calloc(1, MIB);
    assert_non_null(expected);
    FILE *file = open_golden(name, "r");
    assert_true(fread(expected, 1, MIB - 1, file) > 0);
    assert_int_equal(fclose(file), 0);
    const char *a = expected;
    const char *b = buf_text(&now);
    for (int line = 1; *a || *b; line++) {
        size_t a_len = strcspn(a, "\n");
        size_t b_len = strcspn(b, "\n");
        if (a_len != b_len || memcmp(a, b, a_len) != 0)
            fail_msg("seccomp_%s.golden:%d: '%.*s' is now '%.*s'", name, line, (int)a_len, a,
                     (int)b_len, b);
        a += a_len + (a[a_len] == '\n');
        b += b_len + (b[b_len] == '\n');
    }
    free(expected);
}

static void the_box_answers_as_its_table_says(void **state)
{
    (void)state;
    compare_golden("box");
}

static void the_front_answers_as_its_table_says(void **state)
{
    (void)state;
    compare_golden("front");
}

static void the_box_names_every_call_that_linux_has(void **state)
{
    (void)state;
    struct policy policy = policy_open("box");
    for (int number = 0; number < SECCOMP_CALL_LIMIT; number++) {
        const char *name = seccomp_call_name(number);
        if (name && policy.rules->calls[number].rule_count == 0)
            fail_msg("box.policy does not say what '%s' gets", name);
    }
    policy_close(&policy);
}

static void every_rule_has_its_reason(void **state)
{
    (void)state;
    static const char *const names[] = {"box", "front"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *at = seccomp_builtin_policy(names[i]);
        for (int line = 1; *at; line++) {
            size_t len = strcspn(at, "\n");
            const char *reason = memchr(at, '#', len);
            bool is_rule = len > 0 && at[0] != '#' && strncmp(at, "default", 7) != 0;
            if (is_rule && (!reason || at + len - reason < 3))
                fail_msg("%s.policy:%d: a rule without a reason", names[i], line);
            at += len + (at[len] == '\n');
        }
    }
}

int main(int argc, char **argv)
{
    bool update = argc == 3 && strcmp(argv[1], "--update") == 0;
    if (argc < 2)
        return 2;
    golden_folder = argv[argc - 1];
    if (update) {
        static const char *const names[] = {"box", "front"};
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            auto_buf struct buf out;
            buf_init(&out, MIB);
            print_golden(names[i], &out);
            FILE *file = open_golden(names[i], "w");
            if (fwrite(buf_text(&out), 1, out.len, file) != out.len || fclose(file) != 0)
                return 1;
        }
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_box_answers_as_its_table_says),
        cmocka_unit_test(the_front_answers_as_its_table_says),
        cmocka_unit_test(the_box_names_every_call_that_linux_has),
        cmocka_unit_test(every_rule_has_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
