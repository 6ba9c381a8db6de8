#include <iostream>
#include <string>

int main()
{
    std::cout << "Hello, World!" << std::endl;
    std::cout << "Enter your name: ";
    std::string name;
    std::getline(std::cin, name);
    std::cout << "Hello, " << name << "!" << std::endl;
    int sum = 0;
    for (int i = 1; i <= 10; i++)
        sum += i;
    std::cout << "Sum of numbers from 1 to 10: " << sum << std::endl;
}
