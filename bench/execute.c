/* SPDX-License-Identifier: MIT */
/* execute — POST /execute of a Python one-liner against bare, unsandboxed Python,
 * started as often from here, turn by turn.
 *
 *     execute PORT PYTHON_FILE CONCURRENCY ROUNDS SECONDS
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "figures.h"

static uint16_t port;
static char *file;
static double ends_at_ms;

static const char body[] = "{\"language\":\"python\",\"code\":\"print(6*7)\"}";

static void die(const char *why)
{
    perror(why);
    exit(1);
}

static int connect_to_service(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("connect");
    return fd;
}

static void ask_once(int fd)
{
    char text[8192];
    size_t len = 0;
    int size = snprintf(text, sizeof text,
                        "POST /execute HTTP/1.1\r\nHost: localhost\r\n"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        sizeof body - 1, body);
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
    if (!strstr(text, "\"output\":\"42\\n\""))
        die(text);
}

static void *ask_until_the_end(void *count)
{
    int fd = connect_to_service();
    for (; now_ms() < ends_at_ms; ++*(unsigned *)count)
        ask_once(fd);
    (void)close(fd);
    return NULL;
}

static void start_once(void)
{
    char *argv[] = {(char *)"/usr/bin/python3", file, NULL};
    char *env[] = {(char *)"PATH=/usr/bin", (char *)"PYTHONUNBUFFERED=1",
                   (char *)"PYTHONDONTWRITEBYTECODE=1", (char *)"LANG=C.UTF-8", NULL};
    posix_spawn_file_actions_t actions;
    int out[2];
    char text[64];
    pid_t child = 0;
    if (pipe2(out, O_CLOEXEC) < 0)
        die("pipe");
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    if (posix_spawn(&child, argv[0], &actions, NULL, argv, env) != 0)
        die("posix_spawn");
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(out[1]);
    while (read(out[0], text, sizeof text) > 0)
        ;
    (void)close(out[0]);
    (void)waitpid(child, NULL, 0);
}

static void *start_until_the_end(void *count)
{
    for (; now_ms() < ends_at_ms; ++*(unsigned *)count)
        start_once();
    return NULL;
}

/* Runs a second. */
static double throughput(void *(*arm)(void *), unsigned concurrency, double seconds)
{
    enum { THREADS_MAX = 64 };
    pthread_t threads[THREADS_MAX];
    unsigned counts[THREADS_MAX] = {0};
    unsigned sum = 0;
    double before = now_ms();
    ends_at_ms = before + seconds * 1e3;
    for (unsigned i = 0; i < concurrency && i < THREADS_MAX; i++)
        (void)pthread_create(&threads[i], NULL, arm, &counts[i]);
    for (unsigned i = 0; i < concurrency && i < THREADS_MAX; i++) {
        (void)pthread_join(threads[i], NULL);
        sum += counts[i];
    }
    return sum / (now_ms() - before) * 1e3;
}

int main(int argc, char **argv)
{
    static struct figures ours;
    static struct figures bare;
    static struct figures ratio;
    if (argc != 6) {
        (void)fprintf(stderr, "usage: execute PORT PYTHON_FILE CONCURRENCY ROUNDS SECONDS\n");
        return 64;
    }
    port = (uint16_t)atoi(argv[1]);
    file = argv[2];
    unsigned concurrency = (unsigned)atoi(argv[3]);
    int rounds = atoi(argv[4]);
    double seconds = atof(argv[5]);
    for (int round = -1; round < rounds; round++) { /* the first warms up */
        double a = throughput(ask_until_the_end, concurrency, seconds);
        double b = throughput(start_until_the_end, concurrency, seconds);
        if (round < 0)
            continue;
        figures_add(&ours, a);
        figures_add(&bare, b);
        figures_add(&ratio, a / b);
    }
    char what[80];
    (void)snprintf(what, sizeof what, "/execute, %u at once", concurrency);
    figures_print(what, &ours, " runs/s");
    (void)snprintf(what, sizeof what, "bare python3, %u at once", concurrency);
    figures_print(what, &bare, " runs/s");
    (void)snprintf(what, sizeof what, "**/execute ÷ bare, %u at once**", concurrency);
    figures_print(what, &ratio, "");
    return 0;
}
