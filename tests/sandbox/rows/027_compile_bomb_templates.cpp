/* SPDX-License-Identifier: MIT
 * row: 27 compile_bomb
 * expect: compile_failed timeout cpu_limit memory_limit
 * check: usage.compile_ms >= 1
 * never: ran
 * needs: cgroup
 * alone: yes
 * slow: yes
 * layer: cgroup
 *
 * 2^40 distinct types.
 */
#include <cstdio>
template <int depth, long long path> struct bomb {
    bomb<depth - 1, 2 * path> left;
    bomb<depth - 1, 2 * path + 1> right;
};
template <long long path> struct bomb<0, path> {
    char value;
};
int main()
{
    std::puts("ran");
    return sizeof(bomb<40, 1>) == 0;
}
