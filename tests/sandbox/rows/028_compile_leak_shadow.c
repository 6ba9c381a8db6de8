/* SPDX-License-Identifier: MIT
 * row: 28 compile_leak
 * expect: compile_failed
 * stderr: (No such file or directory|Permission denied)
 * never: root:[*!$]
 * layer: root, identity
 */
#include "/etc/shadow"
int main(void)
{
    return 0;
}
