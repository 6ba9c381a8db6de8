/* SPDX-License-Identifier: MIT
 * row: 66 forbidden_calls
 * expect: succeeded
 * stdout: ^calls: [0-9]{3}, as the table says: all$
 * never: WRONG
 * limits: timeout=20s
 * layer: seccomp
 *
 * Every call that a box refuses, by its number and in a child of its own: what
 * is meant to be fatal may kill. Arguments are such that a call which were let
 * through would fail, or do nothing, for want of a capability.
 */
#include "saw.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define NONE "ENOSYS EPERM SIGSYS"

struct call {
    const char *name;
    const char *expected; /* names of errors, any of which is right */
    long number;
    long argument[6];
};

/* clang-format off */
static char page[4096] __attribute__((aligned(4096)));

#define BARE(name, number) {#name, NONE, number, {0}}
static const struct call calls[] = {
    /* escape machinery */
    BARE(mount, 165), BARE(umount2, 166), BARE(pivot_root, 155), BARE(chroot, 161),
    BARE(setns, 308), BARE(unshare, 272), BARE(fsopen, 430), BARE(fsconfig, 431),
    BARE(fsmount, 432), BARE(fspick, 433), BARE(open_tree, 428), BARE(open_tree_attr, 467),
    BARE(move_mount, 429), BARE(mount_setattr, 442), BARE(statmount, 457), BARE(listmount, 458),
    BARE(name_to_handle_at, 303), BARE(open_by_handle_at, 304), BARE(bpf, 321),
    BARE(perf_event_open, 298), BARE(kexec_load, 246), BARE(kexec_file_load, 320),
    BARE(init_module, 175), BARE(finit_module, 313), BARE(delete_module, 176),
    BARE(create_module, 174), BARE(iopl, 172), BARE(ioperm, 173), BARE(swapon, 167),
    BARE(swapoff, 168), BARE(reboot, 169), BARE(acct, 163), BARE(quotactl, 179),
    BARE(quotactl_fd, 443), BARE(settimeofday, 164), BARE(clock_settime, 227),
    BARE(sethostname, 170), BARE(setdomainname, 171), BARE(nfsservctl, 180),
    BARE(modify_ldt, 154), BARE(uselib, 134), BARE(lookup_dcookie, 212), BARE(vhangup, 153),
    BARE(fanotify_init, 300), BARE(fanotify_mark, 301), BARE(kcmp, 312), BARE(adjtimex, 159),
    BARE(clock_adjtime, 305), BARE(vmsplice, 278), BARE(remap_file_pages, 216),
    /* known exploit surface */
    BARE(io_uring_setup, 425), BARE(io_uring_enter, 426), BARE(io_uring_register, 427),
    BARE(io_setup, 206), BARE(io_submit, 209), BARE(userfaultfd, 323), BARE(add_key, 248),
    BARE(request_key, 249), BARE(keyctl, 250), BARE(ptrace, 101), BARE(process_vm_readv, 310),
    BARE(process_vm_writev, 311), BARE(pidfd_getfd, 438), BARE(process_madvise, 440),
    BARE(process_mrelease, 448), BARE(memfd_secret, 447), BARE(clone3, 435),
    BARE(cachestat, 451), BARE(get_robust_list, 274),
    /* multiplexers, obsolete, never implemented */
    BARE(syslog, 103), BARE(ustat, 136), BARE(sysfs, 139), BARE(_sysctl, 156), BARE(getpmsg, 181),
    BARE(putpmsg, 182), BARE(afs_syscall, 183), BARE(tuxcall, 184), BARE(security, 185),
    BARE(vserver, 236), BARE(epoll_ctl_old, 214), BARE(epoll_wait_old, 215),
    BARE(get_kernel_syms, 177), BARE(query_module, 178), BARE(set_thread_area, 205),
    /* numbers that no kernel knows yet, or are no numbers */
    BARE(next, 600), BARE(far, 100000), BARE(negative, -7),
    /* System V and POSIX queues */
    BARE(shmget, 29), BARE(semget, 64), BARE(msgget, 68), BARE(mq_open, 240),
    /* placement and priority */
    {"mbind", "EPERM", 237, {0}}, {"set_mempolicy", "EPERM", 238, {0}},
    {"move_pages", "EPERM", 279, {0}}, {"migrate_pages", "EPERM", 256, {0}},
    {"set_mempolicy_home_node", "EPERM", 450, {0}},
    {"sched_setattr", "EPERM EINVAL", 314, {0}},
    {"ioprio_set", "EPERM ENOSYS", 251, {1, 0, 1 << 13}}, {"mlockall", "EPERM", 151, {1}},
    /* memory that no group is charged for, or that shows what others have */
    {"fcntl F_SETPIPE_SZ", "EPERM", 72, {0, 1031, 1 << 20}},
    {"memfd_create of huge pages", "ENOSYS", 319, {(long)"huge", MFD_HUGETLB}},
    {"prctl PR_SET_SECCOMP", "EINVAL", 157, {22, 2, 0}},
    {"prctl PR_SET_VMA", "EINVAL", 157, {0x53564d41, 0, (long)page, sizeof page, (long)"x"}},
    {"madvise mergeable", "EINVAL", 28, {(long)page, sizeof page, MADV_MERGEABLE}},
    /* identity */
    {"setuid", "EPERM", 105, {0}}, {"setgid", "EPERM", 106, {0}}, {"setreuid", "EPERM", 113, {0}},
    {"setgroups", "EPERM", 116, {0}}, {"capset", "EPERM EFAULT", 126, {0}},
    /* clone: no new namespace, whatever the other bits are */
    {"clone NEWNS", "EPERM", 56, {CLONE_NEWNS | 17}},
    {"clone NEWUSER", "EPERM", 56, {CLONE_NEWUSER | 17}},
    {"clone NEWPID", "EPERM", 56, {CLONE_NEWPID | 17}},
    {"clone NEWNET", "EPERM", 56, {CLONE_NEWNET | 17}},
    {"clone NEWIPC", "EPERM", 56, {CLONE_NEWIPC | 17}},
    {"clone NEWUTS", "EPERM", 56, {CLONE_NEWUTS | 17}},
    {"clone NEWCGROUP", "EPERM", 56, {CLONE_NEWCGROUP | 17}},
    {"clone NEWTIME", "EPERM", 56, {0x80 | 17}},
    {"clone NEWUSER, high bits", "EPERM", 56, {(1L << 32) | CLONE_NEWUSER | 17}},
    /* personality: what weakens a process */
    {"personality no randomization", "EPERM", 135, {ADDR_NO_RANDOMIZE}},
    {"personality mmap page zero", "ENOSYS EPERM", 135, {MMAP_PAGE_ZERO}},
    {"personality read implies exec", "ENOSYS EPERM", 135, {READ_IMPLIES_EXEC}},
    {"personality, high bits", "EPERM", 135, {(1L << 32) | ADDR_NO_RANDOMIZE}},
    /* prctl */
    {"prctl PR_SET_MM", "EPERM", 157, {35, 1}},
    {"prctl PR_SET_PTRACER", "EPERM", 157, {0x59616d61, -1}},
    {"prctl PR_SET_SECUREBITS", "EPERM", 157, {28, 0}},
    {"prctl PR_CAPBSET_DROP", "EPERM", 157, {24, 0}},
    {"prctl PR_SCHED_CORE", "EPERM", 157, {62, 1}},
    {"prctl PR_CAP_AMBIENT raise", "EPERM", 157, {47, 2, 0}},
    {"prctl PR_SET_KEEPCAPS", "EPERM", 157, {8, 1}},
    /* limits: the core limit stays, and only one's own may be asked */
    {"setrlimit core", "EPERM EFAULT", 160, {RLIMIT_CORE, 0}},
    {"prlimit of init", "EPERM", 302, {1, RLIMIT_NOFILE}},
    {"prlimit core", "EPERM", 302, {0, RLIMIT_CORE, (long)&(struct rlimit){2, 2}}},
    /* ioctl, also with bits that the kernel cuts off */
    {"ioctl TIOCSTI", "EPERM", 16, {0, TIOCSTI, (long)"x"}},
    {"ioctl TIOCSTI, high bits", "EPERM", 16, {0, (1L << 32) | TIOCSTI, (long)"x"}},
    {"ioctl TIOCLINUX", "EPERM", 16, {0, TIOCLINUX, (long)"\3"}},
    {"ioctl TIOCCONS", "EPERM", 16, {0, TIOCCONS}},
    {"ioctl TIOCSETD", "EPERM", 16, {0, TIOCSETD, (long)"\2\0\0\0"}},
    {"ioctl FICLONE", "EPERM", 16, {0, 0x40049409, 0}},
    {"ioctl FS_IOC_SETFLAGS", "ENOTTY EPERM", 16, {0, 0x40086602, 0}},
    {"ioctl LOOP_SET_FD", "ENOTTY EPERM", 16, {0, 0x4c00, 0}},
    {"ioctl SIOCGIFCONF", "ENOTTY EPERM", 16, {0, 0x8912, 0}},
    {"ioctl, high bits only", "ENOTTY EPERM", 16, {0, 1L << 32, 0}},
    /* sockets; the options are those of descriptor 3, which main opens */
    {"socket vsock", "EAFNOSUPPORT", 41, {40, SOCK_STREAM, 0}},
    {"socket vsock, high bits", "EAFNOSUPPORT", 41, {(1L << 32) | 40, SOCK_STREAM, 0}},
    {"socket alg", "EAFNOSUPPORT", 41, {38, SOCK_SEQPACKET, 0}},
    {"socket netlink", "EAFNOSUPPORT", 41, {16, SOCK_RAW, 0}},
    {"socket raw", "EAFNOSUPPORT EPERM", 41, {2, SOCK_RAW, 1}},
    {"setsockopt TCP_ULP", "EPERM", 54, {3, 6, 31, (long)"tls", 4}},
    {"setsockopt TCP_ULP, high bits", "EPERM", 54, {3, (1L << 32) | 6, (1L << 32) | 31, (long)"tls", 4}},
    {"sendto MSG_MORE", "EOPNOTSUPP", 44, {3, (long)"x", 1, MSG_MORE}},
    {"sendmmsg MSG_MORE", "EOPNOTSUPP", 307, {3, 0, 0, MSG_MORE}},
    {"splice SPLICE_F_MORE", "EINVAL", 275, {0, 0, 1, 0, 1, 4}},
    {"setsockopt UDP_CORK", "EPERM", 54, {3, 17, 1, (long)"\1\0\0\0", 4}},
    {"setsockopt IP_ADD_MEMBERSHIP", "EPERM", 54, {3, 0, 35}},
    {"setsockopt IP_ADD_SOURCE_MEMBERSHIP", "EPERM", 54, {3, 0, 39}},
    {"setsockopt MCAST_JOIN_GROUP", "EPERM", 54, {3, 0, 42}},
    {"setsockopt IPV6_JOIN_GROUP", "EPERM", 54, {3, 41, 20}},
    {"setsockopt IPV6_JOIN_GROUP, high bits", "EPERM", 54, {3, (1L << 32) | 41, (1L << 32) | 20}},
    {"setsockopt IPV6_JOIN_ANYCAST", "EPERM", 54, {3, 41, 27}},
    {"setsockopt MCAST_MSFILTER", "EPERM", 54, {3, 41, 48}},
    {"setsockopt TCP_MD5SIG", "EPERM", 54, {3, 6, 14}},
    {"setsockopt UDP_ENCAP", "EPERM", 54, {3, 17, 100, (long)"\2\0\0\0", 4}},
    {"setsockopt SO_ATTACH_FILTER", "EPERM", 54, {3, 1, 26}},
    {"setsockopt SO_ATTACH_BPF", "EPERM", 54, {3, 1, 50}},
    {"setsockopt SO_ATTACH_REUSEPORT_CBPF", "EPERM", 54, {3, 1, 51}},
    {"setsockopt SO_MARK", "EPERM", 54, {3, 1, 36, (long)"\1\0\0\0", 4}},
    {"setsockopt IPT_SO_SET_REPLACE", "EPERM", 54, {3, 0, 64}},
    {"setsockopt MRT_INIT", "EPERM", 54, {3, 0, 200, (long)"\1\0\0\0", 4}},
    {"setsockopt IP6T_SO_SET_REPLACE", "EPERM", 54, {3, 41, 64}},
    /* files */
    {"mknod block", "EPERM", 133, {(long)"/tmp/b", 0060666, 0x800}},
    {"mknod char", "EPERM", 133, {(long)"/tmp/c", 0020666, 0x101}},
    {"setxattr", "EOPNOTSUPP EPERM ENOSYS", 188, {0}},
    {"sync", NONE, 162, {0}}, {"syncfs", NONE, 306, {0}},
};
/* clang-format on */

static long attempt(const void *argument)
{
    const struct call *call = argument;
    const long *a = call->argument;
    return syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int main(void)
{
    if (socket(AF_INET, SOCK_STREAM, 0) != 3)
        return 1;
    int wrong = 0;
    size_t count = sizeof calls / sizeof *calls;
    for (size_t i = 0; i < count; i++) {
        const char *seen = saw_in_child(attempt, &calls[i]);
        int right = strstr(calls[i].expected, seen) != NULL;
        printf("%s: %s%s\n", calls[i].name, seen, right ? "" : " WRONG");
        wrong += !right;
    }
    printf("calls: %zu, as the table says: %s\n", count, wrong ? "not all" : "all");
    return 0;
}
