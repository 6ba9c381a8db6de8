# SPDX-License-Identifier: MIT
"""A `runnel serve` of the test's own: started on a free port, ended by its pid.

RUNNEL names the program (default: build/runnel)."""

import http.client
import json
import os
import pathlib
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
import openapi

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUNNEL = os.environ.get("RUNNEL", str(ROOT / "build" / "runnel"))
BOX_UIDS = range(0x70000000, 0x70000000 + 256 * 1024)
# A promise of two seconds is tested against ten times that: machines are noisy.
BOUND_S = 20.0


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def wait_until(what, condition, seconds=BOUND_S):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds} s")


def read_until(terminal, wanted):
    """What a terminal shows, until it has shown that."""
    seen = b""
    while wanted not in seen:
        try:
            seen += os.read(terminal, 1000)
        except OSError as error:
            raise AssertionError(f"{wanted} is not in {seen}") from error
    return seen


def _stat(pid):
    """(parent, state, start time), or None when it has gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2:].split()
    return int(fields[1]), fields[0], fields[19]


def processes():
    """{pid: parent} of everything that is not a zombie."""
    stats = {int(name): _stat(name) for name in os.listdir("/proc") if name.isdigit()}
    return {pid: stat[0] for pid, stat in stats.items() if stat and stat[1] != "Z"}


def descendants(pid):
    parents = processes()
    found = []
    below = [pid]
    while below:
        children = [child for child, parent in parents.items() if parent in below]
        found += children
        below = children
    return found


def is_alive(pid):
    stat = _stat(pid)
    return stat is not None and stat[1] != "Z"


def find_front(spawner, verb):
    """The process below whose command line is ours: it serves, or it works. None: there is none."""
    for pid in descendants(spawner):
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if verb.encode() in words:
            return pid
    return None


def groups(spawner):
    """The cgroup directories that this spawner made, dead or alive."""
    return {folder for folder, _, _ in os.walk("/sys/fs/cgroup")
            if os.path.basename(folder).startswith("runnel-") and f"-{spawner}-" in folder}


class Service:
    """with Service("--flag") as service: service.run("python", "print(1)")"""

    def __init__(self, *flags, env=None, user=None, under=(), wait=True, binary=RUNNEL):
        self.port = free_port()
        self._log = tempfile.TemporaryFile()
        self._storage = tempfile.TemporaryDirectory(prefix="runnel-test-", ignore_cleanup_errors=True)
        if user:
            os.chown(self._storage.name, pwd.getpwnam(user).pw_uid, -1)
        command = [*under, binary, "serve", f"--listen=127.0.0.1:{self.port}", *flags]
        if user:
            command = ["setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups", *command]
        self._command = command
        self._environment = {**os.environ, "RUNNEL_STORAGE_DIR": self._storage.name, **(env or {})}
        self.start()
        if wait:
            self.wait_ready()

    def start(self):
        """Again, once it has ended: with what it kept."""
        self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=self._log,
                                        stderr=self._log, cwd="/", env=self._environment)

    def restart(self):
        self.start()
        self.wait_ready()

    @classmethod
    def at(cls, port, pid):
        """One that somebody else started and ends."""
        service = cls.__new__(cls)
        service.port = port
        service._storage = None
        service.process = type("Process", (), {"pid": pid, "poll": lambda self: None})()
        return service

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(BOUND_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()
        if self._storage:
            self._storage.cleanup()

    def storage(self):
        """The folder of what it keeps."""
        return self._storage.name

    def log(self):
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def request_raw(self, method, path, body=None, headers=None, timeout=60, source=None):
        """(status, headers, bytes); an answer of /v1 must be as it is described. From the address
        `source`: who has no key is known by it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout,
                                                source_address=source and (source, 0))
        try:
            data = None if body is None else json.dumps(body)
            headers = {"content-type": "application/json", **(headers or {})}
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            found = answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()
        openapi.check_answer(self.port, method, path, *found)
        return found

    def request(self, method, path, body=None, timeout=60):
        """(status, parsed JSON)"""
        status, _, answer = self.request_raw(method, path, body, timeout=timeout)
        return status, json.loads(answer)

    def run(self, language, code, timeout=60, **more):
        return self.request("POST", "/execute", {"language": language, "code": code, **more},
                            timeout)[1]

    def answers(self):
        try:
            return self.request("GET", "/health", timeout=5)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def runs(self):
        """Does a whole run succeed?"""
        try:
            return self.run("bash", "echo up", timeout=10).get("output") == "up\n"
        except (OSError, http.client.HTTPException, ValueError):
            return False

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}: {self.log()}")
            return self.answers()
        wait_until("the service answers", ready)

    def spawner(self):
        return self.process.pid

    def front(self):
        """The child that serves."""
        return find_front(self.process.pid, "serve")
