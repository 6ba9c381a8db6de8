/* SPDX-License-Identifier: MIT */
/* added — what one service takes longer than another for the smallest program, asked one
 * at a time, in turn.
 *
 *     added PORT OTHER_PORT ROUNDS RUNS WAY
 *
 * WAY: what is said of the first one.
 * A round's figures are medians. A machine that does something else beside lengthens the
 * longer way more: of twice as many rounds those count in which others had least.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ask.h"
#include "base/util.h"
#include "figures.h"

enum { ARMS = 2, RUNS_MAX = 1000 };

struct round {
    double ms[ARMS];
    double busy; /* processors, of all that there are */
};

static double ask(int fd)
{
    static const char body[] = "{\"language\":\"bash\",\"code\":\"echo x\"}";
    double before = now_ms();
    ask_once(fd, "/execute", body, "\"output\":\"x\\n\"");
    return now_ms() - before;
}

static struct round take_round(const int fds[ARMS], size_t runs)
{
    static double took[ARMS][RUNS_MAX];
    double busy_before = busy_ms();
    double before = now_ms();
    for (size_t i = 0; i < runs; i++)
        for (size_t arm = 0; arm < ARMS; arm++) {
            size_t at = i % 2 == 0 ? arm : ARMS - 1 - arm;
            took[at][i] = ask(fds[at]);
        }
    double busy = (busy_ms() - busy_before) / (now_ms() - before);
    return (struct round){{median(took[0], runs), median(took[1], runs)}, busy};
}

static int by_busy(const void *one, const void *two)
{
    double a = ((const struct round *)one)->busy;
    double b = ((const struct round *)two)->busy;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    static struct round rounds[2 * ROUNDS_MAX];
    static struct figures ms[ARMS];
    static struct figures more;
    size_t wanted = argc == 6 ? MIN(number_of(argv[3]), (unsigned)ROUNDS_MAX) : 0;
    size_t runs = argc == 6 ? MIN(number_of(argv[4]), (unsigned)RUNS_MAX) : 0;
    if (wanted == 0 || runs == 0) {
        (void)fprintf(stderr, "usage: added PORT OTHER_PORT ROUNDS RUNS WAY\n");
        return 64;
    }
    int fds[ARMS] = {ask_connect((uint16_t)number_of(argv[1])),
                     ask_connect((uint16_t)number_of(argv[2]))};
    (void)take_round(fds, runs); /* warms up */
    for (size_t i = 0; i < 2 * wanted; i++)
        rounds[i] = take_round(fds, runs);
    qsort(rounds, 2 * wanted, sizeof *rounds, by_busy);
    for (size_t i = 0; i < wanted; i++) {
        for (size_t arm = 0; arm < ARMS; arm++)
            figures_add(&ms[arm], rounds[i].ms[arm]);
        figures_add(&more, rounds[i].ms[0] - rounds[i].ms[1]);
    }
    char what[96];
    (void)snprintf(what, sizeof what, "1 at once, %s", argv[5]);
    figures_print(what, &ms[0], " ms");
    figures_print("1 at once, on one machine", &ms[1], " ms");
    (void)snprintf(what, sizeof what, "**1 at once, %s: added**", argv[5]);
    figures_print(what, &more, " ms");
    return 0;
}
