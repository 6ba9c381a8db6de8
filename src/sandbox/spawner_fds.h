/* SPDX-License-Identifier: MIT */
/* spawner_fds.h — where the spawner finds what it was started with. */
#ifndef RUNNEL_SANDBOX_SPAWNER_FDS_H
#define RUNNEL_SANDBOX_SPAWNER_FDS_H

enum {
    SPAWNER_FD_FIRST = 3,
    SPAWNER_FD_SETTINGS = SPAWNER_FD_FIRST, /* a settings_message */
    SPAWNER_FD_BINARY,                      /* runnel's own file, to start fronts from */
    SPAWNER_FD_SOCKET,                      /* to the front that is our parent, if there is one */
    SPAWNER_FD_END,
    SPAWNER_FDS = SPAWNER_FD_END - SPAWNER_FD_FIRST,
};

#endif
