/* SPDX-License-Identifier: MIT
 * row: 64 neighbours
 * expect: succeeded
 * pair: together
 * stdout: ^met nobody in 3 s$
 * limits: timeout=20s
 * layer: namespaces, network, root, seccomp
 *
 * Two at once, each offering what the other looks for.
 */
#include "saw.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>

static int is_second;

static struct sockaddr_un abstract_name(int second, socklen_t *len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "runnel-meet-%d", second);
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address.sun_path + 1));
    return address;
}

static struct sockaddr_in port(int second)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)(47470 + second)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void offer(void)
{
    char name[64];
    static const char *const folders[] = {"/dev/shm", "/tmp", "/work"};
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s/meet-%d", folders[i], is_second);
        close(open(name, O_CREAT | O_RDWR, 0666));
    }
    snprintf(name, sizeof name, "/meet-%d", is_second);
    mq_open(name, O_CREAT | O_RDWR, 0666, NULL);
    shmget(0x6d650000 + is_second, 4096, IPC_CREAT | 0666);
    msgget(0x6d650000 + is_second, IPC_CREAT | 0666);

    socklen_t len;
    struct sockaddr_un address = abstract_name(is_second, &len);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, len);
    listen(listener, 5);
    struct sockaddr_in internet = port(is_second);
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

static int look(void)
{
    int met = 0, other = !is_second;
    char name[64];
    static const char *const folders[] = {"/dev/shm", "/tmp", "/work"};
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s/meet-%d", folders[i], other);
        met += found(folders[i], access(name, F_OK));
    }
    snprintf(name, sizeof name, "/meet-%d", other);
    met += found("mq", mq_open(name, O_RDWR));
    met += found("shm", shmget(0x6d650000 + other, 0, 0));
    met += found("msg", msgget(0x6d650000 + other, 0));
    socklen_t len;
    struct sockaddr_un address = abstract_name(other, &len);
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);
    met += found("abstract socket", connect(sock, (struct sockaddr *)&address, len));
    close(sock);
    struct sockaddr_in internet = port(other);
    sock = socket(AF_INET, SOCK_STREAM, 0);
    met += found("port", connect(sock, (struct sockaddr *)&internet, sizeof internet));
    close(sock);
    return met;
}

int main(int argc, char **argv)
{
    is_second = argc > 1 && strcmp(argv[1], "second") == 0;
    offer();
    for (int i = 0; i < 30; i++) {
        if (look() > 0)
            return 1;
        usleep(100 * 1000);
    }
    puts("met nobody in 3 s");
    return 0;
}
