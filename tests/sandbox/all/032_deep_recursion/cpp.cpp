// SPDX-License-Identifier: MIT
// expect: killed_by_signal
// signal: 11
// signal: 11
#include <iostream>

static long deeper(volatile long *above)
{
    volatile long here[64] = {*above + 1};
    return deeper(here) + here[0];
}

int main()
{
    volatile long first = 0;
    std::cout << deeper(&first) << " came back\n";
}
