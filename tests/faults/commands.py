# SPDX-License-Identifier: MIT
"""A program under faults from its first call to its last: `runnel run`, and a service that starts,
serves a run and ends. It does what it is there for, or says in a sentence why not, with a status."""
import functools
import http.client
import os
import signal
import subprocess
import tempfile

import faults
import scenarios
from service import Service, free_port, wait_until

BOUND_S = 30
GROUPS_GO_S = 5
SIGNALLED = 128
LOADER_FAILED = 127
TOLD_AGAIN_S = 10


class Command:
    """One attempt: what came of it."""

    def __init__(self, tool, kind, number, words, environment):
        self.storage = tempfile.TemporaryDirectory(prefix="runnel-test-", ignore_cleanup_errors=True)
        self._log = tempfile.TemporaryFile()
        environment = {**os.environ, "RUNNEL_STORAGE_DIR": self.storage.name, **environment}
        self.injector = faults.Injector(tool, "all", kind, number, 1, command=words, cwd="/",
                                        stdin=-3, stderr=self._log, env=environment)

    def log(self):
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def close(self):
        if not self.injector.has_ended():
            os.kill(self.injector.pid, signal.SIGKILL)
        self.injector.wait(BOUND_S)
        self._log.close()
        self.storage.cleanup()

    def _ended_before_main(self, status, log):
        """Libraries have no better way to say it (libc's malloc none at all, of a break that it does not
        get), nor has the loader; libuv makes some things once."""
        fired = " ".join(self.injector.fired)
        return (status == -signal.SIGSEGV and not log and ("mmap" in fired or "brk" in fired) or
                status == -signal.SIGABRT and not log and "pipe2" in fired or
                status == -signal.SIGABRT and "break adjusted to free malloc space" in log or
                status == LOADER_FAILED and "cannot allocate" in log.lower())

    def complaints(self, done):
        """It has ended; `done`: it did what it was there for."""
        status, log = self.injector.ended, self.log()
        if status is None:
            return ["it does not end"]
        if self._ended_before_main(status, log):
            return []
        if status < 0 or status >= SIGNALLED:
            return [f"it ended with {status}: {log[-300:]}"]
        if status == 0 and not done:
            return [f"it ended with 0 and did nothing: {log[-300:]}"]
        if status != 0 and "runnel: " not in log and '"level":"error"' not in log and \
                "internal_error" not in log:
            return [f"it ended with {status} and said nothing: {log[-300:]!r}"]
        return []


def _source():
    source = tempfile.NamedTemporaryFile("w", suffix=".sh")
    source.write(scenarios.LOOK)
    source.flush()
    return source


@functools.cache
def ordinary_box(program):
    """As a program in it sees it when nothing fails."""
    with _source() as source:
        done = subprocess.run([program, "run", source.name], stdin=subprocess.DEVNULL, check=True,
                              capture_output=True, text=True, timeout=BOUND_S)
    return scenarios.checked(done.stdout)


def run(tool, program, kind, number):
    """(what was hit, what is wrong) of `runnel run`"""
    box = ordinary_box(program)
    with _source() as source:
        command = Command(tool, kind, number, [program, "run", source.name], {})
        try:
            ended = command.injector.wait(BOUND_S)
            wrong = command.complaints(box in command.log()) if ended else ["it does not end"]
            return command.injector.fired, wrong
        finally:
            command.close()


def _is_told(command, kind):
    """It ends when it is told to. libuv takes a signal through a pipe, and drops it where that is
    full (thousands wait in it then): as a write to an empty one says so here, it is told again."""
    os.kill(command.injector.pid, signal.SIGTERM)
    if command.injector.wait(TOLD_AGAIN_S if kind == "EAGAIN" else BOUND_S):
        return True
    if kind != "EAGAIN":
        return False
    os.kill(command.injector.pid, signal.SIGTERM)
    return command.injector.wait(BOUND_S) and command.injector.fired[0].startswith("write pipe")


def start(tool, program, kind, number):
    """(what was hit, what is wrong) of a service's life"""
    port = free_port()
    command = Command(tool, kind, number, [program, "serve", f"--listen=127.0.0.1:{port}",
                                           "--concurrency=2", "--shutdown-grace=0s"], {})
    service = Service.at(port, command.injector.pid)
    served = []

    def decided():
        return command.injector.has_ended() or service.answers()
    try:
        wait_until("it serves or ends", decided, BOUND_S)
        if not command.injector.has_ended():
            served = [service.run("bash", scenarios.LOOK, timeout=BOUND_S)]
            if not _is_told(command, kind):
                return command.injector.fired, ["it does not end when it is told to"]
        elif not command.injector.wait(BOUND_S):
            return command.injector.fired, ["it does not end"]
        wrong = [f"another box: {answer}" for answer in served
                 if not answer.get("error") and answer.get("output") != ordinary_box(program)]
        return command.injector.fired, wrong + command.complaints(served)
    except (AssertionError, OSError, http.client.HTTPException, ValueError) as error:
        if command.injector.has_ended():
            command.injector.wait(BOUND_S)
        return command.injector.fired, [f"{type(error).__name__}: {error}: {command.log()[-300:]}"]
    finally:
        command.close()


COMMANDS = {"run": run, "start": start}
