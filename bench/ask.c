/* SPDX-License-Identifier: MIT */
#include "ask.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"

static void die(const char *why)
{
    perror(why);
    exit(1);
}

int ask_connect(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("connect");
    return fd;
}

void ask_once(int fd, const char *path, const char *body, const char *expected)
{
    char text[8192];
    size_t len = 0;
    int size = snprintf(text, sizeof text,
                        "POST %s HTTP/1.1\r\nHost: localhost\r\n"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        path, strlen(body), body);
    if (write(fd, text, (size_t)size) != size)
        die("write");
    for (;;) {
        ssize_t got = read(fd, text + len, sizeof text - 1 - len);
        if (got <= 0)
            die("read");
        len += (size_t)got;
        text[len] = '\0';
        const char *head_end = strstr(text, "\r\n\r\n");
        const char *length = strcasestr(text, "\r\nContent-Length:");
        if (head_end && length &&
            len >= (size_t)(head_end + 4 - text) + strtoul(length + 17, NULL, 10))
            break;
    }
    if (!strstr(text, expected))
        die(text);
}

double busy_ms(void)
{
    enum { IDLE = 3, IOWAIT = 4, FIELDS = 8 };
    unsigned long ticks[FIELDS] = {0};
    double sum = 0;
    static char text[64 * 1024]; /* the line of interrupts is long */
    char *at = text + 3;         /* behind "cpu" */
    if (fd_read_text_at(-1, "/proc/stat", text, sizeof text) <= 0)
        die("/proc/stat");
    for (int i = 0; i < FIELDS; i++)
        ticks[i] = strtoul(at, &at, 10);
    for (int i = 0; i < FIELDS; i++)
        sum += i == IDLE || i == IOWAIT ? 0 : (double)ticks[i];
    return sum * 1e3 / (double)sysconf(_SC_CLK_TCK);
}
