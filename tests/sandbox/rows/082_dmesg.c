/* SPDX-License-Identifier: MIT
 * row: 82 dmesg
 * expect: succeeded
 * stdout: ^syslog: (ENOSYS|EPERM)$
 * stdout: ^/dev/kmsg: (ENOENT|EACCES|EPERM)$
 * stdout: ^/proc/kmsg: (ENOENT|EACCES|EPERM)$
 * stdout: ^addresses of the kernel: none$
 * layer: seccomp, root, identity, users
 */
#include "saw.h"
#include <fcntl.h>
#include <sys/klog.h>

int main(void)
{
    char text[4096];
    saw_refused("syslog", klogctl(3, text, sizeof text));
    saw_refused("console off", klogctl(6, NULL, 0));
    saw_refused("/dev/kmsg", open("/dev/kmsg", O_RDONLY | O_NONBLOCK));
    saw_refused("/proc/kmsg", open("/proc/kmsg", O_RDONLY | O_NONBLOCK));
    int file = open("/proc/kallsyms", O_RDONLY);
    ssize_t len = file < 0 ? 0 : read(file, text, sizeof text - 1);
    text[len > 0 ? len : 0] = '\0';
    int shown = 0;
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        shown |= *line && strncmp(line, "0000000000000000", 16) != 0;
    }
    printf("addresses of the kernel: %s\n", shown ? "ESCAPED" : "none");
    return 0;
}
