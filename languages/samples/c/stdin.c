#include <stdio.h>
#include <string.h>

int main(void)
{
    char name[100] = "";
    printf("Hello, World!\n");
    printf("Enter your name: ");
    fflush(stdout);
    if (fgets(name, sizeof name, stdin))
        name[strcspn(name, "\n")] = '\0';
    printf("Hello, %s!\n", name);
    int sum = 0;
    for (int i = 1; i <= 10; i++)
        sum += i;
    printf("Sum of numbers from 1 to 10: %d\n", sum);
}
