/* SPDX-License-Identifier: MIT */
/* storage.h — where runs, files and keys are kept, and whether there are keys. */
#ifndef RUNNEL_CLI_STORAGE_H
#define RUNNEL_CLI_STORAGE_H

#include <sys/types.h>

#include "base/err.h"
#include "config/config.h"

enum { STORAGE_PATH_SIZE = 4096 };

/* storage_dir as configured; else /var/lib/runnel for root, $XDG_STATE_HOME/runnel or
 * ~/.local/state/runnel for others. Nothing is made. */
int storage_find(const struct config *config, char ret_path[STORAGE_PATH_SIZE], struct err *err);

/* Whose the folder is, which a front that is the same user need not be given anew; 0: nobody's. */
uid_t storage_owner(const struct config *config);

/* 1: there is a key, in api_keys or in the folder, revoked ones too; 0: none, as in a folder that
 * is not there; -1: the folder cannot be read. */
int storage_has_keys(const struct config *config, struct err *err);

#endif
