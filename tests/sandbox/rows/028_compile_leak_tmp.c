/* SPDX-License-Identifier: MIT
 * row: 28 compile_leak
 * expect: compile_failed
 * stderr: (No such file or directory|Permission denied)
 * never: root:[*!$]
 * layer: root
 */
#include "@CANARY_TMP@"
int main(void)
{
    return 0;
}
