// SPDX-License-Identifier: MIT
// stdout: ^threads, processes, sockets: work; none in this language: collector$
#include "saw.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/timerfd.h>
#include <time.h>

static int failed;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int counter;

static void check(const char *what, int holds)
{
    if (!holds)
        printf("%s does not work: %s\n", what, saw_errno(errno));
    failed |= !holds;
}

static void *count(void *unused)
{
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    return unused;
}

static void check_threads(void)
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        check("pthread_create", pthread_create(&threads[i], NULL, count, NULL) == 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    check("mutex", counter == 8000);
    sem_t *named = sem_open("/named", O_CREAT, 0600, 1);
    check("named semaphore", named != SEM_FAILED && sem_wait(named) == 0);
}

static void check_processes(void)
{
    extern char **environ;
    pid_t child;
    int status = -1;
    char *const arguments[] = {"true", NULL};
    check("posix_spawn", posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ) == 0);
    check("waitpid", waitpid(child, &status, 0) == child && status == 0);
    FILE *pipe = popen("echo 42", "r");
    int number = 0;
    check("popen", pipe && fscanf(pipe, "%d", &number) == 1 && number == 42 && pclose(pipe) == 0);
    check("system", system("exit 3") == 3 << 8);
    struct rlimit limit;
    check("getrlimit", getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = 32;
    check("setrlimit", setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void check_memory(void)
{
    char *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check("mmap", memory != MAP_FAILED);
    memory[0] = (char)0xc3; /* ret */
    check("mprotect", mprotect(memory, 4096, PROT_READ | PROT_EXEC) == 0);
    ((void (*)(void))memory)();
    check("madvise", madvise(memory + 4096, 4096, MADV_DONTNEED) == 0);
    check("mremap", mremap(memory + 65536, 65536, 4096, 0) != MAP_FAILED);
    check("memfd_create", memfd_create("m", MFD_CLOEXEC) >= 0);
    check("shm_open", shm_open("/shared", O_CREAT | O_RDWR, 0600) >= 0);
}

static void check_sockets(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check("bind", bind(server, (struct sockaddr *)&address, len) == 0 && listen(server, 5) == 0);
    getsockname(server, (struct sockaddr *)&address, &len);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    check("connect", connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    int peer = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    char bytes[8] = "";
    check("exchange", send(client, "hi", 2, 0) == 2 && recv(peer, bytes, 8, 0) == 2);
    int pair[2];
    check("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    int udp = socket(AF_INET6, SOCK_DGRAM, 0), one = 1;
    check("udp", udp >= 0 && setsockopt(udp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
}

static void check_waiting(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC), event = eventfd(0, EFD_NONBLOCK);
    struct epoll_event wanted = {.events = EPOLLIN}, seen;
    check("epoll", epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted) == 0);
    check("eventfd", eventfd_write(event, 1) == 0 && epoll_wait(epoll, &seen, 1, 1000) == 1);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, 0);
    raise(SIGUSR1);
    struct signalfd_siginfo info;
    check("signalfd", read(signals, &info, sizeof info) == sizeof info);
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec soon = {.it_value.tv_nsec = 1000000};
    unsigned long long ticks = 0;
    timerfd_settime(timer, 0, &soon, NULL);
    check("timerfd", read(timer, &ticks, sizeof ticks) == sizeof ticks);
    timer_t posix;
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    check("timer_create", timer_create(CLOCK_MONOTONIC, &none, &posix) == 0);
}

static void check_files(void)
{
    struct stat status;
    struct statfs space;
    int file = open("file", O_RDWR | O_CREAT, 0644);
    check("fallocate", fallocate(file, 0, 0, 8192) == 0);
    check("pwrite", pwrite(file, "x", 1, 100) == 1);
    check("lock", flock(file, LOCK_EX) == 0 && lockf(file, F_LOCK, 10) == 0);
    check("link", link("file", "second") == 0 && symlink("file", "third") == 0);
    check("rename", rename("second", "fourth") == 0);
    check("chmod", chmod("fourth", 0755) == 0 && fstat(file, &status) == 0);
    check("chown to oneself", fchown(file, getuid(), getgid()) == 0);
    check("utimes", futimens(file, NULL) == 0 && fsync(file) == 0);
    check("statfs", fstatfs(file, &space) == 0);
    check("mkfifo", mkfifo("line", 0600) == 0);
}

int main(void)
{
    check_threads();
    check_memory();
    check_sockets();
    check_waiting();
    check_files();
    check_processes();
    puts(failed ? "something does not" : "threads, processes, sockets: work; none in this language: collector");
    return failed;
}
