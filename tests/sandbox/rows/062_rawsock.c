/* SPDX-License-Identifier: MIT
 * row: 62 rawsock
 * expect: succeeded
 * stdout: ^raw icmp: (EPERM|EACCES|EAFNOSUPPORT|EPROTONOSUPPORT|ESOCKTNOSUPPORT)$
 * stdout: ^packet: (EPERM|EAFNOSUPPORT)$
 * stdout: ^packet, high bits set: (EPERM|EAFNOSUPPORT)$
 * layer: seccomp
 */
#include "saw.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

int main(void)
{
    saw_refused("raw icmp", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
    saw_refused("raw icmp, with flags", socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
    saw_refused("raw icmp 6", socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
    saw_refused("raw raw", socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
    saw_refused("ping", socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
    saw_refused("packet", socket(AF_PACKET, SOCK_RAW, 0x0300));
    saw_refused("packet dgram", socket(AF_PACKET, SOCK_DGRAM, 0x0300));
    saw_refused("old packet", socket(AF_INET, SOCK_PACKET, 0x0300));
    saw_refused("sctp", socket(AF_INET, SOCK_SEQPACKET, 132));
    saw_refused("mptcp", socket(AF_INET, SOCK_STREAM, 262));
    /* The kernel takes an int; a filter that compares 64 bits does not see it. */
    saw_refused("packet, high bits set",
                syscall(SYS_socket, (1L << 32) | AF_PACKET, SOCK_RAW, 0x0300));
    saw_refused("raw type, high bits set",
                syscall(SYS_socket, AF_INET, (1L << 32) | SOCK_RAW, IPPROTO_ICMP));
    return 0;
}
