// SPDX-License-Identifier: MIT
// stdout: ^threads, processes, sockets: work; none in this language: collector$
#include <arpa/inet.h>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

static void check(bool holds, const char *what)
{
    if (!holds)
        throw std::runtime_error(what);
}

static std::string exchange()
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto *any = reinterpret_cast<sockaddr *>(&address);
    socklen_t size = sizeof address;
    int server = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(server, any, size) == 0 && listen(server, 1) == 0, "listen");
    check(getsockname(server, any, &size) == 0, "port");
    auto answer = std::async(std::launch::async, [server] {
        int peer = accept(server, nullptr, nullptr);
        check(send(peer, "hello", 5, 0) == 5 && close(peer) == 0, "send");
    });
    int client = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(client, any, size) == 0, "connect");
    char text[5];
    check(recv(client, text, sizeof text, MSG_WAITALL) == 5, "receive");
    answer.get();
    return {text, sizeof text};
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
    check(exchange() == "hello", "socket");
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
    std::cout << "threads, processes, sockets: work; none in this language: collector" << std::endl;
}
