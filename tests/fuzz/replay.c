/* SPDX-License-Identifier: MIT */
/* Gives a fuzz target every file of the folders named, so that each compiler and
 * sanitizer sees the whole corpus without libFuzzer. An empty folder is a failure. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The file's bytes stand at the very end of an allocation: what is read beyond
 * them is seen by AddressSanitizer. */
static int replay(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) < 0 || !S_ISREG(about.st_mode)) {
        (void)fprintf(stderr, "%s: cannot be read\n", name);
        return -1;
    }
    size_t size = (size_t)about.st_size;
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    if (!bytes || read(fd, bytes, size) != (ssize_t)size) {
        (void)fprintf(stderr, "%s: cannot be read\n", name);
        abort();
    }
    (void)LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    (void)close(fd);
    return 0;
}

static int replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        return -1;
    }
    int count = 0;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        if (entry->d_name[0] != '.' && replay(dirfd(folder), entry->d_name) == 0)
            count++;
    (void)closedir(folder);
    (void)printf("# %s: %d files\n", path, count);
    return count > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    int rc = argc > 1 ? 0 : -1;
    for (int i = 1; i < argc; i++)
        if (replay_folder(argv[i]) < 0)
            rc = -1;
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
