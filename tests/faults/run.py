#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lets every system call and every allocation of a service fail, one after the other.

run.py --tools FOLDER               every 11th, and all with LONG=1
run.py --of service                 one fault at a time, in a service; commands: in starts, in `runnel
                                    run`, and the clock; in-a-row: five faults each time (three of a webhook's), in a service
run.py --only front-ENOMEM-execute  what has this in its name
run.py --every N

A loop has a process (the front, the spawner, or the boxes that it makes, up to their programs), a
kind of fault, and something that a client wants. Number n of the calls that may fail so does, for
n = 1, 2, 3 … until the client has all and nothing has failed. Each time: the client is answered
in time, either with what it wanted or with an error of our form; a box that was made is, seen from
inside, the one that is made without faults; the service is the same process as before, and its next
run an ordinary one. After each loop it holds what it held before, to the last descriptor (held.py). In
the end it ends with 0, and leaves nothing on the host. A loop in which nothing failed at all fails,
unless NOTHING_THERE has its reason.
Needs root. Speaks as tests/report.py says.
"""
import argparse
import atexit
import collections
import contextlib
import dataclasses
import http.client
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), *(str(TESTS / folder) for folder in ("system", "sandbox", "soak"))]

# pylint: disable=wrong-import-position
import clock
import commands
import conversations
import faults
import held
import host
import openapi
import scenarios
import websocket
from report import Report
from service import ROOT, RUNNEL, Service, descendants, groups, wait_until
from told import is_cut

SAMPLE = 11
IDLE_S = 10
CONCURRENCY = 4
LONGEST_S = 5  # a run, also one whose client does not know that it has it; less than IDLE_S
STARTS_EVERY = 7  # a start has many calls, and takes long
MALLOCS_EVERY = 7  # and tens of thousands of allocations
# Who hands a connection to the HTTP library. What that asks for itself (a connection, an upgrade) and
# does not get cuts the connection: there is nothing left to answer over.
ACCEPTING = ("on_ready", "accept_one", "run_daemon")
# What has nothing in it that can fail so, and why; on some hosts it has.
NOTHING_THERE = [
    (re.compile("front-EBUSY-"), "it removes files of its own, and no folder"),
    (re.compile("spawner-EBUSY-"), "groups are used again where that is possible; their end is in all-EBUSY-start"),
    (re.compile("box-(EIO|SHORT)-"), "its files are the kernel's, up to its program"),
    (re.compile("box-EBUSY-"), "it removes nothing"),
]
FIRST = int(os.environ.get("FAULTS_FIRST", "1"))
PATIENCE = int(os.environ.get("FAULTS_PATIENCE", "6"))  # complaints of one loop


WHOM = {"front": "the front", "spawner": "the spawner", "box": "boxes", "all": "starts and `runnel run`"}


@dataclasses.dataclass(frozen=True)
class Loop:
    """One line of the report."""

    process: str
    kind: str
    scenario: str
    times: int = 1

    @property
    def name(self):
        return f"{self.process}-{self.kind}-{self.scenario}" + (f"-x{self.times}" if self.times > 1 else "")


# Each has another box, or asks the spawner for more: two stages, whether it waits, a terminal, signals.
BOXED = ("execute", "compiled", "files", "live", "terminal")
GROUPS = {
    "service": lambda loop: loop.process != "all" and loop.times == 1,
    "commands": lambda loop: loop.process == "all",
    "in-a-row": lambda loop: loop.times > 1,
}


def _in_a_row(loop):
    """Each call may cost a webhook one more attempt, and the pause after the fourth is of minutes."""
    return 3 if loop.scenario == "webhook" and loop.kind != "MALLOC" else 5


def loops():
    found = [Loop(process, kind, scenario) for scenario in scenarios.SCENARIOS
             for process in ("front", "spawner", "box")
             for kind in (*faults.KINDS, *(("MALLOC",) if process != "box" else ()))
             if process == "front" or scenario in BOXED]
    found += [Loop("all", kind, command) for command in commands.COMMANDS
              for kind in (*faults.KINDS, "MALLOC")]
    return found + [dataclasses.replace(loop, times=_in_a_row(loop)) for loop in found
                    if loop.kind != "SHORT" and loop.process != "all"]


def _command(pid):
    """And its state, and where in the kernel it waits."""
    try:
        command, stat, wchan = (pathlib.Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8")
                                for name in ("cmdline", "stat", "wchan"))
    except OSError:
        return "gone"
    return f"{command!r} {stat.rpartition(')')[2].split()[0]} {wchan}"


def is_unanswerable(stack):
    """Without this memory there is no connection to answer over."""
    return any(inner.startswith("libmicrohttpd") and outer in ACCEPTING
               for inner, outer in zip(stack, stack[1:]))


def run_command_loop(given, loop):
    wrong, number, hits = [], FIRST, 0
    step = given.every * (STARTS_EVERY if not os.environ.get("LONG") else 1)
    step *= MALLOCS_EVERY if (loop.kind, loop.scenario) == ("MALLOC", "start") else 1
    excuses = collections.Counter()
    while len(wrong) < PATIENCE:
        fired, complaints, excused = commands.attempt(given, loop.scenario, loop.kind, number)
        if os.environ.get("FAULTS_SAY"):
            print("#", loop.name, number, fired, complaints, excused, flush=True)
        wrong += [f"{number} {' '.join(fired)}: {text}" for text in complaints]
        excuses.update(excused)
        if not fired:
            break
        hits += 1
        number += step
    for crash, count in excuses.items():
        print(f"# {loop.name}: {count} times {crash}")
    return hits, wrong


class Faulty:
    """A service, and the means to hurt it."""

    def __init__(self, tools):
        self.tools = tools
        self.sanitized = faults.is_sanitized(RUNNEL)
        self.page = faults.Page(tools / "shim.so", RUNNEL)
        self.service = None
        self.held = {}

    def start(self):
        self.service = Service(f"--concurrency={CONCURRENCY}", "--shutdown-grace=0s",
                               "--webhook-networks=127.0.0.0/8", f"--max-timeout={LONGEST_S}s",
                               env={**self.page.environment})
        conversations.stored["run"] = self.service.request(
            "POST", "/v1/runs", {"language": "bash", "code": "echo one; echo two"})[1]["id"]
        self.service.process.terminate()
        self.service.process.wait(scenarios.BOUND_S)
        self.service.restart()
        for _ in range(3):
            self.ordinary()
        scenarios.ordinary["box"] = scenarios.checked(
            self.service.run("bash", scenarios.LOOK, timeout=scenarios.BOUND_S)["output"])
        openapi.document_at(self.service.port) # which answers are held to, and is asked for once
        for scenario in scenarios.SCENARIOS.values(): # what is opened once, and kept
            scenario(self.service)
        held.crowd(self.service, CONCURRENCY)
        self.idle()
        self.held = held.rested(self.service)

    def ordinary(self):
        answer = self.service.run("bash", "echo up", timeout=scenarios.BOUND_S)
        if answer.get("output") != "up\n":
            raise AssertionError(f"the next run is not an ordinary one: {answer}")

    def idle(self):
        """Nothing but the front is below the spawner."""
        looks = []

        def is_idle():
            looks.append({pid: _command(pid) for pid in descendants(self.service.spawner())})
            return set(looks[-1]) == {self.service.front()}
        try:
            wait_until("nothing runs", is_idle, IDLE_S)
        except AssertionError as error:
            raise AssertionError(
                f"something runs on, when looked at for the {len(looks)}th time: {looks[-1]}") from error

    def held_complaints(self):
        """It holds now what it did at first."""
        try:
            held.crowd(self.service, CONCURRENCY)
            self.idle()
            return held.complaints(self.service, self.held)
        except (AssertionError, OSError, http.client.HTTPException, ValueError, KeyError) as error:
            return [f"what it holds cannot be told: {type(error).__name__}: {error}"]

    def rested_complaints(self):
        """The same, with nothing to spare."""
        return self.held_complaints() or held.differences(self.held, held.rested(self.service))

    def pids(self):
        return self.service.spawner(), self.service.front()

    def attempt(self, loop, number):
        """(whether it came to it, what was hit, what the client was told)"""
        scenario = scenarios.SCENARIOS[loop.scenario]
        spawner, front = self.pids()
        pid = front if loop.process == "front" else spawner
        if loop.kind == "MALLOC":
            self.page.arm(pid, number, loop.times)
            try:
                told = self.asked(scenario, ())
            finally:
                fired = self.page.disarm()
            who = self.page.who()
            if any(map(is_unanswerable, who)) and is_cut(told):
                told = "cut, for want of a connection"
            return fired, [" < ".join(stack[:5]) for stack in who], told
        who = "children" if loop.process == "box" else "self"
        environment = {**os.environ, **({"FAULTS_SPARE_MEMORY": "1"} if self.sanitized else {})}
        with faults.Injector(self.tools / "inject", who, loop.kind, number, loop.times, pid,
                             env=environment) as injector:
            told = self.asked(scenario, injector)
            if loop.process == "spawner":  # it clears up behind the answer
                with contextlib.suppress(AssertionError):  # of which aftermath() says more
                    self.idle()
        if injector.crashed:
            told = AssertionError(f"crashed: {injector.crashed}")
        elif injector.fired and isinstance(told, Exception) and is_cut(told) and any(
                "inet" in hit for hit in injector.fired):
            told = "cut, as its socket was"
        return len(injector.fired), injector.fired, told

    def asked(self, scenario, _):
        try:
            return scenario(self.service)
        except (AssertionError, OSError, http.client.HTTPException, ValueError, KeyError, EOFError,
                websocket.Closed) as error:
            return error

    def complaints(self, loop, number):
        """(whether it came to it, what is wrong)"""
        before = self.pids()
        log = len(self.service.log())
        began = time.monotonic()
        fired, hit, told = self.attempt(loop, number)
        wrong = []
        if isinstance(told, Exception):
            wrong.append(f"{type(told).__name__}: {told}")
        elif told and (not fired or loop.kind in faults.HARMLESS):
            wrong.append(f"told '{told}'")
        took = time.monotonic() - began
        if took > scenarios.BOUND_S + conversations.PAUSES_S.get(loop.scenario, 0):
            wrong.append(f"it took {took:.0f} s")
        wrong += self.aftermath(before, log)
        if os.environ.get("FAULTS_SAY"):
            print("#", loop.name, number, hit, told, f"{took:.2f}", flush=True)
        return fired, [f"{number} {' '.join(hit)}: {text}" for text in wrong]

    def aftermath(self, before, log):
        wrong = []
        try:
            if self.service.process.poll() is not None:
                raise AssertionError(f"the service has ended with {self.service.process.returncode}")
            if self.pids() != before:
                wrong.append("the front was started again")
                self.service.wait_ready()
            self.ordinary()
            self.idle()
        except (AssertionError, OSError, http.client.HTTPException, ValueError) as error:
            wrong.append(f"afterwards {type(error).__name__}: {error}")
        if wrong:
            print(f"# log: {self.service.log()[log:][-3000:]}")
        return wrong

    def kill(self):
        """For when we are told to end ourselves."""
        if self.service and self.service.process.poll() is None:
            self.service.process.kill()

    def end(self):
        """It ends when it is told to, and what its sanitizers saw is said."""
        if not self.service:
            return []
        if self.service.process.poll() is None:
            self.service.process.terminate()
        try:
            status = self.service.process.wait(scenarios.BOUND_S)
        except subprocess.TimeoutExpired:
            status = "nothing: it does not end"
        log = self.service.log()
        spawner = self.service.process.pid
        self.service.close()
        self.service = None
        wrong = [] if status == 0 else [f"it ends with {status}"]
        for word in ("ERROR: ", "runtime error"):
            if word in log:
                wrong.append(log[log.index(word):][:3000])
        if groups(spawner):
            wrong.append(f"groups are left: {groups(spawner)}")
        return wrong


def run_loop(faulty, given, loop):
    """(faults, what is wrong), of one service; a new one where that has ended."""
    if not faulty.service:
        faulty.start()
    wrong, number, hits = [], FIRST, 0
    while len(wrong) < PATIENCE:
        fired, complaints = faulty.complaints(loop, number)
        wrong += complaints
        hits += bool(fired)
        if not fired or faulty.service.process.poll() is not None:
            break
        number += given.every
    if faulty.service.process.poll() is None:
        wrong += faulty.held_complaints()
    if wrong:
        wrong += faulty.end()
    return hits, wrong


def hit_complaints(loop, hits):
    """A loop in which nothing failed shows nothing."""
    known = any(pattern.match(loop.name) for pattern, _ in NOTHING_THERE)
    return [] if hits > 0 or known else ["nothing failed: it shows nothing"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", type=pathlib.Path, default=pathlib.Path(RUNNEL).parent / "tests/faults")
    parser.add_argument("--plain", type=pathlib.Path, default=pathlib.Path(RUNNEL),
                        help="without sanitizers, which do not bear everything as they start")
    parser.add_argument("--of", choices=GROUPS, help="without: all")
    parser.add_argument("--only", default="")
    parser.add_argument("--every", type=int, default=1 if os.environ.get("LONG") else SAMPLE)
    given = parser.parse_args()
    given.tools, given.plain = given.tools.resolve(), given.plain.resolve()
    report = Report()
    host.leave_shared_folders([str(ROOT), *(str(path) for path in (given.tools, given.plain.parent)),
                               os.path.dirname(os.path.abspath(RUNNEL))])
    host.adopt_orphans()
    given.page = faults.Page(given.tools / "shim.so", given.plain)
    if given.only in "clock" and given.of in (None, "commands"):
        clock.judge(faults.Page(given.tools / "shim.so", RUNNEL), report)
    faulty = Faulty(given.tools)
    atexit.register(faulty.kill)
    did = collections.Counter()
    for loop in loops():
        if given.only not in loop.name or (given.of and not GROUPS[given.of](loop)):
            continue
        try:
            hits, wrong = run_command_loop(given, loop) if loop.process == "all" else \
                run_loop(faulty, given, loop)
        except AssertionError as error:
            hits, wrong = 0, [f"{error}", *faulty.end()]
        print(f"# {loop.name}: {hits} faults")
        report.judge(loop.name, wrong or hit_complaints(loop, hits))
        did[loop.process] += hits
        did["loops"] += hits > 0
    report.did(f"{did.pop('loops', 0)} loops: " + ", ".join(
        f"{count} faults in {WHOM[process]}" for process, count in did.items()))
    if faulty.service:
        report.judge("the-service-rests", faulty.rested_complaints())
        report.judge("the-service-ends", faulty.end())
    return report.finish()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
