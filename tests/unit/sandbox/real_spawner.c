/* SPDX-License-Identifier: MIT */
#include "real_spawner.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "sandbox/seccomp_policy.h"

enum { WAIT_MS = 60000 };

int spawner = -1;
const char *const nothing[] = {NULL};
static struct seccomp_program program;

int real_spawner_group(void **state)
{
    (void)state;
    struct err err = {0};
    return seccomp_compile("box.policy", slice_of(seccomp_builtin_policy("box")),
                           SECCOMP_REFUSE_ENOSYS, &program, &err);
}

int real_spawner_group_end(void **state)
{
    (void)state;
    seccomp_program_fini(&program);
    return 0;
}

struct sandbox_settings real_spawner_settings(void)
{
    return (struct sandbox_settings){
        .max_boxes = BOXES,
        .allow_missing = 1U << LAYER_CGROUP,
        .etc = nothing,
        .rootfs = nothing,
        .ceiling = {.value = {[LIMIT_OPEN_FILES] = OPEN_FILES_CEILING}},
        .seccomp_program = program.instructions,
        .seccomp_size = program.count * sizeof *program.instructions,
    };
}

int real_spawner_start(void **state)
{
    (void)state;
    struct err err = {0};
    struct layer_report report;
    struct sandbox_settings settings = real_spawner_settings();
    if (sandbox_start_spawner(&settings, &spawner, &err) < 0 ||
        sandbox_receive_report(spawner, &report, &err) < 0) {
        print_error("%s\n", err.text);
        return -1;
    }
    return 0;
}

int real_spawner_stop(void **state)
{
    (void)state;
    sandbox_stop_spawner(spawner);
    spawner = -1;
    return 0;
}

void open_workspace(uint32_t id)
{
    static const struct sandbox_file file = {"folder/hello.txt", {"hello\n", 6}};
    struct sandbox_workspace workspace = {MIB, 64, &file, 1};
    assert_int_equal(sandbox_workspace_open(spawner, id, &workspace, NULL), 0);
}

static void start(uint32_t stage, struct sandbox_stage *spec, const int stdio[3])
{
    spec->limits.value[LIMIT_PROCESSES] = 320;
    spec->limits.value[LIMIT_MEMORY] = 64 * MIB;
    assert_int_equal(sandbox_stage_start(spawner, stage, WORKSPACE, spec, stdio, NULL), 0);
}

struct streams start_program(uint32_t stage, const char *const *argv, uint64_t open_files)
{
    int in[2];
    int out[2];
    struct sandbox_stage spec = {.argv = argv, .env = nothing};
    spec.limits.value[LIMIT_OPEN_FILES] = open_files;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    int stdio[3] = {in[0], out[1], out[1]};
    start(stage, &spec, stdio);
    (void)close(in[0]);
    (void)close(out[1]);
    return (struct streams){in[1], out[0]};
}

struct streams start_on_terminal(uint32_t stage, const char *const *argv)
{
    struct sandbox_stage spec = {.argv = argv, .env = nothing, .tty = true};
    spec.limits.value[LIMIT_OPEN_FILES] = OPEN_FILES_CEILING;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(terminal >= 0);
    assert_int_equal(unlockpt(terminal), 0);
    int theirs = ioctl(terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(theirs >= 0);
    int stdio[3] = {theirs, theirs, theirs};
    start(stage, &spec, stdio);
    (void)close(theirs);
    return (struct streams){terminal, fcntl(terminal, F_DUPFD_CLOEXEC, 3)};
}

void close_streams(struct streams *streams)
{
    fd_close(&streams->input);
    fd_close(&streams->output);
}

bool next_reply(struct sandbox_reply *reply)
{
    struct pollfd ready = {.fd = spawner, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
    return sandbox_receive(spawner, reply, NULL) == 1;
}

struct sandbox_reply wait_for(enum sandbox_reply_kind kind, uint32_t stage)
{
    struct sandbox_reply reply;
    do
        assert_true(next_reply(&reply));
    while (reply.kind != kind || reply.id != stage);
    return reply;
}
