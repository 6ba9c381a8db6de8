/* SPDX-License-Identifier: MIT */
/* The policies in the running kernel: each test forks, loads a filter there and
 * looks at what calls answer; then whole runtimes live under it. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf_eval.h"
#include "loop/loop.h"

#define HIGH (1L << 32)

static struct seccomp_program compile(const char *name, enum seccomp_refusal refusal)
{
    struct seccomp_program program = {0};
    struct err err = {0};
    if (seccomp_compile(name, slice_of(seccomp_builtin_policy(name)), refusal, &program, &err) < 0)
        fail_msg("%s", err.text);
    return program;
}

static void load_or_die(const struct seccomp_program *program)
{
    struct sock_fprog filter = {(unsigned short)program->count, program->instructions};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) {
        perror("load the filter");
        _exit(99);
    }
}

/* What a child under the filter ended with; `run` returns its exit status. */
static int run_under(const char *policy, enum seccomp_refusal refusal, int (*run)(void))
{
    pid_t child = fork();
    if (child == 0) {
        struct seccomp_program program = compile(policy, refusal); /* here: SELF is the child */
        load_or_die(&program);
        _exit(run());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* clang-format off */
static const struct {
    const char *what;
    long number;
    long args[4];
    int error; /* 0: succeeds */
} box_calls[] = {
    {"a user namespace",             SYS_unshare,     {CLONE_NEWUSER},                       ENOSYS},
    {"nothing by unshare",           SYS_unshare,     {0},                                   ENOSYS},
    {"setns",                        SYS_setns,       {-1, 0},                               ENOSYS},
    {"clone3",                       SYS_clone3,      {-1, 88},                              ENOSYS},
    {"clone into a namespace",       SYS_clone,       {CLONE_NEWUSER | SIGCHLD},             EPERM},
    {"the same with bit 32",         SYS_clone,       {HIGH | CLONE_NEWUSER | SIGCHLD},      EPERM},
    {"mount",                        SYS_mount,       {-1, -1, -1, 0},                       ENOSYS},
    {"a detached mount",             SYS_fsopen,      {-1, 0},                               ENOSYS},
    {"ptrace",                       SYS_ptrace,      {0},                                   ENOSYS},
    {"a key",                        SYS_add_key,     {-1},                                  ENOSYS},
    {"io_uring",                     SYS_io_uring_setup, {1, -1},                            ENOSYS},
    {"bpf",                          SYS_bpf,         {-1},                                  ENOSYS},
    {"a vsock",                      SYS_socket,      {AF_VSOCK, SOCK_STREAM, 0},            EAFNOSUPPORT},
    {"a vsock with bit 32",          SYS_socket,      {HIGH | AF_VSOCK, SOCK_STREAM, 0},     EAFNOSUPPORT},
    {"crypto with bit 32",           SYS_socket,      {HIGH | AF_ALG, SOCK_SEQPACKET, 0},    EAFNOSUPPORT},
    {"netlink",                      SYS_socket,      {AF_NETLINK, SOCK_RAW, 0},             EAFNOSUPPORT},
    {"a raw socket",                 SYS_socket,      {AF_INET, SOCK_RAW, IPPROTO_ICMP},     EAFNOSUPPORT},
    {"a raw socket with bit 32",     SYS_socket,      {AF_INET, HIGH | SOCK_RAW, IPPROTO_ICMP}, EAFNOSUPPORT},
    {"SCTP",                         SYS_socket,      {AF_INET, SOCK_STREAM, IPPROTO_SCTP},  EPROTONOSUPPORT},
    {"SCTP with bit 32",             SYS_socket,      {AF_INET, SOCK_STREAM, HIGH | IPPROTO_SCTP}, EPROTONOSUPPORT},
    {"TCP",                          SYS_socket,      {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0}, 0},
    {"UDP, version 6",               SYS_socket,      {AF_INET6, SOCK_DGRAM, 0},             0},
    {"a unix socket",                SYS_socket,      {AF_UNIX, SOCK_SEQPACKET, 0},          0},
    {"reading the personality",      SYS_personality, {0xffffffff},                          0},
    {"fixed addresses",              SYS_personality, {ADDR_NO_RANDOMIZE},                   EPERM},
    {"executable data",              SYS_personality, {READ_IMPLIES_EXEC},                   ENOSYS},
    {"executable data with bit 32",  SYS_personality, {HIGH | READ_IMPLIES_EXEC},            ENOSYS},
    {"typing for others",            SYS_ioctl,       {0, TIOCSTI, -1},                      EPERM},
    {"typing for others, bit 32",    SYS_ioctl,       {0, HIGH | TIOCSTI, -1},               EPERM},
    {"an unknown ioctl",             SYS_ioctl,       {0, 0x1234, -1},                       ENOTTY},
    {"moving the break",             SYS_prctl,       {PR_SET_MM, 1},                        EPERM},
    {"moving the break, bit 32",     SYS_prctl,       {HIGH | PR_SET_MM, 1},                 EPERM},
    {"asking dumpable",                SYS_prctl,       {PR_GET_DUMPABLE},                    0},
    {"reading a limit",              SYS_prlimit64,   {0, RLIMIT_CORE, 0, 0},                0},
    {"core dumps",                   SYS_prlimit64,   {0, RLIMIT_CORE, HIGH, 0},             EPERM},
    {"core dumps, the old way",      SYS_setrlimit,   {HIGH | RLIMIT_CORE, -1},              EPERM},
    {"another's limit",              SYS_prlimit64,   {1, RLIMIT_NOFILE, 0, 0},              EPERM},
    {"a real-time policy",           SYS_sched_setscheduler, {0, SCHED_FIFO, -1},            EPERM},
    {"huge pages",                   SYS_mmap,        {0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB}, ENOMEM},
    {"huge pages with bit 32",       SYS_mmap,        {0, 4096, PROT_READ, HIGH | MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB}, ENOMEM},
    {"a file of huge pages",         SYS_memfd_create, {(long)"x", MFD_HUGETLB},             ENOSYS},
    {"a file in memory",             SYS_memfd_create, {(long)"x", MFD_CLOEXEC},             0},
    {"a datagram that waits",        SYS_sendto,      {-1, 0, 0, MSG_MORE},                  EOPNOTSUPP},
    {"the same with bit 32",         SYS_sendto,      {-1, 0, 0, HIGH | MSG_MORE},           EOPNOTSUPP},
    {"the same as a message",        SYS_sendmsg,     {-1, 0, MSG_MORE},                     EOPNOTSUPP},
    {"the same as many",             SYS_sendmmsg,    {-1, 0, 1, MSG_MORE},                  EOPNOTSUPP},
    {"merged pages",                 SYS_madvise,     {0, 0, MADV_MERGEABLE},                EINVAL},
    {"writing out a file",           SYS_fsync,       {-1},                                  0},
    {"writing out its bytes",        SYS_fdatasync,   {-1},                                  0},
    {"writing out some of them",     SYS_sync_file_range, {-1, 0, 0},                        0},
    {"writing out mapped ones",      SYS_msync,       {1, 0, MS_SYNC},                       0},
    {"the same later",               SYS_msync,       {1, 0, MS_ASYNC},                      EINVAL},
    {"writing out all files",        SYS_sync,        {0},                                   ENOSYS},
    {"watching files",               SYS_inotify_init1, {0},                                 ENOSYS},
    {"watching a folder by signals", SYS_fcntl,       {0, F_NOTIFY, DN_ACCESS},              EINVAL},
    {"growing a pipe",               SYS_fcntl,       {0, F_SETPIPE_SZ, 1 << 20},            EPERM},
    {"the same with bit 32",         SYS_fcntl,       {0, HIGH | F_SETPIPE_SZ, 1 << 20},     EPERM},
    {"joining a group",              SYS_setsockopt,  {-1, SOL_IP, IP_ADD_MEMBERSHIP},       EPERM},
    {"joining a group, version 6",   SYS_setsockopt,  {-1, SOL_IPV6, IPV6_JOIN_GROUP},       EPERM},
    {"the same with bit 32",         SYS_setsockopt,  {-1, HIGH | SOL_IPV6, HIGH | IPV6_JOIN_GROUP}, EPERM},
    {"joining a source",             SYS_setsockopt,  {-1, SOL_IPV6, MCAST_JOIN_SOURCE_GROUP}, EPERM},
    {"options of all packets",       SYS_setsockopt,  {-1, SOL_IPV6, IPV6_2292PKTOPTIONS},   EPERM},
    {"the same with bit 32",         SYS_setsockopt,  {-1, HIGH | SOL_IPV6, HIGH | IPV6_2292PKTOPTIONS}, EPERM},
    {"a larger receive buffer",      SYS_setsockopt,  {-1, SOL_SOCKET, SO_RCVBUF},           0},
    {"the same with bit 32",         SYS_setsockopt,  {-1, HIGH | SOL_SOCKET, HIGH | SO_RCVBUF}, 0},
    {"a queue of errors",            SYS_setsockopt,  {-1, SOL_IP, IP_RECVERR},              0},
    {"a queue of errors, version 6", SYS_setsockopt,  {-1, SOL_IPV6, IPV6_RECVERR},          0},
    {"another buffer",               SYS_setsockopt,  {-1, SOL_SOCKET, SO_SNDBUF},           EBADF},
    {"the priority of init",         SYS_setpriority, {PRIO_PROCESS, 1, 19},                 EPERM},
    {"the same with bit 32",         SYS_setpriority, {HIGH | PRIO_PROCESS, HIGH | 1, 19},   EPERM},
    {"the priority of all",          SYS_setpriority, {PRIO_USER, 0, 0},                     EPERM},
    {"the priority of one's own",    SYS_setpriority, {PRIO_PROCESS, 0, 0},                  0},
    {"the processors of init",       SYS_sched_setaffinity, {1, 8, -1},                      EPERM},
    {"the policy of init",           SYS_sched_setscheduler, {1, SCHED_IDLE, -1},            EPERM},
    {"becoming root",                SYS_setuid,      {0},                                   EPERM},
    {"a number of the future",       600,             {0},                                   ENOSYS},
};
/* clang-format on */

/* Rows are counted from 1; 0: all as expected. */
static int try_box_calls(void)
{
    for (size_t i = 0; i < ARRAY_LEN(box_calls); i++) {
        const long *args = box_calls[i].args;
        errno = 0;
        long got = syscall(box_calls[i].number, args[0], args[1], args[2], args[3]);
        bool good = box_calls[i].error == 0 ? got >= 0 : got == -1 && errno == box_calls[i].error;
        if (!good) {
            fprintf(stderr, "%s: %ld, %s\n", box_calls[i].what, got, strerror(errno));
            return (int)i + 1;
        }
    }
    return 0;
}

static void the_box_refuses_in_the_kernel_what_the_policy_refuses(void **state)
{
    (void)state;
    assert_int_equal(run_under("box", SECCOMP_REFUSE_ENOSYS, try_box_calls), 0);
}

/* The kernel lets these two through before any filter (they end in SIGILL
 * unless it asked for them itself). */
static bool is_probe_trampoline(int number)
{
    return number == seccomp_call_number("uretprobe") || number == seccomp_call_number("uprobe");
}

static uint32_t expected_answers[601];

static int try_all_refusals(void)
{
    if (syscall(SYS_unshare, 0) != -1 || errno != ENOSYS)
        return 100; /* the filter is not there: do not try the others */
    for (int number = 0; number < (int)ARRAY_LEN(expected_answers); number++) {
        uint32_t answer = expected_answers[number];
        if ((answer & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO || is_probe_trampoline(number))
            continue;
        long got = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
        int error = got == -1 ? errno : 0;
        if (error != (int)(answer & SECCOMP_RET_DATA)) {
            fprintf(stderr, "call %d: %ld, %s\n", number, got, strerror(errno));
            return 1;
        }
    }
    return 0;
}

static void kernel_and_evaluator_agree_on_every_refusal(void **state)
{
    (void)state;
    static const uint64_t ones[6] = {~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL};
    static const char *const names[] = {"box", "front"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct seccomp_program program = compile(names[i], SECCOMP_REFUSE_ENOSYS);
        for (int number = 0; number < (int)ARRAY_LEN(expected_answers); number++)
            expected_answers[number] = bpf_eval_call(&program, number, ones);
        seccomp_program_fini(&program);
        assert_int_equal(run_under(names[i], SECCOMP_REFUSE_ENOSYS, try_all_refusals), 0);
    }
}

static int call_unshare(void)
{
    return syscall(SYS_unshare, 0) == 0 ? 0 : 1;
}

static int call_clone3(void)
{
    return syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS ? 0 : 1;
}

static void a_strict_build_kills_what_no_honest_program_calls(void **state)
{
    (void)state;
    int status = run_under("box", SECCOMP_REFUSE_KILL, call_unshare);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
    assert_int_equal(run_under("box", SECCOMP_REFUSE_KILL, call_clone3), 0);
}

static int call_x32(void)
{
    syscall(0x40000000 | SYS_getpid);
    return 1;
}

static int call_i386(void)
{
#ifdef __x86_64__
    int result = 20; /* getpid of i386 */
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
#endif
    return 1;
}

static void foreign_abis_die_in_the_kernel(void **state)
{
    (void)state;
    int status = run_under("box", SECCOMP_REFUSE_ENOSYS, call_x32);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    status = run_under("box", SECCOMP_REFUSE_ENOSYS, call_i386);
    /* SIGSEGV: a kernel without IA32_EMULATION */
    assert_true(WIFSIGNALED(status) && (WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV));
}

static void *set_to_seven(void *value)
{
    *(int *)value = 7;
    return NULL;
}

static bool can_start_a_thread(void)
{
    int value = 0;
    pthread_t thread;
    return pthread_create(&thread, NULL, set_to_seven, &value) == 0 &&
           pthread_join(thread, NULL) == 0 && value == 7;
}

static void set_to_eight(void *value)
{
    *(int *)value = 8;
}

static void increment(void *value)
{
    ++*(int *)value;
}

/* The pool's threads are made with its first work. */
static bool can_use_the_pool(void)
{
    int value = 0;
    struct loop *loop = loop_new();
    loop_work(loop, set_to_eight, increment, &value);
    loop_run(loop);
    loop_free(loop);
    return value == 9;
}

static bool can_serve(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1;
    int poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    return listener >= 0 && poller >= 0 && eventfd(0, EFD_CLOEXEC) >= 0 &&
           timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC) >= 0 &&
           setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
           bind(listener, (struct sockaddr *)&address, sizeof address) == 0 &&
           listen(listener, 5) == 0 && epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) == 0 &&
           epoll_wait(poller, &event, 1, 1) == 0;
}

static bool can_resolve(void)
{
    struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    if (getaddrinfo("localhost", "80", &hints, &found) != 0)
        return false;
    freeaddrinfo(found);
    return true;
}

static bool can_use_files_and_memory(void)
{
    char line[256];
    FILE *file = fopen("/proc/self/status", "re");
    void *block = malloc(32 << 20);
    if (!file || !block || !fgets(line, sizeof line, file))
        return false;
    memset(block, 1, 32 << 20);
    free(block);
    return fclose(file) == 0;
}

static bool is_refused(long result, int error)
{
    return result == -1 && errno == error;
}

static int live_as_front(void)
{
    struct rlimit limit;
    bool (*const abilities[])(void) = {can_start_a_thread, can_use_the_pool, can_serve, can_resolve,
                                       can_use_files_and_memory};
    for (size_t i = 0; i < ARRAY_LEN(abilities); i++) {
        if (!abilities[i]())
            return (int)i + 1;
    }
    void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code != MAP_FAILED || errno != EACCES)
        return 10;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        !is_refused(setrlimit(RLIMIT_NOFILE, &limit), EPERM))
        return 11;
    if (!is_refused(execl("/bin/true", "true", (char *)NULL), ENOSYS) ||
        !is_refused(syscall(SYS_fork), ENOSYS))
        return 12;
    if (!is_refused(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0), EPERM))
        return 13;
    pid_t parent = getppid();
    if (raise(SIGURG) != 0 || !is_refused(syscall(SYS_tgkill, parent, parent, 0), EPERM) ||
        !is_refused(fcntl(0, F_SETOWN, parent), EPERM))
        return 14;
    return is_refused(syscall(SYS_ptrace, 0), ENOSYS) ? 0 : 15;
}

