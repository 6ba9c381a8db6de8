#include <stdlib.h>
#include <string.h>

int main(void)
{
    for (;;) {
        char *volatile block = malloc(1 << 20);
        if (!block)
            return 1;
        memset(block, 'x', 1 << 20);
    }
}
