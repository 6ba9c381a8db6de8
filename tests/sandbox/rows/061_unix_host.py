# SPDX-License-Identifier: MIT
# row: 61 unix_host
# expect: succeeded
# args: ["{SOCKET}"]
# stdout: ^tried: [0-9]+$
# layer: root
import errno
import socket
import sys

ADDRESSES = [
    "/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock",
    "/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket", "/run/systemd/private",
    "/run/systemd/journal/socket", "/run/snapd.socket", "/run/user/0/bus", "/tmp/.X11-unix/X0",
    "/dev/log",
]
tried = 0
for address in ADDRESSES + sys.argv[1:]:
    tried += 1
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        with socket.socket(socket.AF_UNIX, kind) as sock:
            try:
                sock.connect(address)
                print("ESCAPED", address)
            except OSError as error:
                name = errno.errorcode[error.errno]
                if name not in ("ENOENT", "ECONNREFUSED", "EACCES", "EPERM"):
                    print("ESCAPED?", address, name)
print("tried:", tried)
