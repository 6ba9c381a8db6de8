# SPDX-License-Identifier: MIT
"""A program under faults from its first call to its last: `runnel run`, and a service that starts,
serves a run and ends. It does what it is there for, or says in a sentence why not, with a status; no
process of it crashes, unless EXCUSES says why it may; nothing of it is left."""
import functools
import http.client
import os
import re
import signal
import subprocess
import tempfile

import aftermath
import faults
import scenarios
from service import Service, descendants, free_port, wait_until
from told import is_cut

BOUND_S = 30
SIGNALLED = 128
LOADER_FAILED = 127
TOLD_AGAIN_S = 10
# Programs that a command starts: of others the injector does not know where they begin.
MAINS = {"run": 2, "start": 3}
# What a service keeps in its folder when it has ended.
KEPT = {"lock", "runnel.db", "files"}
# And where SQLite could not write or remove something: they are taken up again.
KEPT_BY_FAULT = {"runnel.db-wal", "runnel.db-shm", "runnel.db-journal"}
# The spawner alone asks libc so early; what it leaves, the next one takes away.
OF_SPAWNER = "libc's malloc counts on the rest of its first page"
# (how a process of ours ended, what had failed, what the log says, why): a front that ended so was
# started again.
EXCUSES = [
    (r"SIG\w+ before main", r" before main$|^malloc ", r"",
     "nothing of ours is there that could say it"),
    (r"SIGABRT", r"^brk .*before main$", r"malloc assertion failure in sysmalloc", OF_SPAWNER),
    (r"SIGABRT", r"^pipe2$", r"", "libuv makes its pipe for signals once, or ends"),
    (r"SIGABRT", r"^clone3?$|^mprotect$|^mmap of a thread's stack$|^malloc .*< pthread_create < uv_", r"",
     "libuv starts all of its threads, or ends"),
    (r"SIGABRT", r"^malloc < realloc < uv_", r"",
     "libuv's table of what it watches grows, or it ends"),
]

# A call on a connection, or the memory for one.
NOTHING_TO_ANSWER_OVER = re.compile(r" inet|< MHD_(add_connection|run) <")


class Command:
    """One attempt: what came of it."""

    def __init__(self, given, kind, number, words):
        ours = {os.getpid(), *descendants(os.getpid())}
        self._aftermath = aftermath.Aftermath(lambda: ours)
        self.excused = []
        self._killed = False
        self._storage = tempfile.TemporaryDirectory(prefix="runnel-test-",
                                                    ignore_cleanup_errors=True)
        self._log = tempfile.TemporaryFile()
        more = {"command": words, "cwd": "/", "stdin": subprocess.DEVNULL, "stderr": self._log,
                "env": {**os.environ, "RUNNEL_STORAGE_DIR": self._storage.name}}
        inject = given.tools / "inject"
        if kind == "MALLOC":
            preloaded = dict(given.page.environment)
            preloaded["FAULTS_PRELOAD"] = preloaded.pop("LD_PRELOAD")
            more["env"].update(preloaded)
            self.victim = faults.Starved(inject, given.page, number, **more)
        else:
            self.victim = faults.Injector(inject, "all", kind, number, **more)

    def log(self):
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def close(self):
        """What it has left."""
        if not self.victim.has_ended():
            os.kill(self.victim.pid, signal.SIGKILL)
            self._killed = True
        self.victim.wait(BOUND_S)
        expected = KEPT | (KEPT_BY_FAULT if self.victim.fired else set())
        kept = set(os.listdir(self._storage.name)) - expected
        self._log.close()
        self._storage.cleanup()
        if self._killed or any(OF_SPAWNER in why for why in self.excused):
            return []
        return self._aftermath.complaints() + [f"left behind: {name} in its folder"
                                               for name in sorted(kept)]

    def _excuse(self, crash):
        fired = " ".join(self.victim.fired)
        return next((why for how, what, said, why in EXCUSES if re.fullmatch(how, crash) and
                     re.search(what, fired) and re.search(said, self.log())), None)

    def _crashes(self):
        """Those that nothing excuses."""
        wrong = []
        for crash in self.victim.crashed:
            why = self._excuse(crash)
            if why:
                self.excused.append(f"{crash} ({why})")
            else:
                wrong.append(f"a process ended with {crash}: {self.log()[-300:]}")
        if not self.victim.crashed and '"event":"front_died"' in self.log():
            wrong.append(f"the front died: {self.log()[-600:]}")
        return wrong

    def _loader_failed(self):
        """It says so in its own words, with its own status."""
        return self.victim.ended == LOADER_FAILED and "cannot " in self.log() and \
            self.victim.fired[0].endswith(" before main")

    def complaints(self, done):
        """It has ended; `done`: it did what it was there for."""
        status, log = self.victim.ended, self.log()
        if status is None:
            return ["it does not end"]
        wrong = self._crashes()
        if wrong or self._loader_failed() or (status < 0 and self.excused):
            return wrong
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


