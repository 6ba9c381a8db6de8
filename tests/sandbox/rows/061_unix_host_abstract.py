# SPDX-License-Identifier: MIT
# row: 61 unix_host, names that are in no folder
# expect: succeeded
# args: ["{ABSTRACT}"]
# stdout: ^tried: [0-9]+$
# layer: network
import errno
import socket
import sys

NAMES = ["/tmp/.X11-unix/X0", "/containerd-shim", "/org/kernel/linux/storage/multipathd"]
tried = 0
for name in NAMES + sys.argv[1:]:
    tried += 1
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        with socket.socket(socket.AF_UNIX, kind) as sock:
            try:
                sock.connect("\0" + name)
                print("ESCAPED", name)
            except OSError as error:
                refusal = errno.errorcode[error.errno]
                if refusal not in ("ECONNREFUSED", "EACCES", "EPERM"):
                    print("ESCAPED?", name, refusal)
with open("/proc/self/net/unix", encoding="utf-8") as file:
    if len(seen := file.readlines()) > 1:
        print("ESCAPED: sockets of others are listed:", seen[1:])
print("tried:", tried)
