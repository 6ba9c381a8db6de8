/* SPDX-License-Identifier: MIT
 * row: 85 residue, also of the compiler
 * expect: succeeded
 * pair: after
 * stdout: ^nothing there$
 * layer: supervisor
 */
#include "saw.h"
#include <dirent.h>
#include <fcntl.h>

/* The run before has left one in each folder; of the compiler, only our own program is here. */
static int is_left(const char *folder, const char *name)
{
    if (strcmp(folder, "/tmp") == 0 || strcmp(folder, "/dev/shm") == 0)
        return name[0] != '.' || name[1] > '.';
    return strstr(name, "residue") != NULL || strstr(name, ".o") != NULL;
}

int main(void)
{
    static const char *const folders[] = {"/tmp", "/dev/shm", "/work", "/var/tmp", "/run", "/"};
    int found = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[64];
        DIR *folder = opendir(folders[i]);
        for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder))
            if (is_left(folders[i], entry->d_name))
                found = printf("ESCAPED %s/%s\n", folders[i], entry->d_name);
        snprintf(path, sizeof path, "%s/residue", folders[i]);
        int file = open(path, O_WRONLY | O_CREAT, 0666);
        if (file >= 0)
            (void)!write(file, path, sizeof path);
    }
    puts(found ? "something" : "nothing there");
    return 0;
}
