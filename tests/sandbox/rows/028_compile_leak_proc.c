/* SPDX-License-Identifier: MIT
 * row: 28 compile_leak
 * expect: compile_failed
 * stderr: (No such file or directory|Permission denied)
 * never: root:[*!$]
 * layer: root, namespaces, identity, landlock, users
 */
#include "/proc/1/environ"
int main(void)
{
    return 0;
}
