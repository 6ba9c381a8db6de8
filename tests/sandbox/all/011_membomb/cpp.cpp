// SPDX-License-Identifier: MIT
#include <iostream>
#include <vector>

int main()
{
    std::vector<std::vector<char>> hoard;
    while (hoard.size() < 1 << 14)
        hoard.emplace_back(1 << 20, 'x');
    std::cout << "ran out of ideas\n";
}
