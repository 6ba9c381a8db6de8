/* SPDX-License-Identifier: MIT
 * row: 13 mlock
 * expect: succeeded
 * stdout: ^mlockall: (EPERM|ENOMEM)$
 * stdout: ^mlock 1 GiB: (EPERM|ENOMEM)$
 * stdout: ^mmap locked: (EPERM|ENOMEM|EAGAIN)$
 * stdout: ^huge pages: (EPERM|ENOMEM|EINVAL)$
 * layer: rlimits, seccomp
 */
#include "saw.h"
#include <sys/mman.h>

static const size_t gib = 1UL << 30;

static long try_map(int flags)
{
    return (long)mmap(NULL, gib, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1,
                      0);
}

int main(void)
{
    saw_refused("mlockall", mlockall(MCL_CURRENT | MCL_FUTURE));
    void *memory = (void *)try_map(MAP_NORESERVE);
    saw_refused("mlock 1 GiB", mlock(memory, gib));
    saw_refused("mmap locked", try_map(MAP_LOCKED));
    saw_refused("huge pages", try_map(MAP_HUGETLB));
    return 0;
}
