#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes an initramfs (a cpio archive of the "newc" kind) from pairs NAME=FILE.

    make_initramfs.py OUT init=/tmp/init command=/tmp/command modules/fuse.ko=...
"""
import os
import sys


def entry(number, name, mode, content=b""):
    name = name.encode() + b"\0"
    fields = [number, mode, 0, 0, 1, 0, len(content), 0, 0, 5, 1, len(name), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)


def main():
    out, pairs = sys.argv[1], [pair.split("=", 1) for pair in sys.argv[2:]]
    parents = {os.path.dirname(name) for name, _ in pairs} - {""}
    # The kernel opens /dev/console for init before anything is mounted; 5, 1 is that.
    archive = entry(1, "dev", 0o040755) + entry(2, "dev/console", 0o020600)
    for name in sorted(parents):
        archive += entry(len(archive), name, 0o040755)
    for name, path in pairs:
        with open(path, "rb") as file:
            archive += entry(len(archive), name, 0o100755, file.read())
    with open(out, "wb") as file:
        file.write(archive + entry(0, "TRAILER!!!", 0))


main()