def run(begin, program, _):
    """(the command, what is wrong) of `runnel run`"""
    box = ordinary_box(program)
    with _source() as source:
        command = begin("run", source.name)
        ended = command.victim.wait(BOUND_S)
        return command, command.complaints(box in command.log()) if ended else ["it does not end"]


def _is_told(command, kind):
    """It ends when it is told to. libuv takes a signal through a pipe, and drops it where that is
    full (thousands wait in it then): as a write to an empty one says so here, it is told again."""
    os.kill(command.victim.pid, signal.SIGTERM)
    if command.victim.wait(TOLD_AGAIN_S if kind == "EAGAIN" else BOUND_S):
        return True
    if kind != "EAGAIN":
        return False
    os.kill(command.victim.pid, signal.SIGTERM)
    return command.victim.wait(BOUND_S) and command.victim.fired[0].startswith("write pipe")


def _serve(command, service, program, kind):
    """What is wrong with a service's life."""
    served, cut = [], []

    def decided():
        return command.victim.has_ended() or service.answers()
    wait_until("it serves or ends", decided, BOUND_S)
    if not command.victim.has_ended():
        try:
            served = [service.run("bash", scenarios.LOOK, timeout=BOUND_S)]
        except (OSError, http.client.HTTPException) as error:
            if not is_cut(error):
                raise
            cut = [f"{type(error).__name__}: {error}"]
        if not _is_told(command, kind):
            return ["it does not end when it is told to"]
    elif not command.victim.wait(BOUND_S):
        return ["it does not end"]
    wrong = [f"another box: {answer}" for answer in served
             if not answer.get("error") and answer.get("output") != ordinary_box(program)]
    if any(NOTHING_TO_ANSWER_OVER.search(hit) for hit in command.victim.fired):
        served, cut = served or cut, []
    return wrong + cut + command.complaints(served)


def start(begin, program, kind):
    """(the command, what is wrong) of a service's life"""
    port = free_port()
    ordinary_box(program)
    command = begin("serve", f"--listen=127.0.0.1:{port}", "--concurrency=2", "--shutdown-grace=0s")
    try:
        return command, _serve(command, Service.at(port, command.victim.pid), program, kind)
    except (AssertionError, OSError, http.client.HTTPException, ValueError) as error:
        return command, [f"{type(error).__name__}: {error}: {command.log()[-300:]}"]


COMMANDS = {"run": run, "start": start}


def attempt(given, name, kind, number):
    """(what was hit, what is wrong, what was excused)"""
    program = str(given.plain)

    def begin(*words):
        return Command(given, kind, number, [program, *words])
    command, wrong = COMMANDS[name](begin, program, kind)
    wrong += command.close()
    mains = command.victim.mains
    if not wrong and not command.victim.fired and mains < MAINS[name]:
        wrong.append(f"{mains} mains are seen: they do not begin as inject.c knows them")
    return command.victim.fired, wrong, command.excused
