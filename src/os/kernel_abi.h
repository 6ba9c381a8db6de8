/* SPDX-License-Identifier: MIT */
/* kernel_abi.h — what the kernel offers and the headers of Debian 12 do not say.
 *
 * Each constant names the Linux version that brought it. Numbers are those of
 * include/uapi in the kernel's tree.
 */
#ifndef RUNNEL_OS_KERNEL_ABI_H
#define RUNNEL_OS_KERNEL_ABI_H

#include <linux/landlock.h>
#include <sys/syscall.h>

/* Landlock, by ABI version (include/uapi/linux/landlock.h). */
#ifndef LANDLOCK_ACCESS_FS_REFER /* 2: Linux 5.19 */
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE /* 3: Linux 6.2 */
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV /* 5: Linux 6.10 */
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL /* 6: Linux 6.12 */
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif

/* struct landlock_ruleset_attr of ABI 6; older kernels take a prefix of it. */
struct landlock_ruleset_abi6 {
    unsigned long long handled_access_fs;
    unsigned long long handled_access_net;
    unsigned long long scoped;
};

#ifndef MFD_EXEC /* Linux 6.3 */
#define MFD_EXEC 0x0010U
#endif

#endif
