/* SPDX-License-Identifier: MIT */
/* amqp_client — amqp.h at the hand of a test: a line on stdin is a call, a line on stdout
 * is a callback (tests/system/test_amqp.py).
 *
 *     amqp_client URL PREFIX PREFETCH HEARTBEAT_S TOPOLOGY
 *
 *     publish TOKEN EXCHANGE KEY BYTES [mandatory]     published TOKEN OUTCOME
 *     settle CONNECTION TAG ack|requeue|reject         delivered CONNECTION TAG QUEUE …
 *     hold yes|no    get QUEUE    count QUEUE          got …    counted NUMBER
 *     sleep MS (the loop stands still)    free LINGER_MS (and the end)
 *
 * Names begin with PREFIX, so that tests do not meet each other at one broker. TOPOLOGY is
 * nothing, topology (declared, not consumed), work, filtered (work, under the front's system
 * call filter) or conflict (with what the others declare).
 */
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "broker/amqp.h"
#include "loop/loop.h"
#include "sandbox/seccomp_policy.h"

enum { NAME_SIZE = 128, WORDS = 6 };

static struct loop *loop;
static struct amqp *amqp;
static const char *prefix;

static void say_delivery(const char *what, const struct amqp_delivery *delivery)
{
    unsigned sum = 0;
    for (size_t i = 0; i < delivery->body.len; i++)
        sum = sum * 31 + (unsigned char)delivery->body.at[i];
    printf("%s %" PRIu64 " %" PRIu64 " %s key=%s id=%s bytes=%zu size=%" PRIu64
           " sum=%u redelivered=%d "
           "count=%" PRIu64 " reason=%s from=%s\n",
           what, delivery->ref.connection, delivery->ref.tag, delivery->queue, delivery->key,
           delivery->message_id, delivery->body.len, delivery->size, sum, delivery->redelivered,
           delivery->delivery_count, delivery->death_reason, delivery->death_queue);
}

static void on_connected(void *context)
{
    (void)context;
    puts("connected");
}

static void on_lost(void *context, const struct err *err)
{
    (void)context;
    printf("lost %s\n", err->text);
}

static void on_delivered(void *context, const struct amqp_delivery *delivery)
{
    (void)context;
    say_delivery("delivered", delivery);
}

static void on_published(void *context, uint64_t token, enum amqp_outcome outcome)
{
    static const char *const names[] = {"stored", "refused", "unroutable", "unknown"};
    (void)context;
    printf("published %" PRIu64 " %s\n", token, names[outcome]);
}

static void on_got(void *context, const struct amqp_delivery *delivery)
{
    (void)context;
    if (delivery)
        say_delivery("got", delivery);
    else
        puts("got nothing");
}

static void on_counted(void *context, int64_t count)
{
    (void)context;
    printf("counted %" PRId64 "\n", count);
}

/* --- calls --- */

static const char *named(char text[NAME_SIZE], const char *name)
{
    int len = snprintf(text, NAME_SIZE, "%s%s", prefix, name);
    if (len < 0 || len >= NAME_SIZE)
        abort();
    return text;
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

static void publish(char *const words[WORDS])
{
    char exchange[NAME_SIZE];
    char key[NAME_SIZE];
    size_t size = (size_t)number(words[4]);
    char *body = malloc(size + 1);
    if (!body)
        abort();
    for (size_t i = 0; i < size; i++)
        body[i] = (char)(i * 7 + i / 1000);
    bool is_default = strcmp(words[2], "-") == 0;
    struct amqp_message message = {
        .exchange = is_default ? "" : named(exchange, words[2]),
        .key = is_default ? named(key, words[3]) : words[3],
        .body = {body, size},
        .content_type = "application/octet-stream",
        .message_id = words[1],
        .persistent = true,
        .mandatory = words[5] != NULL,
    };
    struct err err;
    if (amqp_publish(amqp, &message, number(words[1]), &err) < 0)
        printf("refused %s %s\n", words[1], err.text);
    free(body);
}

static void settle(char *const words[WORDS])
{
    struct amqp_ref ref = {number(words[1]), number(words[2])};
    amqp_settle(amqp, ref,
                words[3][0] == 'a'                 ? AMQP_ACK
                : strcmp(words[3], "requeue") == 0 ? AMQP_REQUEUE
                                                   : AMQP_REJECT);
}

static void hold(char *const words[WORDS])
{
    amqp_hold(amqp, words[1][0] == 'y');
}

static void get(char *const words[WORDS])
{
    char queue[NAME_SIZE];
    struct err err;
    if (amqp_get(amqp, named(queue, words[1]), on_got, NULL, &err) < 0)
        printf("refused %s\n", err.text);
}

static void count(char *const words[WORDS])
{
    char queue[NAME_SIZE];
    struct err err;
    if (amqp_count(amqp, named(queue, words[1]), on_counted, NULL, &err) < 0)
        printf("refused %s\n", err.text);
}

static void sleep_ms(char *const words[WORDS])
{
    uint64_t ms = number(words[1]);
    struct timespec pause = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

static void end(char *const words[WORDS])
{
    uint64_t began = loop_now_ns();
    amqp_free(amqp, number(words[1]));
    amqp = NULL;
    printf("freed %" PRIu64 "\n", (loop_now_ns() - began) / 1000000);
    loop_stop(loop);
}

static const struct {
    const char *name;
    void (*call)(char *const words[WORDS]);
} calls[] = {
    {"publish", publish}, {"settle", settle},  {"hold", hold}, {"get", get},
    {"count", count},     {"sleep", sleep_ms}, {"free", end},
};

static void obey(char *line)
{
    char *words[WORDS] = {NULL};
    size_t found = 0;
    for (char *word = strtok(line, " "); word && found < WORDS; word = strtok(NULL, " "))
        words[found++] = word;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0] && words[0]; i++) {
        if (amqp && strcmp(calls[i].name, words[0]) == 0)
            calls[i].call(words);
    }
}

