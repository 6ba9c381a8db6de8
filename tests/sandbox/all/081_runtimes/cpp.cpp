// SPDX-License-Identifier: MIT
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

static void check(bool holds, const char *what)
{
    if (!holds)
        throw std::runtime_error(what);
}

int main()
{
    std::atomic<int> counter{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; i++)
        threads.emplace_back([&] { counter += 1000; });
    for (std::thread &one : threads)
        one.join();
    check(counter == 8000, "threads");
    check(std::async(std::launch::async, [] { return 6 * 7; }).get() == 42, "async");
    check(std::system("exit 3") == 3 << 8, "system");
    std::ofstream("file") << "text";
    check(std::filesystem::file_size("file") == 4, "file");
    check(!std::filesystem::is_empty(std::filesystem::current_path()), "folder");
    try {
        throw std::invalid_argument("thrown");
    } catch (const std::exception &error) {
        check(std::string(error.what()) == "thrown", "exception");
    }
    auto shared = std::make_shared<std::vector<int>>(1000, 1);
    check(std::accumulate(shared->begin(), shared->end(), 0) == 1000, "memory");
    std::cout << "threads, processes, collector, sockets: work" << std::endl;
}
