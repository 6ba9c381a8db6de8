/* SPDX-License-Identifier: MIT */
/* taken_over_front.c — a front that does what it is told, for
 * tests/system/test_taken_over_front.py.
 *
 * Started, it becomes a spawner as `runnel serve` does, with itself as its front. That
 * gives up its privilege by the front's own steps, and is then what somebody has who took
 * a front over: it carries out one command a line, each with an answer of one line.
 *
 *     make NAME pipe|terminal|socket|memfd HEX|open FLAGS PATH     descriptors NAME (and NAME.w)
 *     send HEX NAME…      a message to the spawner with these descriptors
 *     receive MS          its next reply
 *     read NAME MS        what comes, until its end
 *     call NAME ARG…      a system call: numbers, @NAME for a descriptor, "TEXT, &SIZE for zeros
 *     close NAME          "spawner" is the spawner's socket
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/front.h"
#include "os/fd.h"
#include "sandbox/client.h"
#include "sandbox/message.h"
#include "sandbox/seccomp_policy.h"

enum { WORDS_MAX = 16, NAMED_MAX = 64, NAME_SIZE = 16, READ_MAX = 16 * 1024, ARGUMENTS = 6 };

static struct {
    char name[NAME_SIZE];
    int fd;
} named[NAMED_MAX];
static int spawner = -1;

#ifdef RUNNEL_SANITIZED
/* The check for leaks looks into its own threads, which the filter refuses. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
#endif

static void answer_error(int rc)
{
    (void)printf("error %s\n", strerrorname_np(-rc));
}

/* --- descriptors by name --- */

static int *find(const char *name)
{
    if (strcmp(name, "spawner") == 0)
        return &spawner;
    for (size_t i = 0; i < NAMED_MAX; i++) {
        if (strcmp(named[i].name, name) == 0)
            return &named[i].fd;
    }
    (void)printf("error no descriptor %s\n", name);
    exit(EXIT_FAILURE);
}

static void keep(const char *name, const char *suffix, int fd)
{
    for (size_t i = 0; i < NAMED_MAX; i++) {
        if (named[i].name[0] == '\0') {
            (void)snprintf(named[i].name, NAME_SIZE, "%s%s", name, suffix);
            named[i].fd = fd;
            return;
        }
    }
    (void)puts("error too many descriptors");
    exit(EXIT_FAILURE);
}

static void forget(const char *name)
{
    for (size_t i = 0; i < NAMED_MAX; i++) {
        if (strcmp(named[i].name, name) == 0)
            named[i].name[0] = '\0';
    }
}

/* In place; -1 when it is none. */
static ssize_t decode_hex(char *text)
{
    size_t len = strlen(text) / 2;
    for (size_t i = 0; i < len; i++) {
        char two[3] = {text[2 * i], text[2 * i + 1], '\0'};
        char *end = NULL;
        text[i] = (char)strtoul(two, &end, 16);
        if (*end)
            return -1;
    }
    return (ssize_t)len;
}

