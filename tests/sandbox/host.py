# SPDX-License-Identifier: MIT
"""The host that the programs must not see: canaries, listeners, and a view of the
file system in which anything left behind shows."""

import atexit
import ctypes
import os
import pathlib
import secrets
import socket
import subprocess
import sys
import threading
import time

PRIVATE = ("/tmp", "/var/tmp", "/dev/shm")
CORE_PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern")

_CLONE_NEWNS = 0x20000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 0x1000, 0x4000, 1 << 18
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result, what):
    if result < 0:
        raise OSError(ctypes.get_errno(), what)


def adopt_orphans():
    """A process whose parents die becomes our child instead of the machine's: whatever
    a run leaves alive is then found by looking at our children."""
    _checked(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "become a subreaper")


def leave_shared_folders(needed):
    """Own, empty /tmp, /var/tmp and /dev/shm (needs root): what others do there is no
    leftover of ours. The needed folders that lie below one of them are put back. Without
    root the real ones are watched."""
    if os.geteuid() != 0:
        return
    _checked(_libc.unshare(_CLONE_NEWNS), "unshare mounts")
    _checked(_libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "make mounts private")
    # Opened in the new namespace: mounts of another one cannot be put anywhere.
    kept = {str(pathlib.Path(path).resolve()): os.open(path, os.O_PATH) for path in needed}
    for folder in PRIVATE:
        _checked(_libc.mount(b"tmpfs", folder.encode(), b"tmpfs", _MS_NOSUID | _MS_NODEV,
                             b"mode=1777"), f"mount {folder}")
    for path, fd in kept.items():
        if not os.path.exists(path):
            os.makedirs(path)
            _checked(_libc.mount(f"/proc/self/fd/{fd}".encode(), path.encode(), None, _MS_BIND,
                                 None), f"mount {path}")
        os.close(fd)


class CoreHandler:
    """A handler of the kernel's for what crashes, which no program of a box may call. There is one
    in the virtual machine alone: elsewhere it would be everybody's."""

    def __init__(self):
        self._called = None
        if os.environ.get("IN_RUNNEL_VM") != "1":
            return
        self._called = pathlib.Path("/run/runnel-core-handler-was-called")
        CORE_PATTERN.write_text(f"|/usr/bin/touch {self._called}", encoding="ascii")
        subprocess.run([sys.executable, "-c", "import os; os.abort()"], check=False)
        end = time.monotonic() + 60
        while not self._called.exists():
            if time.monotonic() > end:
                raise AssertionError("a crash outside of a box does not call the handler")
            time.sleep(0.1)
        self._called.unlink()

    def complaints(self):
        if self._called is None or not self._called.exists():
            return []
        self._called.unlink()
        return ["a crash reached the host's handler of core dumps"]


class Canaries:
    """Files, a variable and sockets of the host. Their secret may show nowhere."""

    FOLDERS = ("/root", "/home", "/srv", "/tmp", "/var/tmp", "/dev/shm")

    def __init__(self):
        self.secret = "CANARY-" + secrets.token_hex(16)
        self.files = []
        self.connections = 0
        self.core_handler = CoreHandler()
        for folder in self.FOLDERS:
            self._plant(pathlib.Path(folder) / f".runnel-canary-{secrets.token_hex(4)}")
        atexit.register(self._remove)
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self.tcp.getsockname()[1]
        self.abstract_name = "runnel-canary-" + secrets.token_hex(4)
        self.abstract = self._listen_unix("\0" + self.abstract_name)
        self.socket_path = f"/tmp/.runnel-canary-{secrets.token_hex(4)}.sock"
        self.unix = self._listen_unix(self.socket_path)
        os.chmod(self.socket_path, 0o777)
        for listener in (self.tcp, self.abstract, self.unix):
            threading.Thread(target=self._count, args=(listener,), daemon=True).start()

    def _plant(self, path):
        try:
            path.write_text(self.secret + "\n", encoding="utf-8")
        except OSError:
            return
        path.chmod(0o644)
        self.files.append(path)

    def _remove(self):
        for path in self.files:
            path.unlink(missing_ok=True)

    @staticmethod
    def _listen_unix(address):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        listener.listen()
        return listener

    def _count(self, listener):
        while True:
            listener.accept()[0].close()
            self.connections += 1

    def environment(self):
        return {"CORPUS_TEST_CANARY": self.secret}

    def replacements(self):
        """@NAME@ in sources, {name} in arguments."""
        hidden = next((str(path) for path in self.files if path.parent.name == "root"),
                      str(self.files[0]))
        return {"CANARY": hidden, "CANARY_TMP": next(str(path) for path in self.files
                                                     if path.parent == pathlib.Path("/tmp")),
                "PORT": str(self.port), "ABSTRACT": self.abstract_name,
                "SOCKET": self.socket_path}

    def complaints(self):
        damaged = [f"canary {path} is damaged" for path in self.files
                   if not path.exists() or path.read_text(encoding="utf-8").strip() != self.secret]
        if self.connections:
            damaged.append(f"{self.connections} connections reached the host's listeners")
            self.connections = 0
        return damaged + self.core_handler.complaints()
