/* SPDX-License-Identifier: MIT
 * row: 20 pipebomb, in what one socket keeps
 * expect: succeeded
 * stdout: ^receive buffer: ok$
 * stdout: ^queue of errors: ok$
 * stdout: ^queue of errors, version 6: ok$
 * stdout: ^errors kept: EAGAIN$
 * stdout: ^kept: [0-9]+ KiB$
 * never: ESCAPED
 * limits: timeout=20s
 * layer: seccomp
 *
 * Datagrams that nobody takes, and those that came back as errors, are memory that no group is
 * charged for. Who asks for more room is told that there is more, and has what all have.
 */
#include "saw.h"
#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { SENDS = 1024, ROOM = 64 << 20, MOST_KIB = 512 };

static long kept_kib(int fd)
{
    unsigned figures[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof figures;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures, &len) < 0)
        return -1;
    return (long)figures[SK_MEMINFO_RMEM_ALLOC] / 1024;
}

int main(void)
{
    static const char bytes[32 << 10];
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    char byte;
    int room = ROOM, one = 1;
    int server = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0);
    int newer = socket(AF_INET6, SOCK_DGRAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    saw("receive buffer", setsockopt(server, SOL_SOCKET, SO_RCVBUF, &room, sizeof room));
    saw("queue of errors", setsockopt(client, SOL_IP, IP_RECVERR, &one, sizeof one));
    saw("queue of errors, version 6",
        newer < 0 ? 0 : setsockopt(newer, SOL_IPV6, IPV6_RECVERR, &one, sizeof one));
    if (bind(server, (struct sockaddr *)&address, len) < 0 ||
        getsockname(server, (struct sockaddr *)&address, &len) < 0 ||
        connect(client, (struct sockaddr *)&address, len) < 0)
        return 1;
    for (int i = 0; i < SENDS; i++)
        send(client, bytes, sizeof bytes, MSG_DONTWAIT);
    long kept = kept_kib(server);
    printf("%s%ld KiB\n", kept < 0 || kept > MOST_KIB ? "kept, ESCAPED: " : "kept: ", kept);
    close(server);
    for (int i = 0; i < SENDS; i++)
        send(client, bytes, sizeof bytes, MSG_DONTWAIT);
    saw_refused("errors kept", recv(client, &byte, 1, MSG_ERRQUEUE | MSG_DONTWAIT));
    return 0;
}
