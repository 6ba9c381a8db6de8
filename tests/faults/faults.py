# SPDX-License-Identifier: MIT
"""How faults are brought into a live program: by inject.c (system calls of one process) and by
shim.c (allocations, and the time of day). Both count, and say whether they came to it."""
import bisect
import ctypes
import mmap
import os
import pathlib
import subprocess
import tempfile

EVERYBODY = 0xFFFFFFFF
NEVER = 1 << 62
FRAMES, STACKS, NAMES = 24, 5, 1024
KINDS = ("EINTR", "ENOSPC", "EMFILE", "EAGAIN", "ENOMEM", "EIO", "EBUSY", "SHORT")
# Every program has to bear these without a word: nothing has failed.
HARMLESS = ("EINTR", "SHORT")


class Injector:
    """with Injector(tool, "self", "EMFILE", 3, pid=pid) as injector: …; injector.fired"""

    def __init__(self, tool, who, kind, number, times=1, pid=None, command=(), **more):
        target = [str(pid)] if pid else ["--", *command]
        self._process = subprocess.Popen([tool, who, kind, str(number), str(times), *target],
                                         stdout=subprocess.PIPE, text=True, **more)
        self.fired, self.crashed, self.mains, self.ended = [], [], 0, None
        self._wait_ready()

    def _wait_ready(self):
        for line in self._process.stdout:
            if line.startswith("ready"):
                self.pid = int(line.split()[1])
                return
            self._take(line)
        raise AssertionError("the injector has ended at once")

    def _take(self, line):
        word, _, rest = line.strip().partition(" ")
        if word == "fired":
            self.fired.append(rest)
        elif word == "crashed" and rest not in self.crashed:
            self.crashed.append(rest)
        elif word == "ended":
            self.ended = int(rest)
        elif word == "mains":
            self.mains = int(rest)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait(self, seconds):
        """Until the command has ended. False: it has not."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self.stop()
        return True

    def has_ended(self):
        return self._process.poll() is not None

    def stop(self):
        """Lets the process go; it goes on as if nothing had been."""
        if self._process.stdout.closed:
            return
        if self._process.poll() is None:
            self._process.terminate()
        for line in self._process.stdout:
            self._take(line)
        self._process.stdout.close()
        self._process.wait()


class Starved(Injector):
    """A command of whose allocations, and of those of all that it starts, one fails. No call does, but
    what becomes of each process is seen as well. Only what is linked dynamically asks the shim."""

    def __init__(self, tool, page, number, **more):
        self._page = page
        page.arm(EVERYBODY, number)
        super().__init__(tool, "all", "EBUSY", NEVER, **more)

    def stop(self):
        super().stop()
        self.fired = [f"malloc{self._page.at.names.decode()}"] * self._page.disarm()


class _Layout(ctypes.Structure):
    """As in shim.c."""

    _fields_ = [(name, ctypes.c_uint32) for name in ("pid", "first", "times", "calls",
                                                     "fired")] + [
                    ("frames", ctypes.c_uint64 * FRAMES * STACKS), ("ahead_s", ctypes.c_int64),
                    ("names", ctypes.c_char * NAMES)]


class Page:
    """What the shim looks at. `environment` makes a program look at this one."""

    def __init__(self, shim, program):
        sanitized = is_sanitized(program)
        self._functions = _Functions(program)
        self._mapped = []
        self._file = tempfile.NamedTemporaryFile(prefix="runnel-faults-", dir="/dev/shm")
        self._file.truncate(mmap.PAGESIZE)
        os.chmod(self._file.name, 0o666)
        self._map = mmap.mmap(self._file.fileno(), mmap.PAGESIZE)
        self.at = _Layout.from_buffer(self._map)
        self.environment = {"LD_PRELOAD": str(shim), "FAULTS_PAGE": self._file.name}
        if sanitized:
            options = os.environ.get("ASAN_OPTIONS", "")
            # (libwslay loses the message that it has no memory to queue)
            leaks = pathlib.Path(__file__).with_name("leaks.txt")
            self.environment["LSAN_OPTIONS"] = f"suppressions={leaks}:print_suppressions=0"
            self.environment["ASAN_OPTIONS"] = f"verify_asan_link_order=0:allocator_may_return_null=1:{options}"

    def arm(self, pid, number, times=1):
        self.at.pid = 0
        self.at.first, self.at.times, self.at.calls, self.at.fired = number, times, 0, 0
        self._mapped = _mapped(pid) if pid != EVERYBODY else []
        self.at.pid = pid

    def disarm(self):
        """How often it came to it."""
        self.at.pid = 0
        return self.at.fired

    def who(self):
        """Of each refusal, the functions and libraries, innermost first, that asked for memory."""
        stacks = [[self._place(address) for address in frames if address]
                  for frames in self.at.frames[:min(self.at.fired, STACKS)]]
        return [[name for name in stack if not name.startswith("shim")] for stack in stacks]

    def _place(self, address):
        for first, last, offset, path in self._mapped:
            if first <= address < last:
                ours = os.path.basename(path).startswith("runnel")
                return self._functions.at(address - first + offset) if ours \
                    else os.path.basename(path)
        return "?"


def _mapped(pid):
    """[(first, last, offset in the file, path)]"""
    found = []
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if len(words) > 5:
            first, last = (int(end, 16) for end in words[0].split("-"))
            found.append((first, last, int(words[2], 16), words[5]))
    return found


class _Functions:
    """Of a program, by address."""

    def __init__(self, program):
        lines = subprocess.run(["nm", "-n", "--defined-only", program], stdout=subprocess.PIPE,
                               text=True, check=False).stdout.splitlines()
        rows = [line.split() for line in lines if line.split()[1] in "tT"]
        self._starts = [int(row[0], 16) for row in rows]
        self._names = [row[2] for row in rows]

    def at(self, address):
        index = bisect.bisect(self._starts, address) - 1
        return self._names[index] if index >= 0 else "?"


def is_sanitized(program):
    return b"__asan_init" in pathlib.Path(program).read_bytes()
