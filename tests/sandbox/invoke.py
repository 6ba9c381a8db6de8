# SPDX-License-Identifier: MIT
"""Running a program through the real command line, and what came of it."""

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import pty
import random
import shutil
import subprocess
import threading
import time

COMPILE_AND_SLACK_S = 60  # compile stage, start-up and teardown on a busy machine
TERMINAL = "terminal"  # in place of what comes by stdin


@dataclasses.dataclass
class Outcome:
    """What one run left behind: its own words and what we saw outside."""

    exit_status: int | None  # of the command line; None: a service ran it
    stdout: bytes
    stderr: bytes
    began: float
    ended: float
    hung: bool
    result: dict | None  # the JSON object; None when it did not print one

    def fact(self, path):
        """'usage.cpu_ms' of the result, or 'host.ms' and 'host.stdout_bytes' as seen here."""
        own = {"host": {"ms": int((self.ended - self.began) * 1000),
                        "stdout_bytes": len(self.text("stdout").encode()),
                        "stderr_bytes": len(self.text("stderr").encode())}}
        value = own if path.startswith("host.") else self.result or {}
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def text(self, stream):
        """The program's stream, or the CLI's own when there is no result."""
        if self.result is not None:
            return self.result.get(stream) or ""
        return getattr(self, stream).decode("utf-8", "replace")


class Runnel:
    """The binary under test, and as whom and where it runs."""

    def __init__(self, binary, account, scratch, options):
        self.account = account
        self.scratch = pathlib.Path(scratch)
        self.options = options  # for every run: --allow-missing=…
        self.environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        self.binary = self._reachable(binary)
        self._lock = threading.Lock()
        self._live = set()
        self._count = 0

    def _reachable(self, binary):
        """A copy where the account may read it: a checkout may lie below /root."""
        copy = self.scratch / "runnel"
        shutil.copy(binary, copy)
        copy.chmod(0o755)
        return str(copy)

    def live_pids(self):
        with self._lock:
            return set(self._live)

    def _as_account(self, argv):
        if self.account is None:
            return argv
        return ["setpriv", f"--reuid={self.account.pw_uid}", f"--regid={self.account.pw_gid}",
                "--clear-groups", "--"] + argv

    def _folder(self):
        with self._lock:
            self._count += 1
            folder = self.scratch / f"run-{self._count}"
        folder.mkdir()
        if self.account is not None:
            os.chown(folder, self.account.pw_uid, self.account.pw_gid)
        return folder

    def call(self, arguments, stdin=b"", timeout_s=120.0, folder=None):
        """Runs `runnel ARGUMENTS`; stdin: bytes, None for one that stays open, or TERMINAL, which
        is stdout, too."""
        folder = folder or self._folder()
        began = time.monotonic()
        ends = pty.openpty() if stdin is TERMINAL else None
        child = subprocess.Popen(
            self._as_account([self.binary] + arguments), cwd=folder, env=self.environment,
            stdin=ends[1] if ends else subprocess.PIPE if stdin != b"" else subprocess.DEVNULL,
            stdout=ends[1] if ends else subprocess.PIPE, stderr=subprocess.PIPE)
        with self._lock:
            self._live.add(child.pid)
        stdout, stderr, hung = (_watch(child, *ends, timeout_s) if ends else
                                _talk(child, stdin, timeout_s))
        ended = time.monotonic()
        with self._lock:
            self._live.discard(child.pid)
        return Outcome(child.returncode, stdout, stderr, began, ended, hung, _parse(stdout))

    def run(self, row, source, name, extra_args=(), env=()):
        """One program; returns its outcome and the folder in which the CLI ran, which must
        hold nothing but the source afterwards."""
        folder = self._folder()
        path = folder / name
        path.write_text(source, encoding="utf-8")
        path.chmod(0o644)
        arguments = ["run", "--language", row.language] + self.options
        arguments += ["--interactive"] if row.terminal else [] if row.raw else ["--json"]
        for option, value in row.limits.items():
            arguments += [f"--{option}", value]
        for item in env:
            arguments += ["--env", item]
        arguments += [str(path), "--"] + list(extra_args)
        timeout_s = row.timeout_s() + COMPILE_AND_SLACK_S
        stdin = TERMINAL if row.terminal else stdin_bytes(row.stdin)
        return self.call(arguments, stdin, timeout_s, folder), folder


def stdin_bytes(spec):
    """none → nothing; open → a pipe that is never closed; random N; else the text itself."""
    if spec == "none":
        return b""
    if spec == "open":
        return None
    if spec.startswith("random "):
        return random.Random(spec).randbytes(int(spec.split()[1]))
    return json.loads(spec).encode()


def _talk(child, stdin, timeout_s):
    if stdin is None:
        held_open, child.stdin = child.stdin, None
    else:
        held_open = None
    hung = False
    try:
        stdout, stderr = child.communicate(stdin or None, timeout_s)
    except subprocess.TimeoutExpired:
        hung = True
        child.kill()
        stdout, stderr = child.communicate()
    finally:
        if held_open:
            held_open.close()
    return stdout, stderr, hung


def _watch(child, main, terminal, timeout_s):
    """As _talk, of one at a terminal, which shows until nobody has it open."""
    os.close(terminal)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        shown = pool.submit(_shown, main)
        _, stderr, hung = _talk(child, b"", timeout_s)
        stdout = shown.result()
    os.close(main)
    return stdout, stderr, hung


def _shown(main):
    text = b""
    try:
        while part := os.read(main, 1 << 16):
            text += part
    except OSError:  # its other end has been closed
        pass
    return text


def _parse(stdout):
    try:
        result = json.loads(stdout)
    except ValueError:
        return None
    return result if isinstance(result, dict) and "verdict" in result else None
