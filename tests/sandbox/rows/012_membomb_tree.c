/* SPDX-License-Identifier: MIT
 * row: 12 membomb_tree
 * expect: memory_limit
 * limits: timeout=20s memory=256M
 * needs: cgroup
 * alone: yes
 * layer: cgroup
 *
 * The parent itself is small: left alone by the kernel's choice of a victim, it
 * would tell. The whole group must die at once.
 */
#include "saw.h"

enum { CHILDREN = 20, EACH = 50 * 1024 * 1024 };

int main(void)
{
    for (int i = 0; i < CHILDREN; i++) {
        if (fork() == 0) {
            char *bytes = malloc(EACH);
            memset(bytes, 1 + i, EACH);
            __asm__ volatile("" : : "r"(bytes) : "memory"); /* or nothing is written at all */
            sleep(10);
            _exit(0);
        }
    }
    int status = 0;
    wait(&status);
    sleep(2);
    puts("ESCAPED: a child died alone, the rest lives on");
    sleep(10);
    return 0;
}