static void the_front_lives_under_its_policy_and_starts_nothing(void **state)
{
    (void)state;
    assert_int_equal(run_under("front", SECCOMP_REFUSE_ENOSYS, live_as_front), 0);
}

#define HELLO_C "'int puts(const char *); int main(void) { puts(\"hello\"); }'"
#define HELLO_JAVA                                                             \
    "'public class H { public static void main(String[] a) throws Exception {" \
    " Thread t = new Thread(() -> System.out.println(\"hello\")); t.start(); t.join(); } }'"

/* Shell lines, run in an empty folder under the box's filter, that say "hello". */
static const struct {
    const char *needs;
    const char *script;
} runtimes[] = {
    {"/bin/bash", "exec /bin/bash -c 'mkfifo f; echo hello > f & read x < f; echo $x; wait'"},
    {"/usr/bin/python3",
     "exec /usr/bin/python3 -c '\n"
     "import asyncio, multiprocessing, resource, socket, subprocess, tempfile, threading\n"
     "resource.getrlimit(resource.RLIMIT_CORE)\n"
     "t = threading.Thread(target=lambda: None); t.start(); t.join()\n"
     "async def main():\n"
     "    server = await asyncio.start_server(lambda r, w: w.close(), \"127.0.0.1\", 0)\n"
     "    host, port = server.sockets[0].getsockname()\n"
     "    reader, writer = await asyncio.open_connection(\"localhost\", port)\n"
     "    assert await reader.read() == b\"\"\n"
     "asyncio.run(main())\n"
     "socket.getaddrinfo(\"localhost\", 80)\n"
     "with multiprocessing.Pool(2) as pool: assert pool.map(abs, [-1, 2]) == [1, 2]\n"
     "with tempfile.TemporaryDirectory() as folder: pass\n"
     "subprocess.run([\"/bin/echo\", \"hello\"], check=True)'"},
    {"/usr/bin/node",
     "exec /usr/bin/node -e '\n"
     "const {Worker} = require(\"worker_threads\"), fs = require(\"fs\");\n"
     "fs.copyFileSync(\"/etc/hosts\", \"copy\"); require(\"os\").cpus();\n"
     "require(\"child_process\").execFileSync(\"/bin/true\");\n"
     "new Worker(\"1\", {eval: true}).on(\"exit\", () => console.log(\"hello\"))'"},
    {"/usr/bin/gcc", "echo " HELLO_C " > h.c && gcc -O2 -pthread -o h h.c && exec ./h"},
    {"/usr/bin/g++",
     "echo '#include <iostream>\nint main() { std::cout << \"hello\" << std::endl; }' > h.cc &&"
     " g++ -o h h.cc && exec ./h"},
    {"/usr/bin/java", "echo " HELLO_JAVA " > H.java && exec java -Xmx256m -XX:+UseSerialGC H.java"},
    {"/usr/bin/javac",
     "echo " HELLO_JAVA " > H.java && javac -J-Xmx256m H.java && exec java -Xmx256m H"},
    {"/usr/bin/ruby", "exec ruby -e 'Thread.new { puts `echo hello` }.join'"},
    {"/usr/bin/php", "exec php -r 'echo \"hello\\n\";'"},
    {"/usr/bin/go", "echo 'package main\nfunc main() { println(\"hello\") }' > h.go &&"
                    " GOCACHE=$PWD/c HOME=$PWD go run h.go 2>&1"},
    {"/usr/bin/rustc",
     "echo 'fn main() { println!(\"hello\"); }' > h.rs && rustc h.rs && exec ./h"},
    {"/usr/bin/mono",
     "echo 'class H { static void Main() { System.Console.WriteLine(\"hello\"); }}'"
     " > h.cs && mcs h.cs && exec mono h.exe"},
    {"/usr/bin/octave-cli", "exec octave-cli --norc --no-history --eval 'disp(\"hello\")'"},
};

