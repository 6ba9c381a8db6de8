/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "os/fd.h"
#include "sandbox/cgroup_driver.h"

enum { FILE_TEXT = 2048, WHOLE_MAX = 16 << 20 };

/* "max", and v1's page-rounded 2^63, both read as "no limit". */
static int parse_figure(const char *text, size_t len, uint64_t *ret_value)
{
    char digits[24];
    if (len == 3 && memcmp(text, "max", 3) == 0) {
        *ret_value = UINT64_MAX;
        return 0;
    }
    if (len == 0 || len >= sizeof digits)
        return -EINVAL;
    memcpy(digits, text, len);
    digits[len] = '\0';
    return parse_u64(digits, ret_value);
}

int cgroup_key_in(const char *text, const char *key, uint64_t *ret_value)
{
    size_t key_len = strlen(key);
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        if (len > key_len && memcmp(line, key, key_len) == 0 && line[key_len] == ' ')
            return parse_figure(line + key_len + 1, len - key_len - 1, ret_value);
        line += len + (line[len] == '\n');
    }
    return -ENOENT;
}

static int open_file(struct cgroup_file *file)
{
    if (file->fd < 0)
        file->fd = openat(file->dir_fd, file->name, file->mode | O_CLOEXEC | O_NOFOLLOW);
    return file->fd < 0 ? -errno : 0;
}

int cgroup_file_read(struct cgroup_file *file, const char *key, uint64_t *ret_value)
{
    char text[FILE_TEXT];
    int rc = open_file(file);
    if (rc < 0)
        return rc;
    ssize_t len = pread(file->fd, text, sizeof text - 1, 0);
    if (len < 0)
        return -errno;
    text[len] = '\0';
    return key ? cgroup_key_in(text, key, ret_value)
               : parse_figure(text, strcspn(text, "\n"), ret_value);
}

int cgroup_file_write(struct cgroup_file *file, const char *text)
{
    int rc = open_file(file);
    if (rc < 0)
        return rc;
    return pwrite(file->fd, text, strlen(text), 0) < 0 ? -errno : 0;
}

int cgroup_file_write_u64(struct cgroup_file *file, uint64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    return cgroup_file_write(file, text);
}

bool cgroup_word_in(const char *text, const char *word)
{
    static const char between[] = " ,\n";
    size_t word_len = strlen(word);
    for (text += strspn(text, between); *text; text += strspn(text, between)) {
        size_t len = strcspn(text, between);
        if (len == word_len && memcmp(text, word, len) == 0)
            return true;
        text += len;
    }
    return false;
}

int cgroup_make_directory(int parent_fd, const char *name)
{
    bool made = mkdirat(parent_fd, name, 0755) == 0;
    if (!made && errno != EEXIST)
        return -errno;
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    int rc = fd < 0 ? -errno : fd;
    if (fd < 0 && made)
        (void)unlinkat(parent_fd, name, AT_REMOVEDIR);
    return rc;
}

char *cgroup_read_whole(int dir_fd, const char *file)
{
    for (size_t size = 16 << 10; size <= WHOLE_MAX; size *= 4) {
        auto_free char *text = malloc(size);
        if (!text)
            return NULL;
        ssize_t len = fd_read_text_at(dir_fd, file, text, size);
        if (len >= 0)
            return take_ptr(&text);
        errno = (int)-len;
        if (len != -E2BIG)
            return NULL;
    }
    return NULL;
}
