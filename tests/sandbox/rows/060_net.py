# SPDX-License-Identifier: MIT
# row: 60 net
# expect: succeeded
# args: ["{PORT}"]
# stdout: ^tcp 1\.1\.1\.1:53: (ENETUNREACH|EACCES|EPERM)$
# stdout: ^tcp 169\.254\.169\.254:80: (ENETUNREACH|EACCES|EPERM)$
# stdout: ^tcp 127\.0\.0\.1:[0-9]+: ECONNREFUSED$
# stdout: ^udp 1\.1\.1\.1:53: (ENETUNREACH|EACCES|EPERM)$
# stdout: ^name example\.com: refused$
# stdout: ^interfaces: lo$
# stdout: ^own loopback: works$
# quick: yes
# layer: network
import errno
import socket
import sys


def attempt(what, action):
    try:
        action()
        print(what, "ESCAPED")
    except OSError as error:
        print(f"{what}: {errno.errorcode.get(error.errno, error)}")


def connect(address, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(2)
        sock.connect(address)


def send(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", address)


for host, port in (("1.1.1.1", 53), ("169.254.169.254", 80), ("10.0.0.1", 80), ("192.168.0.1", 80),
                   ("172.17.0.1", 80), ("224.0.0.1", 80), ("127.0.0.1", int(sys.argv[1])),
                   ("127.0.0.2", int(sys.argv[1])), ("0.0.0.0", int(sys.argv[1]))):
    attempt(f"tcp {host}:{port}", lambda: connect((host, port)))
for host in ("::1", "2606:4700:4700::1111", "fe80::1"):
    attempt(f"tcp6 {host}", lambda: connect((host, int(sys.argv[1])), socket.AF_INET6))
for host in ("1.1.1.1", "8.8.8.8", "169.254.169.254", "255.255.255.255"):
    attempt(f"udp {host}:53", lambda: send((host, 53)))
try:
    socket.getaddrinfo("example.com", 80)
    print("name example.com: ESCAPED")
except socket.gaierror:
    print("name example.com: refused")
with open("/proc/self/net/dev", encoding="ascii") as file:
    print("interfaces:", " ".join(line.split(":")[0].strip() for line in file if ":" in line))
with socket.create_server(("127.0.0.1", 0)) as server:
    with socket.create_connection(server.getsockname()) as client:
        client.sendall(b"hello")
        print("own loopback:", "works" if server.accept()[0].recv(5) == b"hello" else "broken")
