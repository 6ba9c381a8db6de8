/* SPDX-License-Identifier: MIT */
#include "cli/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "store/store.h"

static int print(char path[STORAGE_PATH_SIZE], const char *folder, const char *below,
                 struct err *err)
{
    int len = snprintf(path, STORAGE_PATH_SIZE, "%s%s", folder, below);
    return len >= 0 && len < STORAGE_PATH_SIZE
               ? 0
               : err_set(err, ERR_CONFIG, "storage_dir: the folder's name is too long");
}

int storage_find(const struct config *config, char ret_path[STORAGE_PATH_SIZE], struct err *err)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (config->storage_dir)
        return print(ret_path, config->storage_dir, "", err);
    if (geteuid() == 0)
        return print(ret_path, "/var/lib/runnel", "", err);
    if (state && state[0] == '/') /* others mean nothing, says its specification */
        return print(ret_path, state, "/runnel", err);
    if (home && home[0] == '/')
        return print(ret_path, home, "/.local/state/runnel", err);
    return err_set(err, ERR_CONFIG,
                   "there is no home to keep runs, files and keys in; name a folder with "
                   "--storage-dir");
}

uid_t storage_owner(const struct config *config)
{
    char path[STORAGE_PATH_SIZE];
    struct stat status;
    return storage_find(config, path, NULL) < 0 || stat(path, &status) < 0 ? 0 : status.st_uid;
}

/* Revoked ones count, as they do for the service (account.c). */
static void note_keys(void *context, const struct store_key *keys, size_t count,
                      const struct err *err)
{
    int *has_keys = context;
    (void)keys;
    *has_keys = !err && count > 0;
}

/* What the answer is carried in, from a process that has no other end. */
struct answer {
    int has_keys; /* -1: err says why */
    struct err err;
};

static int look(const char *path, struct err *err)
{
    int has_keys = 0;
    struct store *store = NULL;
    if (store_open_beside(path, &store, err) < 0)
        return -1;
    int rc = store_key_list_now(store, note_keys, &has_keys, err);
    store_free(store);
    return rc < 0 ? -1 : has_keys;
}

/* In a child, which is nobody's root when it reads: what is in the folder was made by a user
 * without privilege, and this process keeps its own. */
static int look_as_owner(const char *path, struct err *err)
{
    struct answer answer = {.has_keys = -1};
    auto_close int from = -1;
    auto_close int to = -1;
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return err_sys(err, errno, "look for keys");
    from = pipes[0];
    to = pipes[1];
    pid_t child = fork();
    if (child < 0)
        return err_sys(err, errno, "look for keys");
    if (child == 0) {
        answer.has_keys = look(path, &answer.err);
        _exit(write(to, &answer, sizeof answer) != sizeof answer);
    }
    fd_close(&to);
    ssize_t len = fd_read_full(from, &answer, sizeof answer);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    if (len != sizeof answer)
        return err_set(err, ERR_INTERNAL, "nothing came of looking for keys");
    if (answer.has_keys < 0 && err)
        *err = answer.err;
    return answer.has_keys;
}

int storage_has_keys(const struct config *config, struct err *err)
{
    char path[STORAGE_PATH_SIZE];
    if (config->api_keys)
        return 1;
    if (storage_find(config, path, err) < 0)
        return -1;
    if (access(path, F_OK) < 0 && errno == ENOENT) /* looking must make no folder */
        return 0;
    return look_as_owner(path, err);
}
