/* SPDX-License-Identifier: MIT */
#include "sandbox/netns_figures.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/slice.h"
#include "base/util.h"
#include "os/fd.h"

/* Everything that a use can leave its trace in, the cheapest and most telling
 * first: two counters of lo for whatever was sent, sockets for what was not. */
enum { SOCKSTAT };
static const char *const names[NETNS_FIGURE_FILES] = {
    [SOCKSTAT] = "sockstat", "dev", "snmp", "snmp6", "netstat", "ip6_flowlabel",
};

void netns_figures_init(struct netns_figures *ret_figures)
{
    memset(ret_figures->fds, -1, sizeof ret_figures->fds);
}

int netns_figures_open(int net_fd, struct netns_figures *figures)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        figures->fds[i] = openat(net_fd, names[i], O_RDONLY | O_CLOEXEC);
        if (figures->fds[i] < 0 && (errno != ENOENT || i == SOCKSTAT))
            return -errno;
    }
    return 0;
}

void netns_figures_close(struct netns_figures *figures)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        fd_close(&figures->fds[i]);
}

/* In sockstat, these are the whole host's, and anything on it may move them. */
static bool is_host_figure(struct slice word)
{
    static const char *const words[] = {"orphan", "alloc", "mem"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (slice_is(word, words[i]))
            return true;
    return false;
}

static size_t drop_host_figures(char *text)
{
    char *to = text;
    for (const char *from = text; *from;) {
        size_t len = strcspn(from, " \n");
        bool drop = is_host_figure((struct slice){from, len});
        len += strspn(from + len, " \n");
        if (drop) /* its value too */
            len += strcspn(from + len, " \n");
        else
            memmove(to, from, len);
        to += drop ? 0 : len;
        from += len;
    }
    *to = '\0';
    return (size_t)(to - text);
}

/* Length of the text; none of a file that this kernel lacks. */
static ssize_t read_file(const struct netns_figures *figures, size_t file, char *text, size_t size)
{
    size_t len = 0;
    text[0] = '\0';
    while (figures->fds[file] >= 0) {
        ssize_t got = pread(figures->fds[file], text + len, size - 1 - len, (off_t)len);
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        len += (size_t)got;
        if (len == size - 1)
            return -E2BIG;
    }
    text[len] = '\0';
    return (ssize_t)(file == SOCKSTAT ? drop_host_figures(text) : len);
}

int netns_figures_remember(const struct netns_figures *figures, struct netns_pristine *ret_pristine)
{
    size_t used = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        ssize_t len =
            read_file(figures, i, ret_pristine->text + used, sizeof ret_pristine->text - used);
        if (len < 0)
            return (int)len;
        used += (size_t)len;
        ret_pristine->end[i] = used;
    }
    return 0;
}

bool netns_figures_are(const struct netns_figures *figures, struct netns_pristine *pristine)
{
    size_t from = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        size_t len = pristine->end[i] - from;
        ssize_t got = read_file(figures, i, pristine->scratch, sizeof pristine->scratch);
        if (got < 0 || (size_t)got != len ||
            memcmp(pristine->scratch, pristine->text + from, len) != 0)
            return false;
        from += len;
    }
    return true;
}
