#include <string>

int main()
{
    int number = std::string("three");
}
