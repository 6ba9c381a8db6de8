/* SPDX-License-Identifier: MIT */
/* seccomp_names.c — what the words of a policy mean on this machine. The calls
 * come from the kernel's headers at build time; the constants are those that
 * the policies use: a new one is one new row. */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "sandbox/seccomp_newer_calls.h"
#include "sandbox/seccomp_rules.h"

static const struct {
    const char *name;
    int number;
} calls[] = {
#include "seccomp_calls.inc"
};

/* clang-format off */
#define CONSTANT(name) {#name, name}
static const struct {
    const char *name;
    uint64_t value;
} constants[] = {
    /* socket, socketpair, setsockopt */
    CONSTANT(AF_UNIX), CONSTANT(AF_INET), CONSTANT(AF_INET6),
    CONSTANT(SOCK_STREAM), CONSTANT(SOCK_DGRAM), CONSTANT(SOCK_SEQPACKET),
    CONSTANT(IPPROTO_TCP), CONSTANT(IPPROTO_UDP),
    CONSTANT(SOL_SOCKET), CONSTANT(SOL_IP), CONSTANT(SOL_IPV6), CONSTANT(SOL_TCP),
    CONSTANT(IP_ADD_MEMBERSHIP), CONSTANT(IP_ADD_SOURCE_MEMBERSHIP),
    CONSTANT(IPV6_JOIN_GROUP), CONSTANT(IPV6_JOIN_ANYCAST), CONSTANT(IPV6_2292PKTOPTIONS),
    CONSTANT(MCAST_JOIN_GROUP), CONSTANT(MCAST_MSFILTER),
    CONSTANT(SOL_UDP), CONSTANT(UDP_ENCAP), CONSTANT(UDP_CORK),
    CONSTANT(TCP_MD5SIG), CONSTANT(TCP_MD5SIG_EXT), CONSTANT(MSG_MORE),
    CONSTANT(SO_RCVBUF), CONSTANT(IP_RECVERR), CONSTANT(IPV6_RECVERR),
    CONSTANT(TCP_ULP), CONSTANT(SO_MARK), CONSTANT(SO_ATTACH_FILTER), CONSTANT(SO_ATTACH_BPF),
    CONSTANT(SO_ATTACH_REUSEPORT_CBPF), CONSTANT(SO_ATTACH_REUSEPORT_EBPF),
    /* ioctl */
    CONSTANT(TCGETS), CONSTANT(TCSETS), CONSTANT(TCSETSW), CONSTANT(TCSETSF),
    CONSTANT(TCGETS2), CONSTANT(TCSETS2), CONSTANT(TCSETSW2), CONSTANT(TCSETSF2),
    CONSTANT(TCSBRK), CONSTANT(TCXONC), CONSTANT(TCFLSH),
    CONSTANT(TIOCGWINSZ), CONSTANT(TIOCSWINSZ), CONSTANT(TIOCGPGRP), CONSTANT(TIOCSPGRP),
    CONSTANT(TIOCGSID), CONSTANT(TIOCSCTTY), CONSTANT(TIOCNOTTY), CONSTANT(TIOCOUTQ),
    CONSTANT(TIOCGPTN), CONSTANT(TIOCSPTLCK), CONSTANT(TIOCGPTPEER),
    CONSTANT(TIOCSTI), CONSTANT(TIOCLINUX), CONSTANT(TIOCCONS), CONSTANT(TIOCSETD),
    CONSTANT(FIONREAD), CONSTANT(FIONBIO), CONSTANT(FIOCLEX), CONSTANT(FIONCLEX),
    CONSTANT(FICLONE), CONSTANT(FICLONERANGE),
    /* prctl */
    CONSTANT(PR_SET_NAME), CONSTANT(PR_GET_NAME),
    CONSTANT(PR_SET_PDEATHSIG), CONSTANT(PR_GET_PDEATHSIG),
    CONSTANT(PR_SET_DUMPABLE), CONSTANT(PR_GET_DUMPABLE), CONSTANT(PR_SET_VMA),
    CONSTANT(PR_SET_NO_NEW_PRIVS), CONSTANT(PR_GET_NO_NEW_PRIVS),
    CONSTANT(PR_SET_SECCOMP), CONSTANT(PR_GET_SECCOMP), CONSTANT(SECCOMP_MODE_FILTER),
    CONSTANT(PR_CAPBSET_READ), CONSTANT(PR_GET_KEEPCAPS), CONSTANT(PR_GET_SECUREBITS),
    CONSTANT(PR_SET_TIMERSLACK), CONSTANT(PR_GET_TIMERSLACK), CONSTANT(PR_GET_TID_ADDRESS),
    CONSTANT(PR_SET_THP_DISABLE), CONSTANT(PR_GET_THP_DISABLE), CONSTANT(PR_GET_CHILD_SUBREAPER),
    CONSTANT(PR_GET_SPECULATION_CTRL), CONSTANT(PR_CAP_AMBIENT), CONSTANT(PR_CAP_AMBIENT_IS_SET),
    /* clone */
    CONSTANT(CLONE_NEWNS), CONSTANT(CLONE_NEWCGROUP), CONSTANT(CLONE_NEWUTS),
    CONSTANT(CLONE_NEWIPC), CONSTANT(CLONE_NEWUSER), CONSTANT(CLONE_NEWPID),
    CONSTANT(CLONE_NEWNET), CONSTANT(CLONE_NEWTIME), CONSTANT(CLONE_THREAD),
    /* personality */
    CONSTANT(PER_LINUX), CONSTANT(PER_LINUX32), CONSTANT(UNAME26), CONSTANT(ADDR_NO_RANDOMIZE),
    /* fcntl, madvise, memfd_create, mknod, mmap, msync, prlimit64, sched_setscheduler, setpriority, splice */
    CONSTANT(F_NOTIFY), CONSTANT(F_SETOWN), CONSTANT(F_SETOWN_EX), CONSTANT(F_SETPIPE_SZ), CONSTANT(SPLICE_F_MORE),
    CONSTANT(MADV_MERGEABLE), CONSTANT(MS_SYNC), CONSTANT(MFD_HUGETLB), CONSTANT(MAP_HUGETLB),
    CONSTANT(S_IFMT), CONSTANT(S_IFREG), CONSTANT(S_IFIFO), CONSTANT(S_IFSOCK),
    CONSTANT(PROT_EXEC), CONSTANT(RLIMIT_CORE),
    CONSTANT(PRIO_PROCESS), CONSTANT(PRIO_USER),
    CONSTANT(SCHED_OTHER), CONSTANT(SCHED_BATCH), CONSTANT(SCHED_IDLE),
};
/* clang-format on */

