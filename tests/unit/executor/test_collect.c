/* SPDX-License-Identifier: MIT */
/* What programs leave in their workspaces, and what of it comes back: a real
 * spawner, real boxes, and programs that mean ill. Works as root and without. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../sandbox/real_spawner.h"
#include "base/buf.h"
#include "base/util.h"
#include "executor/native.h"
#include "loop/loop.h"
#include "os/fd.h"

enum { SMALL = 32, LATE_MS = 60000 };

struct collected {
    struct loop *loop;
    struct loop_timer *late;
    struct executor *executor;
    struct workspace *workspace;
    struct stage *stage;
    struct stage_end end;
    struct buf said; /* by the program */
    struct buf told; /* a line for each item */
    size_t files;
    size_t refusals;
    uint64_t unlisted;
    int done;
    bool failed;
    bool close_at_once; /* in the first item */
};

/* --- events --- */

static void on_started(void *context)
{
    (void)context;
}

static void on_output(void *context, enum stage_stream stream, struct slice bytes)
{
    (void)stream;
    buf_add_slice(&((struct collected *)context)->said, bytes);
}

static void on_ended(void *context, const struct stage_end *end)
{
    struct collected *got = context;
    got->end = *end;
    executor_stage_free(got->stage);
    got->stage = NULL;
    loop_stop(got->loop);
}

static const struct stage_events stage_events = {
    .started = on_started, .output = on_output, .ended = on_ended};

static void assert_only_readable(int fd)
{
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
}

static void on_item(void *context, const struct collect_item *item)
{
    struct collected *got = context;
    char text[SMALL] = "";
    int fd = item->fd;
    assert_true((fd < 0) == (item->refusal != NULL));
    got->files += fd >= 0;
    got->refusals += fd < 0;
    if (fd < 0) {
        buf_add_format(&got->told, "%s: %s\n", item->path, item->refusal);
    } else {
        assert_only_readable(fd);
        ssize_t len = fd_read_full(fd, text, sizeof text);
        assert_int_equal(len, MIN(item->size, sizeof text));
        if (item->size < sizeof text)
            buf_add_format(&got->told, "%s=%s\n", item->path, text);
        else
            buf_add_format(&got->told, "%s of %llu\n", item->path, (unsigned long long)item->size);
    }
    fd_close(&fd);
    if (got->close_at_once) {
        executor_workspace_close(got->workspace);
        got->workspace = NULL;
    }
}

static void on_done(void *context, uint64_t unlisted, const struct err *failure)
{
    struct collected *got = context;
    got->done++;
    got->unlisted = unlisted;
    got->failed = failure != NULL;
    loop_stop(got->loop);
}

static const struct collect_events collect_events = {.item = on_item, .done = on_done};

static void on_late(void *context)
{
    loop_stop(((struct collected *)context)->loop);
}

/* --- a run --- */

static void turn(struct collected *got, unsigned ms)
{
    loop_timer_start(got->late, ms);
    loop_run(got->loop);
    loop_timer_stop(got->late);
}

static int set_up(void **state)
{
    struct collected *got = calloc(1, sizeof *got);
    struct native_config config = {.isolation = "full"};
    struct err err = {0};
    if (!got || real_spawner_start(NULL) < 0)
        return -1;
    *state = got;
    buf_init(&got->said, 64 * KIB);
    buf_init(&got->told, 8 * MIB);
    (void)signal(SIGPIPE, SIG_IGN);
    got->loop = loop_new();
    got->late = loop_timer_new(got->loop, on_late, got);
    return native_executor_new(got->loop, fcntl(spawner, F_DUPFD_CLOEXEC, 3), &config,
                               &got->executor, &err);
}

static int tear_down(void **state)
{
    struct collected *got = *state;
    executor_workspace_close(got->workspace);
    got->executor->ops->executor_free(got->executor);
    loop_timer_free(got->late);
    loop_free(got->loop);
    buf_fini(&got->said);
    buf_fini(&got->told);
    free(got);
    return real_spawner_stop(NULL);
}

