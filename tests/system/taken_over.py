# SPDX-License-Identifier: MIT
"""A spawner whose front is ours: tests/unit/cli/taken_over_front.c, and the messages of
src/sandbox/message.h, written here a second time."""

import os
import pathlib
import re
import signal
import struct
import subprocess
import threading

from service import BOUND_S, ROOT, RUNNEL, descendants, groups, wait_until

PROGRAM = str(pathlib.Path(RUNNEL).parent / "tests" / "unit" / "cli" / "taken_over_front")
LIMITS = re.findall(r"X\(LIMIT_(\w+), ", (ROOT / "src/base/limits.h").read_text(encoding="utf-8"))
MIB = 1 << 20
CEILINGS = {"CPUS": 500, "MEMORY": 64 * MIB, "PROCESSES": 16, "WORKSPACE": 8 * MIB, "INODES": 100,
            "FILE_SIZE": 4 * MIB, "OPEN_FILES": 64, "STACK": 8 * MIB, "CPU_TIME": 60000}
BOXES = 2
(WORKSPACE_OPEN, WORKSPACE_CLOSE, WORKSPACE_COLLECT, STAGE_START, STAGE_KILL, STAGE_SIGNAL,
 STAGE_SAMPLE, STAGE_PROBE) = range(8)
STARTED, SAMPLED, PROBED, ENDED, FOUND, COLLECTED = range(6)
MALFORMED = 70  # the spawner's exit status


def header(kind, number):
    return struct.pack("<II", kind, number)


def texts(words):
    return struct.pack("<I", len(words)) + b"".join(word.encode() + b"\0" for word in words)


def limits(**other):
    """The ceilings themselves, but for some."""
    values = {**CEILINGS, **other}
    return struct.pack(f"<{len(LIMITS)}Q", *(values.get(name, 0) for name in LIMITS))


def open_workspace(number=1, size=MIB, inodes=64, files=()):
    """files: (path, size)"""
    sizes = b"".join(struct.pack("<Q", size) for _, size in files)
    return (header(WORKSPACE_OPEN, number) + struct.pack("<QQ", size, inodes) +
            texts([path for path, _ in files]) + struct.pack("<Q", len(sizes)) + sizes)


def start_stage(number=5, workspace=1, argv=("/bin/true",), env=(), rootfs=0, flags=0, **other):
    return (header(STAGE_START, number) + struct.pack("<III", workspace, rootfs, flags) +
            limits(**other) + texts(argv) + texts(env))


def collect(number=1, folder="outputs", files=10, size=MIB):
    return (header(WORKSPACE_COLLECT, number) + folder.encode() + b"\0" +
            struct.pack("<QQ", files, size))


def signal_stage(number, which):
    return header(STAGE_SIGNAL, number) + struct.pack("<I", which)


class TakenOver:
    """with TakenOver() as front: front.send(open_workspace(), "content") …"""

    def __init__(self, **ceilings):
        values = {**CEILINGS, **ceilings}
        self._log = []
        self.process = subprocess.Popen(
            [PROGRAM, str(BOXES), *(str(values.get(name, 0)) for name in LIMITS)], cwd="/",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        words = self.process.stdout.readline().split()
        if words[:1] != ["front"]:
            self.process.wait()
            self._reader.join()
            raise AssertionError(f"no front: {self.log()}")
        self.front, self.uid = map(int, words[1:])
        self.spawner = self.process.pid
        self.make("content", "memfd", "-")

    def _read_log(self):
        self._log += self.process.stderr

    def __enter__(self):
        return self

    def __exit__(self, *_):
        family = descendants(self.spawner)
        self.process.stdin.close()  # the front exits, and so the spawner
        try:
            self.process.wait(BOUND_S)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            raise
        finally:
            self._reader.join()
            self.process.stdout.close()
            self.process.stderr.close()
        left = [pid for pid in family if os.path.exists(f"/proc/{pid}")]
        wait_until("no process is left", lambda: not [
            pid for pid in left if os.path.exists(f"/proc/{pid}")])
        if groups(self.spawner):
            raise AssertionError(f"cgroups are left: {groups(self.spawner)}")

    def log(self):
        return "".join(self._log)

    def tell(self, *words):
        """The answer to a command; "" when the front is no more."""
        try:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return ""
        return self.process.stdout.readline().strip()

    def make(self, name, *how):
        answer = self.tell("make", name, *how)
        if not answer.startswith("made"):
            raise AssertionError(f"{name}: {answer} {self.log()}")

    def make_streams(self, kind="pipe"):
        """Fresh ones: in, out and their other ends in.w and out."""
        for name in ("in", "in.w", "out", "out.w"):
            if getattr(self, "_streams", False):
                self.tell("close", name)
        self._streams = True
        self.make("in", kind)
        self.make("out", kind)
        return ("in", "out.w", "out.w")

    def send(self, message, *descriptors):
        return self.tell("send", message.hex() or "-", *descriptors)

    def call(self, name, *arguments):
        return self.tell("call", name, *arguments)

    def receive(self, milliseconds=int(BOUND_S * 1000)):
        """(kind, id, errno, exit code, signal, step), None, or "gone"."""
        words = self.tell("receive", milliseconds).split(" ")
        if words[0] != "reply":
            return None if words[0] == "nothing" else "gone"
        return (*map(int, words[1:6]), words[6] if len(words) > 6 else "")

    def wait_for(self, kind, number):
        while True:
            reply = self.receive()
            if reply in (None, "gone"):
                raise AssertionError(f"{reply} instead of a reply: {self.log()}")
            if reply[:2] == (kind, number):
                return reply

    def run(self, argv, number=5, workspace=1, **more):
        """Starts a program in a box and waits until it is there."""
        self.send(start_stage(number, workspace, argv, **more), *self.make_streams())
        self.wait_for(STARTED, number)

    def output(self):
        self.tell("close", "out.w")
        self._streams = False
        text = bytes.fromhex(self.tell("read", "out", int(BOUND_S * 1000)).partition(" ")[2])
        for name in ("in", "in.w", "out"):
            self.tell("close", name)
        return text.decode()

    def boxes(self):
        """The processes in boxes, by pid."""
        return [pid for pid in descendants(self.spawner) if pid != self.front]

    def ends(self):
        """The spawner's exit status, which has had enough."""
        self.process.wait(BOUND_S)
        self._reader.join()
        return self.process.returncode
