/* SPDX-License-Identifier: MIT
 * row: 20 pipebomb, in sockets
 * expect: succeeded memory_limit
 * never: ESCAPED
 * each: tcp udp
 * args: ["{arg}"]
 * limits: timeout=30s memory=64M
 * alone: yes
 * layer: cgroup
 * needs: cgroup
 *
 * Bytes sent over the loopback that nobody receives: the kernel's memory, of which the sockets
 * of a whole host have so much together.
 */
#include "saw.h"
#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

enum { PROCESSES = 8, PATIENCE_S = 4, ROOM = 64 << 20 };
static const long most = 128L << 20;
static long *held;

/* In memory, with what the kernel keeps beside the bytes. */
static long held_by(int fd)
{
    unsigned figures[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof figures;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures, &len) < 0)
        return 0;
    return (long)figures[SK_MEMINFO_RMEM_ALLOC] + figures[SK_MEMINFO_WMEM_QUEUED];
}

static int listener(int type, struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;
    int fd = socket(AF_INET, type, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)address, len) < 0 ||
        getsockname(fd, (struct sockaddr *)address, &len) < 0)
        return -1;
    return type == SOCK_STREAM && listen(fd, 8) < 0 ? -1 : fd;
}

/* One more pair that is full; false when there cannot be another. */
static int hoard(int type)
{
    static const char bytes[32 << 10];
    struct sockaddr_in address;
    int room = ROOM, server = listener(type, &address), client = socket(AF_INET, type, 0);
    setsockopt(server, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (client < 0 || connect(client, (struct sockaddr *)&address, sizeof address) < 0)
        return 0;
    int peer = type == SOCK_STREAM ? accept(server, NULL, NULL) : server;
    if (type == SOCK_STREAM)
        close(server);
    for (int i = 0; peer >= 0 && i < 1024 && send(client, bytes, sizeof bytes, MSG_DONTWAIT) > 0;)
        i++;
    usleep(1000);
    long now = __atomic_add_fetch(held, held_by(client) + held_by(peer), __ATOMIC_RELAXED);
    return peer >= 0 && now < most;
}

int main(int argc, char **argv)
{
    int type = argc > 1 && strcmp(argv[1], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
    time_t until = time(NULL) + PATIENCE_S * saw_slowness();
    held = mmap(NULL, sizeof *held, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() != 0)
            continue;
        while (hoard(type))
            ;
        pause();
    }
    while (*held < most && time(NULL) < until)
        usleep(100 * 1000);
    printf("%s%ld MiB\n", *held < most ? "" : "ESCAPED: ", *held >> 20);
    return 0;
}
