/* SPDX-License-Identifier: MIT
 * row: 67 exe_overwrite, that of others: where it can be opened it can be run, and found
 * expect: succeeded
 * stdout: ^parent's exe: (ENOENT|EACCES|EPERM)$
 * stdout: ^init's exe: (ENOENT|EACCES|EPERM)$
 * stdout: ^run init's exe: (ENOENT|EACCES|EPERM)$
 * layer: identity, users, landlock
 */
#include "saw.h"
#include <fcntl.h>

int main(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)getppid());
    saw_refused("parent's exe", open(path, O_RDONLY));
    saw_refused("init's exe", open("/proc/1/exe", O_RDONLY));
    saw_refused("init's exe as a path", open("/proc/1/exe", O_PATH));
    saw_refused("run init's exe", execl("/proc/1/exe", "runnel", "--help", (char *)NULL));
    return 0;
}
