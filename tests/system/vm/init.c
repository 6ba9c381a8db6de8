/* SPDX-License-Identifier: MIT */
/* The first process of the virtual machine that run_in_vm.sh boots.
 *
 * It makes the host's tree its root (read-only, over virtiofs), mounts what a
 * system of today has (cgroup v2 among it), runs one command with the serial
 * line as its terminal, writes the exit status to the second serial line and
 * turns the machine off. Linked statically: at its start there is nothing. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { COMMAND_SIZE = 128 << 10, WORDS_MAX = 1024, FAILED = 125 };

static _Noreturn void turn_off(void)
{
    sync();
    (void)reboot(RB_AUTOBOOT); /* qemu was told to end instead (-no-reboot) */
    for (;;)
        (void)pause();
}

static void report_status(int status)
{
    int fd = open("/dev/ttyS1", O_WRONLY | O_NOCTTY);
    if (fd < 0)
        return;
    dprintf(fd, "%d\n", status);
    (void)tcdrain(fd);
    (void)close(fd);
}

static _Noreturn void fail(const char *what)
{
    dprintf(2, "vm: %s: %s\n", what, strerror(errno));
    report_status(FAILED);
    turn_off();
}

/* The bytes of a program are to arrive as they were written. */
static int open_serial(const char *path)
{
    struct termios line;
    int fd = open(path, O_RDWR | O_NOCTTY);
    if (fd >= 0 && tcgetattr(fd, &line) == 0) {
        cfmakeraw(&line);
        (void)tcsetattr(fd, TCSANOW, &line);
    }
    return fd;
}

/* One name a line, in the order of their needs. */
static void load_modules(void)
{
    char list[1024];
    int fd = open("/modules/order", O_RDONLY);
    ssize_t len = fd >= 0 ? read(fd, list, sizeof list - 1) : -1;
    if (len < 0)
        fail("read /modules/order");
    list[len] = '\0';
    (void)close(fd);
    for (char *name = strtok(list, "\n"); name; name = strtok(NULL, "\n")) {
        char path[128];
        (void)snprintf(path, sizeof path, "/modules/%s.ko", name);
        fd = open(path, O_RDONLY);
        if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
            fail(path);
        (void)close(fd);
    }
}

static const struct {
    const char *type;
    const char *source;
    const char *target;
    unsigned long flags;
    const char *data;
} mounts[] = {
    {"proc", "proc", "/host/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    {"sysfs", "sysfs", "/host/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    {"cgroup2", "cgroup2", "/host/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    {"devtmpfs", "devtmpfs", "/host/dev", MS_NOSUID, NULL},
    {"tmpfs", "run", "/host/run", MS_NOSUID | MS_NODEV, "mode=755"},
    {"tmpfs", "tmp", "/host/tmp", MS_NOSUID | MS_NODEV, "mode=1777"},
};

/* A checkout may lie below the host's /tmp, which ours covers: it is taken out
 * before, and put back behind it. */
static int take_directory(const char *directory)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "/host%s", directory);
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0)
        fail(directory);
    return tree;
}

static void put_directory(int tree, const char *directory)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "/host%s", directory);
    if (access(path, F_OK) == 0)
        return;
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    (void)mkdir(path, 0755);
    if (syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        fail(directory);
}

static void mount_all(const char *directory)
{
    (void)mkdir("/host", 0755);
    if (mount("host", "/host", "virtiofs", MS_RDONLY, NULL) < 0)
        fail("mount the host's tree");
    int tree = take_directory(directory);
    for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++)
        if (mount(mounts[i].source, mounts[i].target, mounts[i].type, mounts[i].flags,
                  mounts[i].data) < 0)
            fail(mounts[i].target);
    put_directory(tree, directory);
    (void)close(tree);
    (void)mkdir("/host/dev/shm", 01777);
    (void)mkdir("/host/dev/pts", 0755);
    if (mount("shm", "/host/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0 ||
        mount("pts", "/host/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "mode=620,ptmxmode=666") < 0)
        fail("mount below /dev");
    /* pivot_root() refuses the first root of all, so that is covered, not left. */
    if (chdir("/host") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
        fail("enter the host's tree");
}

static void bring_loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)ioctl(fd, SIOCSIFFLAGS, &request);
        (void)close(fd);
    }
}

/* /command: the directory, then the words, each ended by a NUL. */
static char *read_command(char *words[WORDS_MAX + 1])
{
    static char text[COMMAND_SIZE];
    int fd = open("/command", O_RDONLY);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (len <= 0 || text[len - 1] != '\0')
        fail("read /command");
    (void)close(fd);
    size_t count = 0;
    for (char *at = text + strlen(text) + 1; at < text + len; at += strlen(at) + 1) {
        if (count == WORDS_MAX)
            fail("too many words");
        words[count++] = at;
    }
    words[count] = NULL;
    return text;
}

static _Noreturn void run(const char *directory, char *const *words)
{
    static char *environment[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp",
        "LANG=C.UTF-8", "IN_RUNNEL_VM=1", NULL};
    (void)setsid();
    if (chdir(directory) == 0)
        (void)execvpe(words[0], words, environment);
    dprintf(2, "vm: %s: %s\n", words[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

int main(void)
{
    static char *words[WORDS_MAX + 1];
    const char *directory = read_command(words);
    (void)mount("dev", "/dev", "devtmpfs", 0, NULL);
    int nothing = open("/dev/null", O_RDONLY);
    int line = open_serial("/dev/ttyS0");
    if (nothing < 0 || line < 0 || dup2(nothing, 0) < 0 || dup2(line, 1) < 0 || dup2(line, 2) < 0)
        turn_off();
    (void)close(nothing);
    (void)close(line);
    load_modules();
    mount_all(directory);
    bring_loopback_up();
    (void)sethostname("vm", 2);
    pid_t command = fork();
    if (command < 0)
        fail("fork");
    if (command == 0)
        run(directory, words);
    /* As pid 1, reap whatever comes. */
    for (;;) {
        int status = 0;
        pid_t pid = wait(&status);
        if (pid != command)
            continue;
        report_status(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
        turn_off();
    }
}
