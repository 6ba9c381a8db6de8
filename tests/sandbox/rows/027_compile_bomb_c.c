/* SPDX-License-Identifier: MIT
 * row: 27 compile_bomb
 * expect: memory_limit
 * limits: timeout=20s
 * needs: cgroup
 * alone: yes
 * layer: cgroup
 */
#include "/dev/zero"
