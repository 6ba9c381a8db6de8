# SPDX-License-Identifier: MIT
# row: 61 unix_host
# expect: succeeded
# args: ["{SOCKET}", "@{ABSTRACT}"]
# stdout: ^tried: [0-9]+$
# layer: network, root
import errno
import socket
import sys

ADDRESSES = [
    "/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock",
    "/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket", "/run/systemd/private",
    "/run/systemd/journal/socket", "/run/snapd.socket", "/run/user/0/bus", "/tmp/.X11-unix/X0",
    "/dev/log", "@/tmp/.X11-unix/X0", "@/containerd-shim", "@/org/kernel/linux/storage/multipathd",
]
tried = 0
for address in ADDRESSES + sys.argv[1:]:
    tried += 1
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        with socket.socket(socket.AF_UNIX, kind) as sock:
            try:
                sock.connect("\0" + address[1:] if address[0] == "@" else address)
                print("ESCAPED", address)
            except OSError as error:
                name = errno.errorcode[error.errno]
                if name not in ("ENOENT", "ECONNREFUSED", "EACCES", "EPERM"):
                    print("ESCAPED?", address, name)
with open("/proc/self/net/unix", encoding="utf-8") as file:
    if len(seen := file.readlines()) > 1:
        print("ESCAPED: sockets of others are listed:", seen[1:])
print("tried:", tried)
