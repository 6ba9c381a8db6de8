/* SPDX-License-Identifier: MIT
 * row: 63 oddfamilies
 * expect: succeeded
 * stdout: ^families: 43, all EAFNOSUPPORT$
 * layer: seccomp
 *
 * All but unix and the internet's, each also with high bits set, which the
 * kernel cuts off.
 */
#include "saw.h"
#include <sys/socket.h>
#include <sys/syscall.h>

static int refused_as_it_should(long family)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET,
                                SOCK_STREAM | SOCK_CLOEXEC};
    int right = 1;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        int pair[2];
        long results[3] = {syscall(SYS_socket, family, types[i], 0)};
        int errors[3] = {errno};
        results[1] = syscall(SYS_socket, (1L << 32) | family, types[i], 0);
        errors[1] = errno;
        results[2] = syscall(SYS_socketpair, family, types[i], 0, pair);
        errors[2] = errno;
        for (int k = 0; k < 3; k++) {
            if (results[k] >= 0 || errors[k] != EAFNOSUPPORT) {
                printf("family %ld, attempt %d: %s\n", family, k,
                       results[k] >= 0 ? "ESCAPED" : saw_errno(errors[k]));
                right = 0;
            }
        }
    }
    return right;
}

int main(void)
{
    int families = 0, right = 1;
    for (long family = 3; family < 47; family++) {
        if (family == AF_INET6)
            continue;
        families++;
        right &= refused_as_it_should(family);
    }
    printf("families: %d, %s\n", families, right ? "all EAFNOSUPPORT" : "not all refused");
    return 0;
}
