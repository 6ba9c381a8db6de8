// SPDX-License-Identifier: MIT
#include <chrono>
#include <thread>

int main()
{
    std::this_thread::sleep_for(std::chrono::hours(100000));
}
