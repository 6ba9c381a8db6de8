/* SPDX-License-Identifier: MIT */
#include "groups.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fd.h"

enum { PATH_SIZE = 512 };

static const char hierarchy[] = "/sys/fs/cgroup/cpuacct";

static void die(const char *why)
{
    (void)fprintf(stderr, "bench: %s\n", why);
    exit(1);
}

/* The group in which this process was started. */
static const char *home(void)
{
    static char folder[PATH_SIZE / 2];
    char text[4096];
    if (folder[0] != '\0')
        return folder;
    if (fd_read_text_at(-1, "/proc/self/cgroup", text, sizeof text) <= 0)
        die("/proc/self/cgroup cannot be read");
    char *line = strstr(text, "cpuacct");
    char *path = line ? strchr(line, ':') : NULL;
    if (!path)
        die("cpu time is measured by the controller cpuacct of cgroups version 1");
    path++;
    path[strcspn(path, "\n")] = '\0';
    (void)snprintf(folder, sizeof folder, "%s%s", hierarchy, strcmp(path, "/") == 0 ? "" : path);
    return folder;
}

static void path_of(char path[PATH_SIZE], const char *arm, const char *file)
{
    (void)snprintf(path, PATH_SIZE, "%s/bench-%d-%s%s", home(), getpid(), arm, file);
}

void group_enter(const char *arm)
{
    char path[PATH_SIZE];
    path_of(path, arm, "");
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        die("no group can be made: this needs root");
    path_of(path, arm, "/tasks");
    if (fd_write_text_at(-1, path, "0") < 0)
        die("the group cannot be entered");
}

void group_leave(void)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/tasks", home());
    (void)fd_write_text_at(-1, path, "0");
}

double group_cpu_ms_at(const char *folder)
{
    char path[PATH_SIZE];
    char text[64];
    (void)snprintf(path, sizeof path, "%s/cpuacct.usage", folder);
    if (fd_read_text_at(-1, path, text, sizeof text) <= 0)
        die("the group's figures cannot be read");
    return (double)strtoull(text, NULL, 10) / 1e6;
}

double group_cpu_ms(const char *arm)
{
    char path[PATH_SIZE];
    path_of(path, arm, "");
    return group_cpu_ms_at(path);
}

void group_remove(const char *arm)
{
    char path[PATH_SIZE];
    path_of(path, arm, "");
    /* What was killed in it may take a moment to go. */
    for (int tries = 0; rmdir(path) < 0 && errno == EBUSY && tries < 200; tries++)
        (void)usleep(10 * 1000);
}
