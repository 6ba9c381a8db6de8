/* SPDX-License-Identifier: MIT */
/* A configuration file, and each of its lines as a variable of the environment and as an
 * option: taken, or refused in one line that does not show a secret. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "config/config.h"
#include "lines.h"
#include "os/fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const struct config *config, int rc, const struct err *err)
{
    assert(rc == 0 || (err->text[0] && !strchr(err->text, '\n')));
    assert(rc < 0 || config->max_connections > 0);
    for (int i = 0; rc == 0 && i < LIMIT_KINDS; i++)
        assert(config->ceiling.value[i] <= limit_info((enum limit)i)->largest);
}

static void load_file(const uint8_t *bytes, size_t size)
{
    char path[64];
    struct config config;
    struct err err = {0};
    auto_close int fd = fd_from_bytes("config", bytes, size);
    assert(fd >= 0);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    (void)config_init(&config, NULL);
    check(&config, config_load_file(&config, path, &err), &err);
    config_fini(&config);
}

static void load_line(char *line)
{
    char *const environment[] = {line, NULL};
    struct config config;
    struct err err = {0};
    bool wants_value = false;
    (void)config_init(&config, NULL);
    check(&config, config_load_environment(&config, environment, &err), &err);
    char *value = strchr(line, '=');
    if (value)
        *value++ = '\0';
    if (config_is_option(line, &wants_value))
        check(&config, config_set(&config, line, value ? value : "", "--option", &err), &err);
    config_fini(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    load_file(bytes, size);
    fuzz_each_line(bytes, size, load_line);
    return 0;
}
