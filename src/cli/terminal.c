/* SPDX-License-Identifier: MIT */
#include "cli/terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios original;
static bool is_raw;

bool terminal_is_there(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

void terminal_size(unsigned *ret_columns, unsigned *ret_rows)
{
    struct winsize size = {0};
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    *ret_columns = size.ws_col;
    *ret_rows = size.ws_row;
}

/* Also from atexit: whatever ends us leaves the terminal as it was. */
void terminal_restore(void)
{
    if (!is_raw)
        return;
    is_raw = false;
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &original);
}

int terminal_make_raw(struct err *err)
{
    static bool restores_at_exit;
    if (tcgetattr(STDIN_FILENO, &original) < 0)
        return err_sys(err, errno, "ask for the terminal's mode");
    if (!restores_at_exit && atexit(terminal_restore) == 0)
        restores_at_exit = true;
    struct termios raw = original;
    cfmakeraw(&raw);
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
        return err_sys(err, errno, "change the terminal's mode");
    is_raw = true;
    return 0;
}
