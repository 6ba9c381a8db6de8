/* SPDX-License-Identifier: MIT */
#include "cli/storage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

int storage_has_keys(const struct config *config, struct err *err)
{
    char path[STORAGE_PATH_SIZE];
    int has_keys = 0;
    struct store *store = NULL;
    if (config->api_keys)
        return 1;
    if (storage_find(config, path, err) < 0)
        return -1;
    if (access(path, F_OK) < 0 && errno == ENOENT) /* looking must make no folder */
        return 0;
    if (store_open_beside(path, &store, err) < 0)
        return -1;
    int rc = store_key_list_now(store, note_keys, &has_keys, err);
    store_free(store);
    return rc < 0 ? -1 : has_keys;
}
