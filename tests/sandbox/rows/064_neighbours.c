/* SPDX-License-Identifier: MIT
 * row: 64 neighbours
 * expect: succeeded
 * pair: together
 * stdout: ^met nobody$
 * limits: timeout=20s
 * layer: network
 *
 * Two at once, each offering what the other looks for.
 */
#include "saw.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un abstract_name(int second, socklen_t *len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "runnel-meet-%d", second);
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address.sun_path + 1));
    return address;
}

/* None that the kernel gives out by itself: who connects from the port that he connects
 * to has met himself. */
static struct sockaddr_in port(int second)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)(7470 + second)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void offer(int second)
{
    socklen_t len;
    struct sockaddr_un address = abstract_name(second, &len);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, len);
    listen(listener, 5);
    struct sockaddr_in internet = port(second);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&internet, sizeof internet);
    if (listen(listener, 5) < 0)
        puts("cannot listen");
}

static int found(const char *what, long result)
{
    if (result < 0)
        return 0;
    printf("ESCAPED: met by %s\n", what);
    return 1;
}

static int look(int other)
{
    socklen_t len;
    struct sockaddr_un address = abstract_name(other, &len);
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);
    int met = found("abstract socket", connect(sock, (struct sockaddr *)&address, len));
    close(sock);
    struct sockaddr_in internet = port(other);
    sock = socket(AF_INET, SOCK_STREAM, 0);
    met += found("port", connect(sock, (struct sockaddr *)&internet, sizeof internet));
    close(sock);
    return met;
}

int main(int argc, char **argv)
{
    int second = argc > 1 && strcmp(argv[1], "second") == 0;
    offer(second);
    for (int turns = 30 * saw_slowness(); turns > 0; turns--) {
        if (look(!second) > 0)
            return 1;
        usleep(100 * 1000);
    }
    puts("met nobody");
    return 0;
}
