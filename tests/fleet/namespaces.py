# SPDX-License-Identifier: MIT
"""Machines of a test's own: network namespaces, each with an address and a cable to one bridge.

    with Network() as network:            this thread is in the namespace of the bridge now
        one = network.machine("one")
        subprocess.run([*one.under(), "ip", "address"])
        with one: socket.create_connection(("127.0.0.1", 8080))
        one.cut(); one.mend()

The bridge stands in a namespace of its own, too, so nothing of it is seen by the host, and all of
it goes with the last process."""

import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
NETWORK = "10.77.0"  # of these namespaces alone

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _open_own():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _ip(*words, under=()):
    subprocess.run([*under, "ip", *words], check=True, capture_output=True, timeout=20)


class Machine:
    """One more namespace."""

    def __init__(self, network, name, number):
        self.network = network
        self.address = f"{NETWORK}.{number}"
        self.cable = f"v{number}"
        _check(_libc.unshare(CLONE_NEWNET))
        self.namespace = _open_own()
        network.enter()
        # The other end goes to the namespace of our first thread, which is the bridge's.
        _ip("link", "add", "eth0", "type", "veth", "peer", "name", self.cable,
            "netns", str(os.getpid()), under=self.under())
        for words in (("link", "set", "lo", "up"), ("link", "set", "eth0", "up"),
                      ("address", "add", f"{self.address}/24", "dev", "eth0")):
            _ip(*words, under=self.under())
        _ip("link", "set", self.cable, "master", "bridge", "up")

    def under(self):
        return ("nsenter", f"--net=/proc/{os.getpid()}/fd/{self.namespace}", "--")

    def __enter__(self):
        _check(_libc.setns(self.namespace, CLONE_NEWNET))

    def __exit__(self, *_):
        self.network.enter()

    def cut(self):
        """Nobody is told: what is sent from now on is lost."""
        _ip("link", "set", self.cable, "down")

    def mend(self):
        _ip("link", "set", self.cable, "up")


class Network:
    def __init__(self):
        self.address = f"{NETWORK}.1"
        self.machines = {}
        self.outside = _open_own()
        _check(_libc.unshare(CLONE_NEWNET))
        self.namespace = _open_own()
        _ip("link", "set", "lo", "up")
        _ip("link", "add", "bridge", "type", "bridge")
        _ip("address", "add", f"{self.address}/24", "dev", "bridge")
        _ip("link", "set", "bridge", "up")

    def machine(self, name):
        if name not in self.machines:
            self.machines[name] = Machine(self, name, 2 + len(self.machines))
        return self.machines[name]

    def enter(self):
        _check(_libc.setns(self.namespace, CLONE_NEWNET))

    def close(self):
        _check(_libc.setns(self.outside, CLONE_NEWNET))
        for namespace in (self.outside, self.namespace,
                          *(machine.namespace for machine in self.machines.values())):
            os.close(namespace)
