#include <vector>

int main()
{
    std::vector<std::vector<char>> blocks;
    while (true)
        blocks.emplace_back(1 << 20, 'x');
}
