/* SPDX-License-Identifier: MIT */
/* box — one program in a box of ours, in bubblewrap's with the same namespaces,
 * and bare, turn by turn.
 *
 *     box PROGRAM ROUNDS RUNS_A_ROUND
 *
 * Wall: from the request to the news of the end. Cpu: of this process, and of
 * all that it waited for or that the spawner waited for.
 */
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "figures.h"
#include "os/fd.h"
#include "sandbox/client.h"
#include "sandbox/seccomp_policy.h"

static int spawner = -1;
static pid_t spawner_pid;
static const char *program;

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
    char path[64];
    char text[64];
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    if (fd_read_text_at(-1, path, text, sizeof text) <= 0)
        die("the spawner is not to be found");
    spawner_pid = (pid_t)strtol(text, NULL, 10);
}

/* Of a process and of those that it waited for, in ms. */
static double cpu_of(pid_t pid)
{
    char path[64];
    char text[1024];
    unsigned long ticks[4] = {0};
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (fd_read_text_at(-1, path, text, sizeof text) <= 0)
        die("the spawner has ended");
    (void)sscanf(strrchr(text, ')'),
                 ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu", &ticks[0],
                 &ticks[1], &ticks[2], &ticks[3]);
    return (double)(ticks[0] + ticks[1] + ticks[2] + ticks[3]) * 1e3 / (double)sysconf(_SC_CLK_TCK);
}

static double rusage_ms(int who)
{
    struct rusage usage;
    (void)getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static void run_box(uint32_t id)
{
    const char *const argv[] = {program, NULL};
    static const char *const env[] = {"PATH=/usr/bin", NULL};
    struct err err = {0};
    struct sandbox_workspace workspace = {.bytes = 16 * MIB, .inodes = 256};
    struct sandbox_stage stage = {.argv = argv, .env = env};
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
    extern char **environ;
    pid_t child = 0;
    int status = 0;
    if (posix_spawn(&child, argv[0], NULL, NULL, argv, environ) != 0 ||
        waitpid(child, &status, 0) < 0 || status != 0)
        die(argv[0]);
}

static void run_bwrap(uint32_t id)
{
    (void)id;
    char *const argv[] = {(char *)"/usr/bin/bwrap",
                          (char *)"--unshare-all",
                          (char *)"--die-with-parent",
                          (char *)"--new-session",
                          (char *)"--clearenv",
                          (char *)"--cap-drop",
                          (char *)"ALL",
                          (char *)"--hostname",
                          (char *)"runnel",
                          (char *)"--ro-bind",
                          (char *)"/usr",
                          (char *)"/usr",
                          (char *)"--symlink",
                          (char *)"usr/lib",
                          (char *)"/lib",
                          (char *)"--symlink",
                          (char *)"usr/lib64",
                          (char *)"/lib64",
                          (char *)"--symlink",
                          (char *)"usr/bin",
                          (char *)"/bin",
                          (char *)"--ro-bind",
                          (char *)program,
                          (char *)"/program",
                          (char *)"--dev",
                          (char *)"/dev",
                          (char *)"--proc",
                          (char *)"/proc",
                          (char *)"--tmpfs",
                          (char *)"/tmp",
                          (char *)"--tmpfs",
                          (char *)"/work",
                          (char *)"--chdir",
                          (char *)"/work",
                          (char *)"/program",
                          NULL};
    run_command(argv);
}

static void run_bare(uint32_t id)
{
    (void)id;
    char *const argv[] = {(char *)program, NULL};
    run_command(argv);
}

static const struct {
    const char *name;
    void (*run)(uint32_t id);
} arms[] = {{"our box", run_box}, {"bubblewrap", run_bwrap}, {"bare", run_bare}};

enum { ARMS = ARRAY_LEN(arms) };

static double cpu_now(void)
{
    return rusage_ms(RUSAGE_SELF) + rusage_ms(RUSAGE_CHILDREN) + cpu_of(spawner_pid);
}

int main(int argc, char **argv)
{
    static struct figures wall[ARMS];
    static struct figures cpu[ARMS];
    static struct figures wall_ratio;
    static struct figures cpu_ratio;
    if (argc != 4)
        die("usage: box PROGRAM ROUNDS RUNS_A_ROUND");
    program = argv[1];
    int rounds = atoi(argv[2]);
    int runs = atoi(argv[3]);
    uint32_t id = 1;
    start_spawner();
    for (int round = -1; round < rounds; round++) { /* the first warms up */
        double wall_ms[ARMS] = {0};
        double cpu_ms[ARMS] = {0};
        for (size_t arm = 0; arm < ARMS; arm++) {
            double cpu_before = cpu_now();
            double before = now_ms();
            for (int i = 0; i < runs; i++)
                arms[arm].run(id++);
            wall_ms[arm] = (now_ms() - before) / runs;
            /* What a run leaves to be done behind its answer is its cost, too. */
            (void)usleep(200 * 1000);
            cpu_ms[arm] = (cpu_now() - cpu_before) / runs;
        }
        for (size_t arm = 0; arm < ARMS && round >= 0; arm++) {
            figures_add(&wall[arm], wall_ms[arm]);
            figures_add(&cpu[arm], cpu_ms[arm]);
        }
        if (round >= 0) {
            figures_add(&wall_ratio, wall_ms[0] / wall_ms[1]);
            figures_add(&cpu_ratio, cpu_ms[0] / cpu_ms[1]);
        }
    }
    for (size_t arm = 0; arm < ARMS; arm++) {
        char what[64];
        (void)snprintf(what, sizeof what, "%s: wall", arms[arm].name);
        figures_print(what, &wall[arm], " ms");
        (void)snprintf(what, sizeof what, "%s: cpu", arms[arm].name);
        figures_print(what, &cpu[arm], " ms");
    }
    figures_print("**our box ÷ bubblewrap: wall**", &wall_ratio, "");
    figures_print("**our box ÷ bubblewrap: cpu**", &cpu_ratio, "");
    sandbox_stop_spawner(spawner);
    return 0;
}
