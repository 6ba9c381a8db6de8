/* SPDX-License-Identifier: MIT */
/* Real programs in real boxes: which of them wait for their input. */
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "real_spawner.h"

enum { ARGV_MAX = 5, STARTED_MS = 30000, TURN_MS = 20, WAITS_TURNS = 500, BUSY_TURNS = 15 };

struct program {
    const char *name;
    const char *argv[ARGV_MAX];
};

#define BASH(script)              \
    {                             \
        "/bin/bash", "-c", script \
    }
#define PYTHON(script)                                                  \
    {                                                                   \
        "/usr/bin/python3", "-c", "print('ready', flush=True)\n" script \
    }
#define NODE(script)                                          \
    {                                                         \
        "/usr/bin/node", "-e", "console.log('ready');" script \
    }

/* Each says that it is ready, and then needs nothing but a line of input to end
 * with 7. */
static const struct program waiting[] = {
    {"bash read", BASH("echo ready; read line; exit 7")},
    {"bash read with a time limit", BASH("echo ready; read -t 600 line; exit 7")},
    {"a child of bash", BASH("echo ready; (read line); exit 7")},
    {"a child in a pipeline", BASH("echo ready; head -n 1 | tail; exit 7")},
    {"a background child", BASH("echo ready; sleep 600 & head -n 1 <&0; kill $!; exit 7")},
    {"python input()", PYTHON("input(); exit(7)")},
    {"python readline", PYTHON("import sys; sys.stdin.readline(); exit(7)")},
    {"python select", PYTHON("import select, sys\n"
                             "select.select([0], [], [], 600); exit(7)")},
    {"python poll", PYTHON("import select\n"
                           "p = select.poll(); p.register(0, select.POLLIN); p.poll(); exit(7)")},
    {"python epoll",
     PYTHON("import select\n"
            "e = select.epoll(); e.register(0, select.EPOLLIN); e.poll(); exit(7)")},
    {"python asyncio", PYTHON("import asyncio, sys\n"
                              "async def main():\n"
                              "    done = asyncio.Event()\n"
                              "    asyncio.get_running_loop().add_reader(0, done.set)\n"
                              "    await done.wait()\n"
                              "asyncio.run(main()); exit(7)")},
    {"a thread of python", PYTHON("import threading, time\n"
                                  "t = threading.Thread(target=input); t.start(); t.join()\n"
                                  "exit(7)")},
    {"a child of python", PYTHON("import subprocess\n"
                                 "subprocess.run(['/usr/bin/head', '-n', '1']); exit(7)")},
    {"under another number", PYTHON("import os\n"
                                    "os.dup2(0, 77); os.close(0); os.read(77, 1); exit(7)")},
    {"opened again", PYTHON("open('/dev/stdin').readline(); exit(7)")},
    {"beside a zombie", PYTHON("import os\n"
                               "os.fork() or os._exit(0); input(); exit(7)")},
    {"perl", {"/usr/bin/perl", "-e", "$| = 1; print \"ready\\n\"; <STDIN>; exit 7"}},
    {"node readline", NODE("require('readline').createInterface({input: process.stdin})"
                           ".on('line', () => process.exit(7))")},
    {"node readFileSync", NODE("require('fs').readSync(0, Buffer.alloc(1)); process.exit(7)")},
    {"ruby gets", {"/usr/bin/ruby", "-e", "STDOUT.puts 'ready'; STDOUT.flush; gets; exit 7"}},
    {"php fgets", {"/usr/bin/php", "-r", "echo \"ready\\n\"; fgets(STDIN); exit(7);"}},
};

/* A terminal gives them other ways to read. */
static const struct program waiting_on_a_terminal[] = {
    {"bash read", BASH("echo ready; read line; exit 7")},
    {"bash read -e", BASH("echo ready; read -e line; exit 7")},
    {"bash from /dev/tty", BASH("echo ready; read line < /dev/tty; exit 7")},
    {"python input()", PYTHON("input(); exit(7)")},
    {"python input() with readline", PYTHON("import readline; input(); exit(7)")},
    {"node readline", NODE("require('readline').createInterface({input: process.stdin})"
                           ".on('line', () => process.exit(7))")},
};