/* A program in a workspace that has an empty folder `outputs`. */
static void run(struct collected *got, const char *program)
{
    const char *const argv[] = {"/usr/bin/python3", "-IBS", "main.py", NULL};
    const struct workspace_file files[] = {{"main.py", slice_of(program)}, {"outputs/", {"", 0}}};
    struct workspace_spec workspace = {
        .bytes = 64 * MIB, .inodes = 8192, .files = files, .file_count = ARRAY_LEN(files)};
    struct stage_spec stage = {.argv = argv, .env = nothing};
    struct err err = {0};
    stage.limits.value[LIMIT_MEMORY] = 256 * MIB;
    stage.limits.value[LIMIT_PROCESSES] = 16;
    stage.limits.value[LIMIT_OPEN_FILES] = 64;
    buf_clear(&got->said);
    buf_clear(&got->told);
    got->files = got->refusals = 0;
    got->done = 0;
    executor_workspace_close(got->workspace);
    got->workspace = executor_workspace_open(got->executor, &workspace, &err);
    assert_non_null(got->workspace);
    got->stage = executor_stage_start(got->workspace, &stage, &stage_events, got, &err);
    assert_non_null(got->stage);
    turn(got, LATE_MS);
    assert_null(got->stage);
    assert_string_equal(buf_text(&got->said), "");
    assert_string_equal(got->end.failure.text, "");
    assert_int_equal(got->end.exit_code, 0);
}

static void collect(struct collected *got, const char *folder, uint64_t max_files,
                    uint64_t max_bytes)
{
    struct collect_spec spec = {.folder = folder, .max_files = max_files, .max_bytes = max_bytes};
    executor_workspace_collect(got->workspace, &spec, &collect_events, got);
    assert_int_equal(got->done, 0); /* never within the call */
    assert_int_equal(got->files + got->refusals, 0);
    turn(got, got->close_at_once ? 200 : LATE_MS);
}

/* --- tests --- */

#define PYTHON                                 \
    "import os, socket\nos.chdir('outputs')\n" \
    "def put(path, text='x'):\n"               \
    "    with open(path, 'w') as file: file.write(text)\n"
#define X10 "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X255 X100 X100 X10 X10 X10 X10 X10 "xxxxx"
#define LONG X255 "/" X255 "/" X255 "/" X255 "/" /* 1024 bytes */

