/* SPDX-License-Identifier: MIT
 * row: 77 tty_inject
 * expect: succeeded
 * stdout: ^open /dev/tty: ok$
 * stdout: ^type: EPERM$
 * stdout: ^type, high bits set: EPERM$
 * stdout: ^typed: nothing$
 * stdout: ^steal: EPERM$
 * stdout: ^line discipline: EPERM$
 * stdout: ^console: EPERM$
 * stdout: ^selection: EPERM$
 * terminal: yes
 * layer: seccomp
 *
 * What it types into its terminal could be read by whoever has that after it.
 */
#include "saw.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>

/* No line of ours ends in two characters, and what was typed is there at once. */
static int make_plain(void)
{
    struct termios modes;
    if (tcgetattr(STDIN_FILENO, &modes) < 0)
        return -1;
    modes.c_oflag &= ~(tcflag_t)OPOST;
    modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    return tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

static int typed(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char keys[8];
    return poll(&input, 1, 200) > 0 && read(STDIN_FILENO, keys, sizeof keys) > 0 &&
           (keys[0] == 'x' || keys[0] == 'y');
}

int main(void)
{
    int discipline = 0;
    if (make_plain() < 0)
        return 1;
    saw("open /dev/tty", open("/dev/tty", O_RDWR));
    saw_refused("type", ioctl(STDIN_FILENO, TIOCSTI, "x"));
    saw_refused("type, high bits set", syscall(SYS_ioctl, STDIN_FILENO, (1L << 32) | TIOCSTI, "y"));
    printf("typed: %s\n", typed() ? "ESCAPED" : "nothing");
    saw_refused("steal", ioctl(STDIN_FILENO, TIOCSCTTY, 1));
    saw_refused("line discipline", ioctl(STDIN_FILENO, TIOCSETD, &discipline));
    saw_refused("console", ioctl(STDIN_FILENO, TIOCCONS, NULL));
    saw_refused("selection", ioctl(STDIN_FILENO, TIOCLINUX, "\3"));
    return 0;
}
