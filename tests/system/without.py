# SPDX-License-Identifier: MIT
"""without.py CALL[@N][=FLAGS] ERRNO COMMAND…: runs a command on a host that lacks something.

A filter answers ERRNO to the call (when its first argument, or that with number N, has one
of FLAGS), to the command and to all that it starts. Needs root: nobody gives up privileges for it."""

import ctypes
import errno
import os
import struct
import sys

CALLS = {"x86_64": {"landlock_create_ruleset": 444, "seccomp": 317, "unshare": 272,
                    "ftruncate": 77, "mount": 165},
         "aarch64": {"landlock_create_ruleset": 444, "seccomp": 277, "unshare": 97,
                     "ftruncate": 46, "mount": 40}}
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
LOAD, JUMP_IF_EQUAL, JUMP_IF_SET, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
NUMBER_AT, FIRST_ARGUMENT_AT, ARGUMENT_SIZE = 0, 16, 8


def program(number, argument, flags, answer):
    return [
        (LOAD, 0, 0, NUMBER_AT),
        (JUMP_IF_EQUAL, 0, 3, number),
        (LOAD, 0, 0, FIRST_ARGUMENT_AT + argument * ARGUMENT_SIZE),
        (JUMP_IF_SET, 0, 1, flags) if flags else (JUMP_IF_EQUAL, 0, 0, 0),
        (RETURN, 0, 0, REFUSE | answer),
        (RETURN, 0, 0, ALLOW),
    ]


def install(instructions):
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
    space = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(instructions), ctypes.addressof(space))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) != 0:
        sys.exit(f"without: {os.strerror(ctypes.get_errno())}")


def main():
    what, _, flags = sys.argv[1].partition("=")
    call, _, argument = what.partition("@")
    answer = getattr(errno, sys.argv[2])
    install(program(CALLS[os.uname().machine][call], int(argument or "0"), int(flags or "0", 0),
                    answer))
    os.execvp(sys.argv[3], sys.argv[3:])


main()
