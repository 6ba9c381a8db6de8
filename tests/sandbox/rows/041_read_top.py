# SPDX-License-Identifier: MIT
# row: 41 read_top
# expect: succeeded
# stdout: ^listing / : EACCES$
# stdout: ^making /dev/shm/x: ok$
# needs: landlock
# quick: yes
# layer: landlock
"""The top folder may be read by everybody, but is not on Landlock's list: what the mounts
might show there by a mistake cannot be found."""
import errno
import os


def attempt(what, action, fine=False):
    try:
        action()
        print(f"{what}: {'ok' if fine else 'ESCAPED'}")
    except OSError as error:
        print(f"{what}: {errno.errorcode[error.errno]}")


attempt("listing / ", lambda: os.listdir("/"))
attempt("listing /work/.. ", lambda: os.listdir("/work/.."))
attempt("making /x", lambda: open("/x", "w").close())
attempt("making /dev/x", lambda: open("/dev/x", "w").close())
attempt("a device below /tmp", lambda: os.mknod("/tmp/null", 0o20666, os.makedev(1, 3)))
attempt("making /dev/shm/x", lambda: open("/dev/shm/x", "w").close(), fine=True)
