/* SPDX-License-Identifier: MIT */
/* box — one program in a box of ours, in bubblewrap's with the same namespaces,
 * and bare, turn by turn.
 *
 *     box ROUNDS TURNS_A_ROUND PROGRAM [ARGUMENT…]       PROGRAM is below /usr
 *
 * Wall: from the request to the news of the end. Cpu: of all processes of the
 * arm, the one that starts them included.
 */
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "figures.h"
#include "groups.h"
#include "sandbox/client.h"
#include "sandbox/seccomp_policy.h"

enum { ARGUMENTS_MAX = 16 };

static int spawner = -1;
static char **program; /* and its arguments; NULL-ended */

static void die(const char *why)
{
    (void)fprintf(stderr, "box: %s\n", why);
    exit(1);
}

static void start_spawner(void)
{
    static const char *const nothing[] = {NULL};
    static struct seccomp_program filter;
    struct err err = {0};
    struct layer_report report;
    if (seccomp_compile("box.policy", slice_of(seccomp_builtin_policy("box")),
                        SECCOMP_REFUSE_ENOSYS, &filter, &err) < 0)
        die(err.text);
    struct sandbox_settings settings = {
        .max_boxes = 4,
        .etc = nothing,
        .rootfs = nothing,
        .seccomp_program = filter.instructions,
        .seccomp_size = filter.count * sizeof *filter.instructions,
    };
    if (sandbox_start_spawner(&settings, &spawner, &err) < 0 ||
        sandbox_receive_report(spawner, &report, &err) < 0)
        die(err.text);
}

static void run_box(uint32_t id)
{
    static const char *const env[] = {"PATH=/usr/bin", NULL};
    struct err err = {0};
    struct sandbox_workspace workspace = {.bytes = 16 * MIB, .inodes = 256};
    struct sandbox_stage stage = {.argv = (const char *const *)program, .env = env};
    stage.limits.value[LIMIT_CPUS] = 1000;
    stage.limits.value[LIMIT_MEMORY] = 256 * MIB;
    stage.limits.value[LIMIT_PROCESSES] = 64;
    stage.limits.value[LIMIT_OPEN_FILES] = 256;
    stage.limits.value[LIMIT_FILE_SIZE] = 16 * MIB;
    stage.limits.value[LIMIT_STACK] = 8 * MIB;
    int in[2];
    int out[2];
    if (pipe(in) < 0 || pipe(out) < 0)
        die("no pipes");
    int stdio[3] = {in[0], out[1], out[1]};
    if (sandbox_workspace_open(spawner, id, &workspace, &err) < 0 ||
        sandbox_stage_start(spawner, id, id, &stage, stdio, &err) < 0)
        die(err.text);
    for (int i = 0; i < 2; i++) {
        (void)close(in[i]);
        (void)close(out[1 - i]);
    }
    struct sandbox_reply reply = {0};
    do {
        struct pollfd ready = {.fd = spawner, .events = POLLIN};
        (void)poll(&ready, 1, -1);
        if (sandbox_receive(spawner, &reply, &err) < 0)
            die(err.text);
    } while (reply.kind != REPLY_ENDED);
    if (reply.failed_step[0] != '\0' || reply.exit_code != 0)
        die(reply.failed_step);
    (void)sandbox_workspace_close(spawner, id, &err);
}

static void run_command(char *const *argv)
{
    pid_t child = 0;
    int status = 0;
    if (posix_spawn(&child, argv[0], NULL, NULL, argv, environ) != 0 ||
        waitpid(child, &status, 0) < 0 || status != 0)
        die(argv[0]);
}

static void run_bwrap(uint32_t id)
{
    (void)id;
    static const char *const options[] = {
        "/usr/bin/bwrap",
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
        "--cap-drop",
        "ALL",
        "--hostname",
        "runnel",
        "--ro-bind",
        "/usr",
        "/usr",
        "--symlink",
        "usr/lib",
        "/lib",
        "--symlink",
        "usr/lib64",
        "/lib64",
        "--symlink",
        "usr/bin",
        "/bin",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "--tmpfs",
        "/tmp",
        "--tmpfs",
        "/work",
        "--chdir",
        "/work",
        "--",
    };
    char *argv[ARRAY_LEN(options) + ARGUMENTS_MAX + 1] = {0};
    memcpy(argv, options, sizeof options);
    for (size_t i = 0; i < ARGUMENTS_MAX && program[i]; i++)
        argv[ARRAY_LEN(options) + i] = program[i];
    run_command(argv);
}