bool seccomp_constant(struct slice name, uint64_t *ret_value)
{
    if (slice_is(name, "SELF")) { /* who compiles the policy, and goes on under it */
        *ret_value = (uint64_t)getpid();
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(constants); i++) {
        if (slice_is(name, constants[i].name)) {
            *ret_value = constants[i].value;
            return true;
        }
    }
    return false;
}

bool seccomp_errno(struct slice name, uint32_t *ret_errno)
{
    if (slice_is(name, "0")) { /* done, as far as who asks can tell */
        *ret_errno = 0;
        return true;
    }
    for (int number = 1; number <= EHWPOISON; number++) { /* the last that Linux has */
        const char *known = strerrorname_np(number);
        if (known && slice_is(name, known)) {
            *ret_errno = (uint32_t)number;
            return true;
        }
    }
    return false;
}

int seccomp_call_number_of(struct slice name)
{
    size_t low = 0;
    size_t high = ARRAY_LEN(calls);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(calls[middle].name, name.at, name.len);
        if (order == 0 && calls[middle].name[name.len] == '\0')
            return calls[middle].number;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

int seccomp_call_number(const char *name)
{
    return seccomp_call_number_of(slice_of(name));
}

const char *seccomp_call_name(int number)
{
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        if (calls[i].number == number)
            return calls[i].name;
    }
    return NULL;
}
