# SPDX-License-Identifier: MIT
"""A RabbitMQ and a Redis of the test's own: on free ports, with data in folders that go with
them, ended by their pids.

    with RabbitMQ() as rabbit, Redis() as redis:
        … rabbit.url, redis.url …
        rabbit.kill(); rabbit.start()        the same port, the same data
        rabbit.freeze(); rabbit.thaw()

python3 tests/system/broker.py    starts both, says where, and waits for SIGINT or SIGTERM

They listen on loopback, or on an address of the network namespace that they are made in.

What is started dies with the thread that started it, however that ends (PR_SET_PDEATHSIG):
make them in a thread that lives as long as they shall.
"""

import ctypes
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
from service import wait_until

RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"  # the one in PATH becomes another user
START_S = 90.0  # of a broker on a machine that does something else beside
END_S = 30.0
PR_SET_PDEATHSIG = 1
PASSWORD = "guest"
LOOPBACK = "127.0.0.1"

_libc = ctypes.CDLL(None, use_errno=True)
_own_pid = os.getpid()


def is_installed():
    """Can these tests be run here?"""
    return all(shutil.which(name) for name in (RABBITMQ, "redis-server", "erl", "epmd"))


def free_port():
    """One that the kernel gives to no connection while the server is down: whoever tries
    to connect to that port again and again could else meet himself."""
    while True:
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", random.randrange(20000, 32768)))
                return taken.getsockname()[1]
            except OSError:
                continue


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != _own_pid:
        os._exit(1)  # it died before we asked


def _answers(address, port, question, wanted):
    """Does what listens there answer like the server that is meant?"""
    try:
        with socket.create_connection((address, port), 1) as connection:
            connection.settimeout(2)
            connection.sendall(question)
            return wanted in connection.recv(4096)
    except OSError:
        return False


class Server:
    """A process and its folder. A subclass says what the process is and when it is ready."""

    def __init__(self, address):
        self.address = address
        self.port = free_port()
        self.process = None
        self._folder = tempfile.TemporaryDirectory(prefix="runnel-broker-",
                                                   ignore_cleanup_errors=True)
        self.folder = pathlib.Path(self._folder.name)
        self._log = (self.folder / "output").open("wb")
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _command(self):
        raise NotImplementedError

    def _environment(self):
        return {}

    def is_ready(self):
        raise NotImplementedError

    def start(self, wait=True):
        """Again after stop() or kill(): where it was, with what it had."""
        self.process = self._spawn(self._command())
        if wait:
            self.wait_ready()

    def _spawn(self, command):
        # A group of its own: an interrupt at the terminal is the test's to handle.
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log,
                                stderr=self._log, cwd=self.folder, process_group=0,
                                preexec_fn=_die_with_parent,
                                env={**os.environ, **self._environment()})

    def wait_ready(self):
        def ready_or_over():
            return self.process.poll() is not None or self.is_ready()
        wait_until(f"{type(self).__name__} is ready", ready_or_over, START_S)
        if self.process.poll() is not None:
            raise AssertionError(f"{type(self).__name__} ended: {self.log()[-2000:]}")

    def stop(self):
        """As an operator does it: what it has, it keeps."""
        self._end(signal.SIGTERM)

    def kill(self):
        """As a machine does it that loses power."""
        self._end(signal.SIGKILL)

    def _end(self, number):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def freeze(self):
        """It answers nobody any more, and its connections stand."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def log(self):
        return (self.folder / "output").read_text(errors="replace")

    def close(self):
        self._end(signal.SIGKILL)
        self._log.close()
        self._folder.cleanup()


class RabbitMQ(Server):
    """With its own epmd, by which Erlang's nodes find each other. `settings` are lines of
    rabbitmq.conf; `advanced` is what advanced.config says beside it."""

    def __init__(self, *settings, address=LOOPBACK, advanced="[]."):
        # Its guest is one of loopback alone, unless it is told otherwise.
        self._settings = settings if address == LOOPBACK else (*settings, "loopback_users = none")
        self._advanced = advanced
        self._epmd = None
        self._epmd_port = free_port()
        self._node_port = free_port()
        super().__init__(address)

    @property
    def url(self):
        return f"amqp://guest:{PASSWORD}@{self.address}:{self.port}/"

    def _command(self):
        return [RABBITMQ]

    def _environment(self):
        return {
            "HOME": str(self.folder),  # the cookie by which a node knows its like
            "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"runnel-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": self.address,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._node_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            # The script becomes the broker, so that the pid is the broker's.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "+S 1:1 +SDcpu 1:1 +SDio 2 +A 4 -start_epmd false -kernel inet_dist_use_interface "
                "{127,0,0,1} -rabbit disk_free_limit 1000000 -rabbit collect_statistics none",
        }

    def start(self, wait=True):
        (self.folder / "rabbitmq.conf").write_text("\n".join(self._settings) + "\n")
        (self.folder / "advanced.config").write_text(self._advanced + "\n")
        (self.folder / "enabled_plugins").write_text("[].\n")
        if self._epmd is None:
            self._epmd = self._spawn(["epmd"])
            wait_until("epmd listens", lambda: _answers(LOOPBACK, self._epmd_port, b"\0\1n", b"\0"), START_S)
        super().start(wait)

    def control(self, *words):
        """What rabbitmqctl says; seconds go by."""
        return subprocess.run([pathlib.Path(RABBITMQ).with_name("rabbitmqctl"), "--quiet", *words],
                              env={**os.environ, **self._environment()}, cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=True, timeout=START_S).stdout

    def forget(self):
        """While it is stopped: all that it had."""
        shutil.rmtree(self.folder / "data")

    def is_ready(self):
        return _answers(self.address, self.port, b"AMQP\0\0\x09\x01", b"RabbitMQ")

    def close(self):
        super().close()
        if self._epmd:
            self._epmd.kill()
            self._epmd.wait()


class Redis(Server):
    """Without files: what it had is gone when it ends. `flags` are of redis-server."""

    def __init__(self, *flags, address=LOOPBACK):
        self._flags = flags if address == LOOPBACK else ("--protected-mode", "no", *flags)
        super().__init__(address)

    @property
    def url(self):
        return f"redis://{self.address}:{self.port}/0"

    def _command(self):
        return ["redis-server", "--port", str(self.port), "--bind", self.address, "--dir",
                str(self.folder), "--save", "", "--appendonly", "no", *self._flags]

    def is_ready(self):
        return _answers(self.address, self.port, b"PING\r\n", b"+PONG")


def main():
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    began = time.monotonic()
    with RabbitMQ() as rabbit:
        print(f"{rabbit.url}    pid {rabbit.process.pid}, {time.monotonic() - began:.1f} s")
        began = time.monotonic()
        with Redis() as redis:
            print(f"{redis.url}    pid {redis.process.pid}, {time.monotonic() - began:.1f} s",
                  flush=True)
            signal.pause()


if __name__ == "__main__":
    main()