static void exec_script(const struct seccomp_program *program, const char *script, int output)
{
    (void)setpgid(0, 0);
    (void)alarm(120); /* of sh, or of what it execs */
    if (dup2(output, STDOUT_FILENO) < 0)
        _exit(98);
    load_or_die(program);
    execl("/bin/sh", "sh", "-c", script, (char *)NULL);
    _exit(97);
}

static void check_runtime(const struct seccomp_program *program, const char *script)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0)
        exec_script(program, script, ends[1]);
    (void)close(ends[1]);
    char text[256] = "";
    size_t len = 0;
    ssize_t got = 0;
    while (len < sizeof text - 1 && (got = read(ends[0], text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)got;
    (void)close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)kill(-child, SIGKILL); /* what it left behind in its group */
    if (status != 0 || strcmp(text, "hello\n") != 0)
        fail_msg("status %#x and output '%s' from: %s", (unsigned)status, text, script);
}

static void runtimes_live_under_the_box_policy(void **state)
{
    (void)state;
    char folder[] = "/tmp/runnel-seccomp-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct seccomp_program program = compile("box", SECCOMP_REFUSE_ENOSYS);
    for (size_t i = 0; i < ARRAY_LEN(runtimes); i++) {
        if (access(runtimes[i].needs, X_OK) != 0) {
            print_message("[  SKIPPED ] %s is not installed\n", runtimes[i].needs);
            continue;
        }
        char script[2048];
        int len = snprintf(script, sizeof script,
                           "export PATH=/usr/bin:/bin; mkdir %s/%zu && cd %s/%zu && %s", folder, i,
                           folder, i, runtimes[i].script);
        assert_true(len > 0 && (size_t)len < sizeof script);
        check_runtime(&program, script);
    }
    seccomp_program_fini(&program);
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/rm", "rm", "-rf", folder, (char *)NULL);
        _exit(97);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_box_refuses_in_the_kernel_what_the_policy_refuses),
        cmocka_unit_test(kernel_and_evaluator_agree_on_every_refusal),
        cmocka_unit_test(a_strict_build_kills_what_no_honest_program_calls),
        cmocka_unit_test(foreign_abis_die_in_the_kernel),
        cmocka_unit_test(the_front_lives_under_its_policy_and_starts_nothing),
        cmocka_unit_test(runtimes_live_under_the_box_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
