/* SPDX-License-Identifier: MIT
 * row: 20 pipebomb, in options of sockets
 * expect: succeeded
 * stdout: ^options of all packets: EPERM$
 * never: ESCAPED
 * limits: timeout=10s
 * layer: seccomp
 *
 * Up to 64 KiB of options for the packets of version 6 that a socket sends: memory that no group is
 * charged for, as often as there are sockets.
 */
#include "saw.h"
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

int main(void)
{
    static char options[16 << 10];
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    if (fd < 0 && errno == EAFNOSUPPORT) /* the machine has no version 6: it is refused before */
        fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct cmsghdr head = {.cmsg_len = sizeof options, .cmsg_level = SOL_UDP};
    memcpy(options, &head, sizeof head); /* of another level: kept, and not looked at */
    saw_refused("options of all packets",
                setsockopt(fd, SOL_IPV6, IPV6_2292PKTOPTIONS, options, sizeof options));
    return 0;
}
