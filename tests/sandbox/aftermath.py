# SPDX-License-Identifier: MIT
"""What a run must not leave: processes, cgroups, mounts, files, System V objects."""

import os
import pathlib
import re
import signal
import time

from host import PRIVATE

BOX_UIDS = range(0x70000000, 0x70000000 + 256 * 1024)
# Teardown may lag the answer by some milliseconds; what is left then is left for good.
GRACE_S = 3.0

_OWNED_GROUP = re.compile(r"runnel-\d+-(\d+)-")


def _status(pid):
    """(parent, state, uid), or None when it has gone."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        uid = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None
    fields = stat[stat.rindex(")") + 2:].split()
    return int(fields[1]), fields[0], uid


def _processes():
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return {pid: status for pid in pids if (status := _status(pid))}


def _lines(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _cgroup_mounts():
    """{controllers or 'v2': (path of the mount, what of the hierarchy it shows)}"""
    found = {}
    for line in _lines("/proc/self/mountinfo"):
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        fields = left.split()
        if kind == "cgroup2":
            found["v2"] = fields[4], fields[3]
        elif kind == "cgroup":
            found[options] = fields[4], fields[3]
    return found


def cgroup_mounts():
    """{controllers or 'v2': path of the mount}"""
    return {controllers: path for controllers, (path, _) in _cgroup_mounts().items()}


def _own_cgroups():
    """The directories of our own cgroups: what we start makes its own below them, or beside."""
    found = set()
    paths = {line.split(":", 2)[1] or "v2": line.split(":", 2)[2]
             for line in _lines("/proc/self/cgroup")}
    for options, (mount, root) in _cgroup_mounts().items():
        for controllers, path in paths.items():
            if set(controllers.split(",")) & set(options.split(",")) or controllers == options:
                below = path.removeprefix(root.rstrip("/")).strip("/")
                if options == "v2":  # a group with processes has none of boxes below it
                    below = os.path.dirname(below)
                found.add(os.path.join(mount, below))
    return found


def _groups():
    """Directories of ours whose owner is dead."""
    found = set()
    for own in _own_cgroups():
        for folder, names, _ in os.walk(own):
            for name in names:
                owner = _OWNED_GROUP.match(name)
                if owner and not os.path.exists(f"/proc/{owner[1]}"):
                    found.add(os.path.join(folder, name))
    return found


def _files():
    return {os.path.join(folder, name) for folder in PRIVATE for name in os.listdir(folder)}


def _sysv():
    return {f"{kind} {line.split()[0]} {line.split()[1]}" for kind in ("shm", "sem", "msg")
            for line in _lines(f"/proc/sysvipc/{kind}")}


class Aftermath:
    """Remembers how the host looked, and says what is there that was not."""

    def __init__(self, live_pids):
        self._live_pids = live_pids
        self._before = self._lasting()
        self._boxes_before = {pid for pid, status in _processes().items()
                              if status[2] in BOX_UIDS}

    @staticmethod
    def _lasting():
        return {"mount": set(_lines("/proc/self/mounts")), "file": _files(), "cgroup": _groups(),
                "ipc": _sysv()}

    def _orphans(self):
        """Children of ours that we did not start: adopted ones. Dead ones are reaped."""
        live = self._live_pids()
        orphans = set()
        for pid, (parent, state, _) in _processes().items():
            if parent == os.getpid() and pid not in live:
                if state == "Z":
                    _reap(pid)
                else:
                    orphans.add(pid)
        return orphans

    def _look(self):
        now = self._lasting()
        left = {f"{kind} {item}" for kind, items in now.items()
                for item in items - self._before[kind]}
        return left | {f"process {pid} {_command(pid)}" for pid in self._orphans()}

    def complaints(self):
        """What is left and stays left for the length of the grace."""
        deadline = time.monotonic() + GRACE_S
        left = self._look()
        while left and time.monotonic() < deadline:
            time.sleep(0.05)
            left &= self._look()
        self._accept(left)
        return sorted(f"left behind: {item}" for item in left)

    def _accept(self, left):
        """What was told once is not told again of later rows; a process is ended."""
        for item in left:
            kind, _, rest = item.partition(" ")
            if kind == "process":
                _end(int(rest.split()[0]))
            else:
                self._before[kind].add(rest)

    def accept_files(self):
        """Those that are there now belong to who lives on."""
        self._before["file"] |= _files()

    def final_complaints(self):
        """When nothing of ours runs any more: nobody may hold an id of a box, but those of
        another Runnel on this host, whose spawner lives. (What the machine's init has yet to reap was
        not ours: we adopt ours.)"""
        found = self.complaints()
        deadline = time.monotonic() + GRACE_S
        left = self._boxes()
        while left and time.monotonic() < deadline:
            time.sleep(0.05)
            left &= self._boxes()
        return found + [f"left behind: process {pid} {_command(pid)} with the id of a box"
                        for pid in sorted(left)]

    def _boxes(self):
        processes = _processes()
        return {pid for pid, status in processes.items()
                if status[2] in BOX_UIDS and status[:2] != (1, "Z")
                and _maker(pid, processes) in (1, os.getpid())} - self._boxes_before


def _maker(pid, processes):
    """The nearest parent that is not a box's; of what outlived its own, that is us."""
    while pid in processes and processes[pid][2] in BOX_UIDS:
        pid = processes[pid][0]
    return pid


def _end(pid):
    """An adopted process: a child of ours, so the number cannot be another's."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _reap(pid):
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


def _command(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return text.replace(b"\0", b" ").decode("utf-8", "replace")[:80]
