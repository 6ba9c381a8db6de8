/* SPDX-License-Identifier: MIT */
/* execute — POST /execute of a Python one-liner against another way to have it run,
 * turn by turn: bare, unsandboxed Python, started as often from here, or POST /v1/runs,
 * whose runs are stored, or another service.
 *
 *     execute PORT GROUP PYTHON_FILE|/v1/runs|OTHER_PORT CONCURRENCY ROUNDS SECONDS
 *
 * GROUP: the folder of the cgroup (cpuacct) in which the services were started. An
 * arm's cpu time includes this program's own, which asks or starts.
 */
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"
#include "base/util.h"
#include "figures.h"
#include "groups.h"

enum { THREADS_MAX = 64 };

static uint16_t port;
static uint16_t other_port;
static const char *group;
static char *file;
static double ends_at_ms;

static const char body[] = "{\"language\":\"python\",\"code\":\"print(6*7)\"}";

static void die(const char *why)
{
    perror(why);
    exit(1);
}

static void *ask_at(uint16_t at, const char *path, const char *expected, unsigned *count)
{
    int fd = ask_connect(at);
    for (; now_ms() < ends_at_ms; ++*count)
        ask_once(fd, path, body, expected);
    (void)close(fd);
    return NULL;
}

static void *ask_until_the_end(void *count)
{
    return ask_at(port, "/execute", "\"output\":\"42\\n\"", count);
}

static void *ask_another(void *count)
{
    return ask_at(other_port, "/execute", "\"output\":\"42\\n\"", count);
}

static void *ask_for_runs(void *count)
{
    return ask_at(port, "/v1/runs", "\"stdout\":\"42\\n\"", count);
}