static int make_memfd(char *hex)
{
    ssize_t len = decode_hex(hex);
    int fd = memfd_create("taken over", MFD_CLOEXEC);
    if (fd < 0 || len < 0 || write(fd, hex, (size_t)len) != len || lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    return fd;
}

static int make_pair(const char *name, const char *kind)
{
    int pair[2] = {-1, -1};
    int rc = strcmp(kind, "pipe") == 0 ? pipe2(pair, O_CLOEXEC)
                                       : socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    if (rc < 0)
        return -errno;
    keep(name, ".w", pair[1]);
    return pair[0];
}

static int make_terminal(const char *name)
{
    int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (ours < 0 || unlockpt(ours) < 0)
        return -errno;
    int theirs = ioctl(ours, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (theirs < 0)
        return -errno;
    keep(name, ".w", ours);
    return theirs;
}

static int make_descriptor(char **words, size_t count)
{
    const char *kind = words[2];
    if (strcmp(kind, "memfd") == 0 && count == 4)
        return make_memfd(words[3]);
    if (strcmp(kind, "terminal") == 0)
        return make_terminal(words[1]);
    if (strcmp(kind, "open") == 0 && count == 5) {
        int fd = open(words[4], (int)strtol(words[3], NULL, 0), 0600);
        return fd < 0 ? -errno : fd;
    }
    return make_pair(words[1], kind);
}

static void make(char **words, size_t count)
{
    int fd = make_descriptor(words, count);
    if (fd < 0) {
        answer_error(fd);
        return;
    }
    keep(words[1], "", fd);
    (void)printf("made %d\n", fd);
}

/* --- the spawner --- */

static void send_message(char **words, size_t count)
{
    int fds[FD_PASS_MAX + 1];
    size_t fd_count = 0;
    for (size_t i = 2; i < count && fd_count < ARRAY_LEN(fds); i++)
        fds[fd_count++] = *find(words[i]);
    ssize_t len = decode_hex(words[1]);
    int rc = len < 0 ? -EBADMSG : fd_send(spawner, words[1], (size_t)len, fds, fd_count);
    if (rc < 0)
        answer_error(rc);
    else
        (void)puts("sent");
}

static void receive(char **words, size_t count)
{
    struct sandbox_reply reply = {0};
    struct pollfd ready = {.fd = spawner, .events = POLLIN};
    (void)count;
    int rc = poll(&ready, 1, (int)strtol(words[1], NULL, 10)) == 0
                 ? 0
                 : sandbox_receive(spawner, &reply, NULL);
    if (rc < 0)
        (void)puts("gone");
    else if (rc == 0)
        (void)puts("nothing");
    else
        (void)printf("reply %d %u %d %d %d %s\n", (int)reply.kind, reply.id, reply.failed_errno,
                     reply.exit_code, reply.signal, reply.failed_step);
    if (rc == 1 && reply.kind == REPLY_FOUND)
        fd_close(&reply.fd);
}

static void read_all(char **words, size_t count)
{
    static char text[READ_MAX];
    struct pollfd ready = {.fd = *find(words[1]), .events = POLLIN};
    size_t len = 0;
    (void)count;
    while (len < sizeof text && poll(&ready, 1, (int)strtol(words[2], NULL, 10)) == 1) {
        ssize_t got = read(ready.fd, text + len, sizeof text - len);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    (void)printf("bytes ");
    for (size_t i = 0; i < len; i++)
        (void)printf("%02x", (unsigned char)text[i]);
    (void)puts("");
}

static void close_named(char **words, size_t count)
{
    (void)count;
    fd_close(find(words[1]));
    forget(words[1]);
    (void)puts("closed");
}

/* --- the kernel --- */

static long argument(char *word)
{
    static char zeros[ARGUMENTS][4096];
    static size_t used;
    switch (word[0]) {
    case '@':
        return *find(word + 1);
    case '"':
        return (long)(word + 1);
    case '&':
        used = (used + 1) % ARGUMENTS;
        memset(zeros[used], 0, sizeof zeros[used]);
        memset(zeros[used], (int)strtol(word + 1, NULL, 0), 8);
        return (long)zeros[used];
    default:
        return strtol(word, NULL, 0);
    }
}

static void call(char **words, size_t count)
{
    long arguments[ARGUMENTS] = {0};
    int number = seccomp_call_number(words[1]);
    if (number < 0) {
        (void)puts("error no such call");
        return;
    }
    for (size_t i = 2; i < count && i < ARGUMENTS + 2; i++)
        arguments[i - 2] = argument(words[i]);
    long got = syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                       arguments[5]);
    if (got < 0)
        answer_error(-errno);
    else
        (void)printf("value %ld\n", got);
}

static const struct {
    const char *name;
    size_t words;
    void (*run)(char **words, size_t count);
} commands[] = {
    {"make", 3, make},     {"send", 2, send_message}, {"receive", 2, receive},
    {"read", 3, read_all}, {"call", 2, call},         {"close", 2, close_named},
};

static bool carry_out(char *line)
{
    char *words[WORDS_MAX];
    char *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(line, " \n", &rest); word && count < WORDS_MAX;
         word = strtok_r(NULL, " \n", &rest))
        words[count++] = word;
    for (size_t i = 0; count > 0 && i < ARRAY_LEN(commands); i++) {
        if (strcmp(words[0], commands[i].name) == 0 && count >= commands[i].words) {
            commands[i].run(words, count);
            return true;
        }
    }
    return false;
}

/* A front with sanitizers goes without its filter; here it is what is tried. */
static int filter_anyway(struct err *err)
{
#ifdef RUNNEL_SANITIZED
    struct seccomp_program program;
    if (seccomp_compile("front.policy", slice_of(seccomp_builtin_policy("front")),
                        SECCOMP_REFUSE_ENOSYS, &program, err) < 0)
        return -1;
    struct sock_fprog filter = {(unsigned short)program.count, program.instructions};
    int rc = prctl(PR_SET_SECCOMP, 2, &filter, 0, 0);
    seccomp_program_fini(&program);
    return rc < 0 ? err_sys(err, errno, "load the filter") : 0;
#else
    (void)err;
    return 0;
#endif
}

static int be_front(struct err *err)
{
    struct layer_report report;
    auto_free char *line = NULL;
    size_t size = 0;
    if (sandbox_receive_report(spawner, &report, err) < 0 ||
        front_become_user((uid_t)report.front_uid, getppid(), err) < 0 ||
        front_drop_privilege(err) < 0 || filter_anyway(err) < 0)
        return -1;
    (void)printf("front %d %u\n", getpid(), report.front_uid);
    (void)fflush(stdout);
    while (getline(&line, &size, stdin) > 0 && carry_out(line))
        (void)fflush(stdout);
    return 0;
}

/* BOXES CEILING… in the order of enum limit; "0" is none. */
static int be_spawner(int argc, char **argv, struct err *err)
{
    static const char *const none[] = {NULL};
    struct seccomp_program program;
    struct sandbox_settings settings = {.etc = none, .rootfs = none};
    char *front[] = {(char *)"taken_over_front", NULL};
    if (argc != LIMIT_KINDS + 2)
        return err_set(err, ERR_INVALID, "taken_over_front BOXES and %d ceilings", LIMIT_KINDS);
    settings.max_boxes = (unsigned)strtoul(argv[1], NULL, 0);
    for (int i = 0; i < LIMIT_KINDS; i++)
        settings.ceiling.value[i] = strtoull(argv[i + 2], NULL, 0);
    if (seccomp_compile("box.policy", slice_of(seccomp_builtin_policy("box")),
                        SECCOMP_REFUSE_ENOSYS, &program, err) < 0)
        return -1;
    settings.seccomp_program = program.instructions;
    settings.seccomp_size = program.count * sizeof *program.instructions;
    return sandbox_become_spawner(&settings, front, err);
}

int main(int argc, char **argv)
{
    struct err err = {0};
    spawner = sandbox_inherited_socket();
    int rc = spawner >= 0 ? be_front(&err) : be_spawner(argc, argv, &err);
    if (rc < 0)
        (void)fprintf(stderr, "taken_over_front: %s\n", err.text);
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