/* None of these reads its input now. */
static const struct program not_waiting[] = {
    {"sleep", BASH("echo ready; exec sleep 600")},
    {"a child that sleeps", BASH("echo ready; sleep 600; exit 7")},
    {"bash wait", BASH("echo ready; sleep 600 & wait")},
    {"a busy loop", BASH("echo ready; while :; do :; done")},
    {"python time.sleep", PYTHON("import time; time.sleep(600)")},
    {"a sleep by select", PYTHON("import select; select.select([], [], [], 600)")},
    {"a sleep by poll", PYTHON("import select; select.poll().poll(600000)")},
    {"a sleep by epoll", PYTHON("import select; select.epoll().poll(600)")},
    {"reads another pipe", PYTHON("import os\n"
                                  "r, w = os.pipe(); os.read(r, 1)")},
    {"polls another pipe", PYTHON("import os, select\n"
                                  "r, w = os.pipe(); p = select.poll()\n"
                                  "p.register(r, select.POLLIN); p.poll()")},
    {"selects another pipe", PYTHON("import os, select\n"
                                    "r, w = os.pipe(); select.select([r], [], [])")},
    {"another pipe in an epoll set", PYTHON("import os, select\n"
                                            "r, w = os.pipe(); e = select.epoll()\n"
                                            "e.register(r, select.EPOLLIN); e.poll()")},
    {"input that left the epoll set", PYTHON("import select\n"
                                             "e = select.epoll(); e.register(0, select.EPOLLIN)\n"
                                             "e.unregister(0); e.poll(600)")},
    {"another pipe as stdin", PYTHON("import os\n"
                                     "r, w = os.pipe(); os.dup2(r, 0); os.read(0, 1)")},
    {"a socket", PYTHON("import socket\n"
                        "a, b = socket.socketpair(); a.recv(1)")},
    {"a socket with a time limit",
     PYTHON("import socket\n"
            "a, b = socket.socketpair(); a.settimeout(600); a.recv(1)")},
    {"a server", PYTHON("import socket\n"
                        "socket.create_server(('127.0.0.1', 8000)).accept()")},
    {"output of a sleeping child", PYTHON("import subprocess\n"
                                          "subprocess.run(['/usr/bin/sleep', '600'], "
                                          "capture_output=True)")},
    {"busy beside a reader", PYTHON("import threading\n"
                                    "threading.Thread(target=input).start()\n"
                                    "while True: pass")},
    {"a reader among too many",
     PYTHON("import threading\n"
            "for i in range(256):\n"
            "    threading.Thread(target=threading.Event().wait).start()\n"
            "input()")},
    {"node setTimeout", NODE("setTimeout(() => {}, 600000)")},
    {"node server", NODE("require('net').createServer().listen(8000)")},
    {"stopped in computing", BASH("echo ready; kill -STOP $$")},
};

static void pause_ms(long ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000};
    (void)nanosleep(&time, NULL);
}

static bool probe(void)
{
    assert_int_equal(sandbox_stage_probe(spawner, STAGE, NULL), 0);
    return wait_for(REPLY_PROBED, STAGE).waiting;
}

/* False when the program is not installed. */
static bool start(const struct program *program, struct streams *streams, bool tty)
{
    if (access(program->argv[0], X_OK) < 0) {
        print_message("left out, not installed: %s\n", program->argv[0]);
        return false;
    }
    char text[16] = {0};
    size_t len = 0;
    open_workspace(WORKSPACE); /* older kernels have few stages in one */
    *streams = tty ? start_on_terminal(STAGE, program->argv)
                   : start_program(STAGE, program->argv, OPEN_FILES_CEILING);
    while (len < sizeof text - 1 && !strstr(text, "ready")) {
        struct pollfd ready = {.fd = streams->output, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, STARTED_MS), 1);
        ssize_t got = read(streams->output, text + len, sizeof text - 1 - len);
        if (got <= 0) {
            struct sandbox_reply reply = wait_for(REPLY_ENDED, STAGE);
            fail_msg("%s ended instead: step '%s' (%s), status %d, signal %d", program->name,
                     reply.failed_step, strerror(reply.failed_errno), reply.exit_code,
                     reply.signal);
        }
        len += (size_t)got;
    }
    return true;
}

static void end(struct streams *streams)
{
    assert_int_equal(sandbox_stage_kill(spawner, STAGE, NULL), 0);
    (void)wait_for(REPLY_ENDED, STAGE);
    assert_int_equal(sandbox_workspace_close(spawner, WORKSPACE, NULL), 0);
    close_streams(streams);
}

static void expect_waiting(const struct program *program, bool tty)
{
    struct streams streams;
    if (!start(program, &streams, tty))
        return;
    bool waits = false;
    for (int i = 0; i < WAITS_TURNS && !waits; i++) {
        pause_ms(TURN_MS);
        waits = probe();
    }
    if (!waits)
        fail_msg("%s does not wait", program->name);
    assert_int_equal(write(streams.input, "x\n", 2), 2);
    struct sandbox_reply reply = wait_for(REPLY_ENDED, STAGE);
    if (reply.exit_code != 7)
        fail_msg("%s ended with %d", program->name, reply.exit_code);
    assert_int_equal(sandbox_workspace_close(spawner, WORKSPACE, NULL), 0);
    close_streams(&streams);
}

static void who_reads_its_input_waits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(waiting); i++)
        expect_waiting(&waiting[i], false);
}

static void who_reads_its_terminal_waits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(waiting_on_a_terminal); i++)
        expect_waiting(&waiting_on_a_terminal[i], true);
}

static void who_does_something_else_does_not_wait(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(not_waiting); i++) {
        struct streams streams;
        if (!start(&not_waiting[i], &streams, false))
            continue;
        for (int turn = 0; turn < BUSY_TURNS; turn++) {
            pause_ms(TURN_MS);
            if (probe())
                fail_msg("%s waits", not_waiting[i].name);
        }
        end(&streams);
    }
}

static void a_stage_that_is_not_there_is_no_mistake(void **state)
{
    (void)state;
    static const struct program program = {"cat", BASH("echo ready; exec cat")};
    struct streams streams;
    assert_int_equal(sandbox_stage_probe(spawner, STAGE, NULL), 0);
    assert_true(start(&program, &streams, false));
    end(&streams);
    assert_int_equal(sandbox_stage_probe(spawner, STAGE, NULL), 0);
    assert_true(start(&program, &streams, false)); /* it goes on */
    end(&streams);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_A_SPAWNER(who_reads_its_input_waits),
        WITH_A_SPAWNER(who_reads_its_terminal_waits),
        WITH_A_SPAWNER(who_does_something_else_does_not_wait),
        WITH_A_SPAWNER(a_stage_that_is_not_there_is_no_mistake),
    };
    return cmocka_run_group_tests(tests, real_spawner_group, real_spawner_group_end);
}
