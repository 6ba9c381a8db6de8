// SPDX-License-Identifier: MIT
#include <iostream>
#include <string>

int main()
{
    std::string line;
    if (!std::getline(std::cin, line))
        std::cout << "end of input\n";
}
