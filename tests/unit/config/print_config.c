/* SPDX-License-Identifier: MIT */
/* print_config.c — prints docs/CONFIG.md, for a build that has no `runnel` yet. */
#include "config/config.h"

int main(void)
{
    config_print_markdown(stdout);
    return 0;
}
