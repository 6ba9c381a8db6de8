/* SPDX-License-Identifier: MIT */
#include "selftest/canary.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/random_id.h"

static const char *const folders[] = {"/root", "/home", "/srv", "/tmp", "/var/tmp", "/dev/shm"};
static const char variable[] = "CORPUS_TEST_CANARY";

enum { TCP, UNIX, ABSTRACT, LISTENERS };

struct canaries {
    char secret[8 + 2 * RANDOM_ID_SIZE];
    char paths[ARRAY_LEN(folders)][64];
    const char *files[ARRAY_LEN(folders) + 1];
    size_t file_count;
    int listener[LISTENERS];
    char port[8];
    char abstract[RANDOM_ID_SIZE + 16];
    char socket_path[sizeof((struct sockaddr_un *)NULL)->sun_path];
    struct corpus_value values[LISTENERS + 3];
};

static bool plant(struct canaries *canaries, const char *path)
{
    auto_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return false;
    canaries->files[canaries->file_count++] = path;
    (void)fchmod(fd, 0644); /* readable by all, whatever our umask is: the box must stop it */
    return fd_write_full(fd, canaries->secret, strlen(canaries->secret)) >= 0;
}

static int plant_files(struct canaries *canaries, const char *id, struct err *err)
{
    const char *first = NULL;
    const char *in_tmp = NULL;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        char *path = canaries->paths[i];
        (void)snprintf(path, sizeof canaries->paths[i], "%s/.runnel-canary-%s", folders[i], id);
        if (!plant(canaries, path))
            continue;
        first = first ? first : path;
        in_tmp = strcmp(folders[i], "/tmp") == 0 ? path : in_tmp;
    }
    if (!in_tmp)
        return err_set(err, ERR_UNAVAILABLE, "no file can be made in /tmp");
    canaries->values[0] = (struct corpus_value){"CANARY", first};
    canaries->values[1] = (struct corpus_value){"CANARY_TMP", in_tmp};
    return 0;
}

static int listen_at(const void *address, socklen_t len, int family)
{
    auto_close int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, address, len) < 0 || listen(fd, 16) < 0)
        return -1;
    return take_fd(&fd);
}

static int listen_tcp(struct canaries *canaries)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    canaries->listener[TCP] = listen_at(&address, len, AF_INET);
    if (canaries->listener[TCP] < 0 ||
        getsockname(canaries->listener[TCP], (struct sockaddr *)&address, &len) < 0)
        return -1;
    (void)snprintf(canaries->port, sizeof canaries->port, "%u", ntohs(address.sin_port));
    return 0;
}

static int listen_unix(struct canaries *canaries, const char *id)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(canaries->abstract, sizeof canaries->abstract, "runnel-canary-%s", id);
    (void)snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", canaries->abstract);
    socklen_t len =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(canaries->abstract));
    canaries->listener[ABSTRACT] = listen_at(&address, len, AF_UNIX);
    (void)snprintf(canaries->socket_path, sizeof canaries->socket_path,
                   "/tmp/.runnel-canary-%s.sock", id);
    memcpy(address.sun_path, canaries->socket_path, sizeof address.sun_path);
    canaries->listener[UNIX] = listen_at(&address, sizeof address, AF_UNIX);
    if (canaries->listener[ABSTRACT] < 0 || canaries->listener[UNIX] < 0)
        return -1;
    return chmod(canaries->socket_path, 0777);
}

static int set_up(struct canaries *canaries, struct err *err)
{
    char id[RANDOM_ID_SIZE];
    char other[RANDOM_ID_SIZE];
    for (int i = 0; i < LISTENERS; i++)
        canaries->listener[i] = -1;
    if (random_id("", id) < 0 || random_id("", other) < 0)
        return err_set(err, ERR_INTERNAL, "no random numbers");
    (void)snprintf(canaries->secret, sizeof canaries->secret, "CANARY-%s%s", other, id);
    if (plant_files(canaries, other, err) < 0)
        return -1;
    if (listen_tcp(canaries) < 0 || listen_unix(canaries, other) < 0)
        return err_sys(err, errno, "listen for programs that get out");
    if (setenv(variable, canaries->secret, 1) < 0)
        return err_sys(err, errno, "set %s", variable);
    canaries->values[2] = (struct corpus_value){"PORT", canaries->port};
    canaries->values[3] = (struct corpus_value){"SOCKET", canaries->socket_path};
    canaries->values[4] = (struct corpus_value){"ABSTRACT", canaries->abstract};
    return 0;
}

struct canaries *canaries_new(struct err *err)
{
    struct canaries *canaries = calloc(1, sizeof *canaries);
    if (!canaries) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    if (set_up(canaries, err) < 0) {
        canaries_free(canaries);
        return NULL;
    }
    return canaries;
}

void canaries_free(struct canaries *canaries)
{
    if (!canaries)
        return;
    for (int i = 0; i < LISTENERS; i++)
        fd_close(&canaries->listener[i]);
    if (canaries->socket_path[0])
        (void)unlink(canaries->socket_path);
    for (size_t i = 0; i < canaries->file_count; i++)
        (void)unlink(canaries->files[i]);
    (void)unsetenv(variable);
    free(canaries);
}

const char *canaries_secret(const struct canaries *canaries)
{
    return canaries->secret;
}

const struct corpus_value *canaries_values(const struct canaries *canaries)
{
    return canaries->values;
}

const char *const *canaries_files(const struct canaries *canaries)
{
    return canaries->files;
}

void canaries_look(struct canaries *canaries, struct complaints *complaints)
{
    static const char *const names[] = {
        [TCP] = "port", [UNIX] = "socket", [ABSTRACT] = "abstract socket"};
    for (size_t i = 0; i < canaries->file_count; i++) {
        char text[sizeof canaries->secret + 1];
        if (fd_read_text_at(AT_FDCWD, canaries->files[i], text, sizeof text) < 0 ||
            strcmp(text, canaries->secret) != 0)
            complaints_add(complaints, "ESCAPED: %s was changed", canaries->files[i]);
    }
    for (int i = 0; i < LISTENERS; i++) {
        int fd = accept4(canaries->listener[i], NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            complaints_add(complaints, "ESCAPED: a connection reached our %s", names[i]);
        fd_close(&fd);
    }
}