static const struct {
    const char *what;
    const char *program;
    const char *told;
} rows[] = {
    {"nothing", "", ""},
    {"files, in the order of their paths",
     "put('b', 'two'); put('a', 'one'); put('../not-this')\n"
     "os.makedirs('sub/deep'); put('sub/deep/c', 'three'); put('sub-', 'four')",
     "a=one\nb=two\nsub-=four\nsub/deep/c=three\n"},
    {"an empty file", "put('empty', '')", "empty=\n"},
    {"what a child goes on writing",
     "put('a')\n"
     "if os.fork() == 0:\n"
     "    file = os.open('a', os.O_WRONLY)\n"
     "    while True: os.pwrite(file, b'y', 0)\n"
     "while open('a').read() != 'y': pass",
     "a=y\n"},
    {"symbolic links",
     "put('a'); os.mkdir('dir')\n"
     "for name, to in {'absolute': '/etc/passwd', 'relative': '../main.py', 'own': 'a',\n"
     "                 'folder': '..', 'dir/folder': '/etc', 'root': '/', 'loop': 'loop',\n"
     "                 'dangling': '/nowhere', 'magic': '/proc/self/root/etc/passwd',\n"
     "                 'shadow': '/proc/1/root/etc/shadow'}.items():\n"
     "    os.symlink(to, name)",
     "a=x\nabsolute: a symbolic link\ndangling: a symbolic link\n"
     "dir/folder: a symbolic link\nfolder: a symbolic link\nloop: a symbolic link\n"
     "magic: a symbolic link\nown: a symbolic link\nrelative: a symbolic link\n"
     "root: a symbolic link\nshadow: a symbolic link\n"},
    {"hard links", "put('a'); os.link('../main.py', 'main'); put('b'); os.link('b', 'c')",
     "a=x\nb: a file with more than one name\nc: a file with more than one name\n"
     "main: a file with more than one name\n"},
    {"pipes and sockets", "os.mkfifo('fifo'); socket.socket(socket.AF_UNIX).bind('socket')",
     "fifo: a named pipe\nsocket: a socket\n"},
    {"modes",
     "os.mkdir('shut'); put('shut/in'); os.chmod('shut', 0)\n"
     "for mode in 0, 0o200, 0o1777, 0o6755: put('%o' % mode); os.chmod('%o' % mode, mode)\n"
     "os.chmod('.', 0)",
     "0=x\n1777=x\n200=x\n6755=x\nshut/in=x\n"},
    {"names",
     "for name in (b'" X255
     "', b'two\\nlines', b'-rf', b'...', b' ', b'\\\\', b'%s', b'\\xff\\xfe',\n"
     "             '\\u202egpj.exe'.encode(), b'\\x1b[2J'): put(name)",
     "\x1b[2J=x\n =x\n%s=x\n-rf=x\n...=x\n\\=x\ntwo\nlines=x\n" X255
     "=x\n\xe2\x80\xaegpj.exe=x\n\xff\xfe=x\n"},
    {"the folder is a link", "os.chdir('..'); os.rmdir('outputs'); os.symlink('/etc', 'outputs')",
     ": a symbolic link\n"},
    {"the folder is a link to a folder of its own",
     "os.chdir('..'); os.rename('outputs', 'b'); put('b/x'); os.symlink('b', 'outputs')",
     ": a symbolic link\n"},
    {"the folder is a file", "os.chdir('..'); os.rmdir('outputs'); put('outputs')",
     ": not a folder\n"},
    {"the folder is a pipe", "os.chdir('..'); os.rmdir('outputs'); os.mkfifo('outputs')",
     ": a named pipe\n"},
    {"the folder is gone", "os.chdir('..'); os.rmdir('outputs')", ""},
    {"too many bytes", "put('a', '1' * 30); put('b', '2' * 65507); put('c', '3' * 65506); put('d')",
     "a=111111111111111111111111111111\nb: over 65536 bytes together\nc of 65506\n"
     "d: over 65536 bytes together\n"},
    {"a file of holes", "put('a'); put('b'); os.truncate('a', 1 << 30)",
     "a: over 65536 bytes together\nb=x\n"},
    {"too many files", "for i in range(14): put('%02d' % i)",
     "00=x\n01=x\n02=x\n03=x\n04=x\n05=x\n06=x\n07=x\n08=x\n09=x\n10: more than 10 files\n"
     "11: more than 10 files\n12: more than 10 files\n13: more than 10 files\n"},
    {"folders in folders", "os.makedirs('a/b/c/d/e/f/g/h/i/j'); put('a/b/c/d/e/f/g/h/file')",
     "a/b/c/d/e/f/g/h/file=x\na/b/c/d/e/f/g/h/i: in too many folders\n"},
    {"a long path",
     "for i in range(4): os.mkdir('x' * 255); os.chdir('x' * 255)\n"
     "put('y'); put('zz')",
     LONG ": its path is too long\n" LONG ": its path is too long\n"},
};

static void of_what_is_there_only_files_come(void **state)
{
    struct collected *got = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char program[4096];
        int len = snprintf(program, sizeof program, PYTHON "%s\n", rows[i].program);
        assert_in_range(len, 1, sizeof program - 1);
        run(got, program);
        collect(got, "outputs", 10, 64 * KIB);
        if (strcmp(buf_text(&got->told), rows[i].told) != 0)
            print_error("%s\n", rows[i].what);
        assert_string_equal(buf_text(&got->told), rows[i].told);
        assert_int_equal(got->done, 1);
        assert_false(got->failed);
        assert_int_equal(got->unlisted, 0);
    }
}