static void on_input(void *context, unsigned ready)
{
    static char text[65536];
    static size_t len;
    (void)context;
    (void)ready;
    ssize_t got = read(STDIN_FILENO, text + len, sizeof text - len - 1);
    if (got <= 0) {
        loop_stop(loop);
        return;
    }
    len += (size_t)got;
    text[len] = '\0';
    char *at = text;
    for (char *newline; (newline = strchr(at, '\n')) != NULL; at = newline + 1) {
        *newline = '\0';
        obey(at);
    }
    len -= (size_t)(at - text);
    memmove(text, at, len);
}

/* --- what is declared --- */

static struct amqp *connect_to(char **arguments, struct err *err)
{
    static char names[7][NAME_SIZE];
    const char *jobs = named(names[0], "jobs");
    const char *dead = named(names[1], "dead");
    const char *work = named(names[2], "work");
    const char *small = named(names[3], "small");
    const char *answers = named(names[4], "answers");
    bool conflicts = strcmp(arguments[5], "conflict") == 0;
    bool consumes = strcmp(arguments[5], "work") == 0 || strcmp(arguments[5], "filtered") == 0;
    const struct amqp_argument quorum[] = {
        {"x-queue-type", "quorum", 0},
        {"x-dead-letter-exchange", "", 0},
        {"x-dead-letter-routing-key", dead, 0},
        {"x-delivery-limit", NULL, 3},
        {0},
    };
    const struct amqp_argument two[] = {
        {"x-max-length", NULL, conflicts ? 3 : 2},
        {"x-overflow", "reject-publish", 0},
        {0},
    };
    const struct amqp_declaration declarations[] = {
        {.exchange = jobs, .type = "direct", .durable = true},
        {.queue = dead, .durable = true},
        {.queue = work, .durable = true, .arguments = quorum},
        {.exchange = jobs, .queue = work, .key = "work"},
        {.queue = small, .durable = true, .arguments = two},
        {.queue = answers, .exclusive = true},
    };
    const struct amqp_consumer consumers[] = {{work, (uint16_t)number(arguments[3])},
                                              {answers, 10}};
    const struct amqp_config config = {
        .url = arguments[1],
        .name = "amqp_client",
        .declarations = declarations,
        .declaration_count =
            strcmp(arguments[5], "nothing") == 0 ? 0 : sizeof declarations / sizeof declarations[0],
        .consumers = consumers,
        .consumer_count = consumes ? 2 : 0,
        .heartbeat_s = (unsigned)number(arguments[4]),
        .events = {on_connected, on_lost, on_delivered, on_published},
    };
    return amqp_new(loop, &config, err);
}

/* The front's, which is in force before the thread is started. */
static int load_filter(struct err *err)
{
    struct seccomp_program filter = {0};
    struct slice policy = slice_of(seccomp_builtin_policy("front"));
    if (amqp_load(err) < 0 ||
        seccomp_compile("front.policy", policy, SECCOMP_REFUSE_ENOSYS, &filter, err) < 0)
        return -1;
    struct sock_fprog program = {.len = (unsigned short)filter.count,
                                 .filter = filter.instructions};
    int rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (rc == 0)
        rc = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
    seccomp_program_fini(&filter);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 64;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    prefix = argv[2];
    loop = loop_new();
    struct err err = {0};
    bool is_ready = strcmp(argv[5], "filtered") != 0 || load_filter(&err) == 0;
    amqp = is_ready ? connect_to(argv, &err) : NULL;
    if (!amqp) {
        printf("refused %s\n", err.text);
        loop_free(loop);
        return 1;
    }
    struct loop_watch *watch = loop_watch_new(loop, STDIN_FILENO, LOOP_READ, on_input, NULL);
    loop_run(loop);
    loop_watch_free(watch);
    amqp_free(amqp, 0);
    loop_free(loop);
    return 0;
}
