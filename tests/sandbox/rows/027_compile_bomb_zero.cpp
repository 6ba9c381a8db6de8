/* SPDX-License-Identifier: MIT
 * row: 27 compile_bomb
 * expect: compile_failed timeout cpu_limit memory_limit
 * check: usage.compile_ms >= 1
 * needs: cgroup
 * alone: yes
 * slow: yes
 * layer: cgroup
 */
#include "/dev/zero"