/* Where a link leads is never opened, let alone changed. */
static void the_host_is_not_touched(void **state)
{
    struct collected *got = *state;
    char canary[] = "/tmp/collect-canary-XXXXXX";
    char program[1024];
    struct stat before;
    struct stat after;
    auto_close int fd = mkstemp(canary);
    assert_int_equal(write(fd, "canary", 6), 6);
    assert_int_equal(fstat(fd, &before), 0);
    (void)snprintf(program, sizeof program,
                   PYTHON "for name in 'file', 'dir/file': os.makedirs('dir', exist_ok=True); "
                          "os.symlink('%s', name)\n",
                   canary);
    run(got, program);
    collect(got, "outputs", 10, MIB);
    assert_string_equal(buf_text(&got->told), "dir/file: a symbolic link\nfile: a symbolic link\n");
    assert_int_equal(fstat(fd, &after), 0);
    assert_memory_equal(&before, &after, sizeof before); /* read times, too */
    (void)unlink(canary);
}

static void five_thousand_files_are_told_in_part(void **state)
{
    struct collected *got = *state;
    run(got, PYTHON "for i in range(5000): put('%04d' % i)\n");
    collect(got, "outputs", 10, MIB);
    assert_int_equal(got->files, 10);
    assert_int_equal(got->refusals, 64);
    assert_int_equal(got->unlisted, 5000 - 10 - 64);
}

static void as_many_files_come_as_are_looked_at(void **state)
{
    struct collected *got = *state;
    run(got, PYTHON "for i in range(5000): put('%04d' % i)\n");
    collect(got, "outputs", UINT64_MAX, UINT64_MAX);
    assert_int_equal(got->files, 4095); /* the folder is looked at, too */
    assert_int_equal(got->refusals, 0);
    assert_int_equal(got->unlisted, 5000 - 4095);
}

static void folders_without_end_end(void **state)
{
    struct collected *got = *state;
    run(got, PYTHON "for i in range(70):\n"
                    "    for j in range(100): os.makedirs('%d/%d' % (i, j))\n");
    collect(got, "outputs", 10, MIB);
    assert_int_equal(got->files + got->refusals, 0);
    assert_int_equal(got->unlisted, 70 * 100 + 70 + 1 - 4096);
}

static void another_folder_can_be_asked_for(void **state)
{
    struct collected *got = *state;
    run(got, PYTHON "os.makedirs('a/b'); put('a/b/c')\n");
    collect(got, "outputs/a", 10, MIB);
    assert_string_equal(buf_text(&got->told), "b/c=x\n");
    run(got, PYTHON "os.makedirs('b'); put('b/c'); os.symlink('.', 'a')\n");
    collect(got, "outputs/a/b", 10, MIB);
    assert_string_equal(buf_text(&got->told), ": a symbolic link\n");
}

static int count_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void a_workspace_may_be_closed_meanwhile(void **state)
{
    struct collected *got = *state;
    run(got, PYTHON "for i in range(1000): put('%04d' % i)\n");
    int before = count_descriptors();
    got->close_at_once = true;
    collect(got, "outputs", 1000, MIB);
    assert_int_equal(got->files, 1);
    assert_int_equal(got->done, 0);
    assert_int_equal(count_descriptors(), before); /* those that were on their way, too */
    got->close_at_once = false;
    run(got, PYTHON "put('a')\n");
    collect(got, "outputs", 1000, MIB);
    assert_string_equal(buf_text(&got->told), "a=x\n");
}

static void a_workspace_that_was_not_made_has_nothing(void **state)
{
    struct collected *got = *state;
    const struct workspace_file files[] = {{"a", {"", 0}}, {"a/", {"", 0}}};
    struct workspace_spec spec = {
        .bytes = MIB, .inodes = 16, .files = files, .file_count = ARRAY_LEN(files)};
    got->workspace = executor_workspace_open(got->executor, &spec, NULL);
    assert_non_null(got->workspace);
    collect(got, "outputs", 10, MIB);
    assert_int_equal(got->done, 1);
    assert_true(got->failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(of_what_is_there_only_files_come),
        TEST(the_host_is_not_touched),
        TEST(five_thousand_files_are_told_in_part),
        TEST(as_many_files_come_as_are_looked_at),
        TEST(folders_without_end_end),
        TEST(another_folder_can_be_asked_for),
        TEST(a_workspace_may_be_closed_meanwhile),
        TEST(a_workspace_that_was_not_made_has_nothing),
#undef TEST
    };
    return cmocka_run_group_tests(tests, real_spawner_group, real_spawner_group_end);
}