static void run_bare(uint32_t id)
{
    (void)id;
    run_command(program);
}

static const struct {
    const char *name;
    const char *group;
    void (*run)(uint32_t id);
} arms[] = {
    {"our box", "box", run_box},
    {"bubblewrap", "bwrap", run_bwrap},
    {"bare", "bare", run_bare},
};

enum { ARMS = ARRAY_LEN(arms), TURN = 25 /* runs of an arm before it is the next one's turn */ };

struct round {
    double wall_ms[ARMS];
    double cpu_ms[ARMS];
};

static void take_turn(size_t arm, struct round *sum)
{
    static uint32_t id;
    group_enter(arms[arm].group);
    double cpu_before = group_cpu_ms(arms[arm].group);
    double before = now_ms();
    for (int i = 0; i < TURN; i++)
        arms[arm].run(++id);
    sum->wall_ms[arm] += now_ms() - before;
    /* What a run leaves to be done behind its answer is its cost, too, and must
     * not be in the next arm's way. */
    (void)usleep(150 * 1000);
    sum->cpu_ms[arm] += group_cpu_ms(arms[arm].group) - cpu_before;
    group_leave();
}

/* Every other turn the other way round: what comes and goes on the machine
 * meets all arms alike. */
static void take_round(int turns, struct round *ret_mean)
{
    struct round sum = {0};
    for (int turn = 0; turn < turns; turn++)
        for (size_t i = 0; i < ARMS; i++)
            take_turn(turn % 2 == 0 ? i : ARMS - 1 - i, &sum);
    for (size_t arm = 0; arm < ARMS; arm++) {
        ret_mean->wall_ms[arm] = sum.wall_ms[arm] / (turns * TURN);
        ret_mean->cpu_ms[arm] = sum.cpu_ms[arm] / (turns * TURN);
    }
}

static struct figures wall[ARMS];
static struct figures cpu[ARMS];
static struct figures wall_ratio;
static struct figures cpu_ratio;

static void print_all(void)
{
    for (size_t arm = 0; arm < ARMS; arm++) {
        char what[64];
        (void)snprintf(what, sizeof what, "%s: wall", arms[arm].name);
        figures_print(what, &wall[arm], " ms");
        (void)snprintf(what, sizeof what, "%s: cpu", arms[arm].name);
        figures_print(what, &cpu[arm], " ms");
    }
    figures_print("**our box ÷ bubblewrap: wall**", &wall_ratio, "");
    figures_print("**our box ÷ bubblewrap: cpu**", &cpu_ratio, "");
}

int main(int argc, char **argv)
{
    if (argc < 4)
        die("usage: box ROUNDS TURNS_A_ROUND PROGRAM [ARGUMENT...]");
    int rounds = (int)number_of(argv[1]);
    int turns = (int)number_of(argv[2]);
    if (rounds == 0 || turns == 0)
        die("rounds and turns are numbers from 1");
    program = argv + 3;
    group_enter(arms[0].group); /* the spawner's are made in it, and count */
    start_spawner();
    group_leave();
    for (int round = -1; round < rounds; round++) { /* the first warms up */
        struct round mean;
        take_round(turns, &mean);
        for (size_t arm = 0; arm < ARMS && round >= 0; arm++) {
            figures_add(&wall[arm], mean.wall_ms[arm]);
            figures_add(&cpu[arm], mean.cpu_ms[arm]);
        }
        if (round >= 0) {
            figures_add(&wall_ratio, mean.wall_ms[0] / mean.wall_ms[1]);
            figures_add(&cpu_ratio, mean.cpu_ms[0] / mean.cpu_ms[1]);
        }
    }
    print_all();
    sandbox_stop_spawner(spawner);
    for (size_t arm = 0; arm < ARMS; arm++)
        group_remove(arms[arm].group);
    return 0;
}