static void start_once(void)
{
    char *argv[] = {(char *)"/usr/bin/python3", file, NULL};
    char *env[] = {(char *)"HOME=/work",
                   (char *)"TMPDIR=/tmp",
                   (char *)"PATH=/usr/local/bin:/usr/bin:/bin",
                   (char *)"LANG=C.UTF-8",
                   (char *)"PYTHONUNBUFFERED=1",
                   (char *)"PYTHONDONTWRITEBYTECODE=1",
                   NULL};
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

static double rusage_ms(int who)
{
    struct rusage usage;
    (void)getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static double cpu_ms(void)
{
    return rusage_ms(RUSAGE_SELF) + rusage_ms(RUSAGE_CHILDREN) + group_cpu_ms_at(group);
}

struct sum {
    double ms;
    double cpu_ms;
    double busy_ms;
    unsigned runs;
};

static void take_turn(void *(*arm)(void *), unsigned concurrency, struct sum *sum)
{
    enum { TURN_MS = 500, SETTLE_MS = 20 };
    pthread_t threads[THREADS_MAX];
    unsigned counts[THREADS_MAX] = {0};
    double cpu_before = cpu_ms();
    double busy_before = busy_ms();
    double before = now_ms();
    ends_at_ms = before + TURN_MS;
    for (unsigned i = 0; i < concurrency; i++)
        if (pthread_create(&threads[i], NULL, arm, &counts[i]) != 0)
            die("pthread_create");
    for (unsigned i = 0; i < concurrency; i++) {
        (void)pthread_join(threads[i], NULL);
        sum->runs += counts[i];
    }
    sum->ms += now_ms() - before;
    (void)usleep(SETTLE_MS * 1000); /* what is done behind an answer belongs to its arm */
    sum->cpu_ms += cpu_ms() - cpu_before;
    sum->busy_ms += busy_ms() - busy_before;
}

enum { ARMS = 2 };

static struct {
    const char *name;
    void *(*ask)(void *);
} arms[ARMS] = {
    {"/execute", ask_until_the_end},
    {"bare python3", start_until_the_end},
};

struct round {
    struct sum arm[ARMS];
    double others; /* what other programs had of each processor, 0 to 1 */
};

static struct figures rate[ARMS];
static struct figures cpu[ARMS];
static struct figures rate_ratio;
static struct figures cpu_ratio;
static struct figures others;

/* Every other turn the other way round: what comes and goes on the machine
 * meets both alike. */
static struct round take_round(unsigned concurrency, double seconds)
{
    struct round round = {0};
    struct sum *sums = round.arm;
    for (unsigned turn = 0; sums[0].ms < seconds * 1e3; turn++)
        for (unsigned i = 0; i < ARMS; i++) {
            size_t arm = turn % 2 == 0 ? i : ARMS - 1 - i;
            take_turn(arms[arm].ask, concurrency, &sums[arm]);
        }
    for (size_t arm = 0; arm < ARMS; arm++)
        round.others += sums[arm].busy_ms - sums[arm].cpu_ms;
    round.others /= (sums[0].ms + sums[1].ms) * (double)sysconf(_SC_NPROCESSORS_ONLN);
    return round;
}

static void add_round(const struct round *round)
{
    double a_second[ARMS];
    double a_run[ARMS];
    for (size_t arm = 0; arm < ARMS; arm++) {
        a_second[arm] = round->arm[arm].runs / round->arm[arm].ms * 1e3;
        a_run[arm] = round->arm[arm].cpu_ms / round->arm[arm].runs;
        figures_add(&rate[arm], a_second[arm]);
        figures_add(&cpu[arm], a_run[arm]);
    }
    figures_add(&rate_ratio, a_second[0] / a_second[1]);
    figures_add(&cpu_ratio, a_run[0] / a_run[1]);
    figures_add(&others, round->others * 100);
}

static int by_others(const void *one, const void *two)
{
    double a = ((const struct round *)one)->others;
    double b = ((const struct round *)two)->others;
    return (a > b) - (a < b);
}

/* An arm that hands work from process to process waits for its turn more often
 * than one that does not, so on a busy machine it is the neighbours that are
 * measured. Rounds are taken until enough of them were quiet, at most twice as
 * many; the quietest count, whatever they say. */
static void take_rounds(unsigned concurrency, double seconds, size_t wanted)
{
    static struct round rounds[2 * ROUNDS_MAX];
    const double quiet = 0.1;
    size_t quiet_count = 0;
    size_t count = 0;
    (void)take_round(concurrency, seconds); /* warms up */
    while (quiet_count < wanted && count < 2 * wanted) {
        rounds[count] = take_round(concurrency, seconds);
        quiet_count += rounds[count++].others < quiet;
    }
    qsort(rounds, count, sizeof *rounds, by_others);
    for (size_t i = 0; i < wanted; i++)
        add_round(&rounds[i]);
}

static void print_all(unsigned concurrency)
{
    char what[96];
    for (size_t arm = 0; arm < ARMS; arm++) {
        (void)snprintf(what, sizeof what, "%u at once, %s: runs a second", concurrency,
                       arms[arm].name);
        figures_print(what, &rate[arm], "");
        (void)snprintf(what, sizeof what, "%u at once, %s: cpu of a run", concurrency,
                       arms[arm].name);
        figures_print(what, &cpu[arm], " ms");
    }
    (void)snprintf(what, sizeof what, "**%u at once, %s ÷ %s: runs a second**", concurrency,
                   arms[0].name, arms[1].name);
    figures_print(what, &rate_ratio, "");
    (void)snprintf(what, sizeof what, "**%u at once, %s ÷ %s: cpu**", concurrency, arms[0].name,
                   arms[1].name);
    figures_print(what, &cpu_ratio, "");
    (void)snprintf(what, sizeof what, "%u at once: processor time of other programs", concurrency);
    figures_print(what, &others, " %");
}

int main(int argc, char **argv)
{
    unsigned concurrency = argc == 7 ? number_of(argv[4]) : 0;
    if (concurrency == 0 || concurrency > THREADS_MAX) {
        (void)fprintf(stderr, "usage: execute PORT GROUP PYTHON_FILE|/v1/runs|OTHER_PORT "
                              "CONCURRENCY ROUNDS SECONDS\n");
        return 64;
    }
    port = (uint16_t)number_of(argv[1]);
    group = argv[2];
    file = argv[3];
    if (strcmp(file, "/v1/runs") == 0) {
        arms[1].name = file;
        arms[1].ask = ask_for_runs;
    } else if ((other_port = (uint16_t)number_of(file)) != 0) {
        arms[0].name = "through a broker";
        arms[1].name = "on one machine";
        arms[1].ask = ask_another;
    }
    size_t rounds = number_of(argv[5]);
    if (rounds > ROUNDS_MAX)
        rounds = ROUNDS_MAX;
    take_rounds(concurrency, number_of(argv[6]), rounds);
    print_all(concurrency);
    return 0;
}
