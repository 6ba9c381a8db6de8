# SPDX-License-Identifier: MIT
"""Running a program through one service, as strangers' programs are: every box has the spawner,
the networks, the groups and the host's numbers of those before it. Over pipes, or at a terminal."""

import atexit
import concurrent.futures
import json
import os
import pathlib
import re
import sys
import time

sys.path += [str(pathlib.Path(__file__).resolve().parent.parent / folder)
             for folder in ("system", "soak")]

# pylint: disable=wrong-import-position
import aftermath
import broker
import fleet
import invoke
import leaks
import service

# What a run of the command line has, where a row asks for nothing (docs/LIMITS.md, `batch`).
USUAL = {"timeout": "10s", "cpu-time": "10s", "max-output": "1M"}
MS, MIB, NUMBER, BYTES = range(4)
LIMITS = {
    "timeout": ("timeout_ms", MS), "idle-timeout": ("idle_timeout_ms", MS),
    "cpu-time": ("cpu_ms", MS), "cpus": ("cpus", NUMBER), "memory": ("memory_mb", MIB),
    "processes": ("processes", NUMBER), "max-output": ("max_output_bytes", BYTES),
    "workspace": ("workspace_mb", MIB), "inodes": ("workspace_inodes", NUMBER),
    "max-file": ("max_file_mb", MIB), "open-files": ("open_files", NUMBER),
    "stack": ("stack_mb", MIB),
}
MIB_BYTES = 1 << 20
SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
# What a run that is waited for may ask for; another one is asked for until it has ended.
WAITED = {"timeout_ms": 10000, "cpu_ms": 20000, "memory_mb": 512, "max_output_bytes": 2 * MIB_BYTES}
ENDED = {"succeeded", "failed", "timeout", "oom", "killed"}
POLL_S = 0.05
BUSY = 8  # at once: two rows, each with a pair of runs, are four


def in_json(unit, text):
    """'64M' → 64, '5s' → 5000"""
    if unit == MS:
        return int(float(text.rstrip("ms")) * (1 if text.endswith("ms") else 1000))
    if unit == NUMBER:
        return json.loads(text)
    number, size = re.fullmatch(r"(\d+)([KMG]?)", text).groups()
    value = int(number) * SIZES[size] / (MIB_BYTES if unit == MIB else 1)
    return int(value) if value.is_integer() else value


def limits_of(row):
    """As a request names them. More time than it may ask for is for slow machines alone, where
    time is not what the row is about."""
    limits = {LIMITS[option][0]: in_json(LIMITS[option][1], text)
              for option, text in {**USUAL, **row.limits}.items()}
    for name in () if "timeout" in row.verdicts else ("timeout_ms", "cpu_ms"):
        limits[name] = min(limits[name], WAITED[name])
    return limits


def is_waited_for(limits):
    return all(limits.get(name, 0) <= most for name, most in WAITED.items())


class Service(invoke.Runnel):
    """One `runnel serve`; `run` gives it a program by /v1/runs."""

    def __init__(self, binary, account, scratch, options, terminal):
        super().__init__(binary, account, scratch, options)
        self.terminal = terminal
        self._service = self._worker = None
        self._held = {}

    def start(self, *flags):
        self._service = service.Service(*self.options, *flags, env=self.environment, wait=False,
                                        user=self.account and self.account.pw_name,
                                        binary=self.binary)
        self._own(self._service.process)
        self._service.wait_ready()

    def _own(self, process):
        atexit.register(process.kill)  # harmless when it has ended
        with self._lock:
            self._live.add(process.pid)

    def stop(self):
        """Its exit status; what it holds is given back by then."""
        return self._end(self._service)

    def _end(self, member):
        member.close()
        with self._lock:
            self._live.discard(member.process.pid)
        return member.process.returncode

    def _look(self):
        return leaks.held(self._service)

    def remember(self):
        """What it holds when nothing runs, once it had as many boxes as rows make: more is a
        leftover from then on."""
        body = {"language": "bash", "code": "sleep 1"}
        with concurrent.futures.ThreadPoolExecutor(BUSY) as pool:
            list(pool.map(lambda _: self._service.request("POST", "/v1/runs?wait=true", body),
                          range(BUSY)))
        self._held = self._look()

    def complaints(self, reserves=False):
        """Of what a run's end gives back, or of what is let go after some rest, too. Nothing may
        run meanwhile."""
        deadline = time.monotonic() + (leaks.RESERVES_GO_S if reserves else aftermath.GRACE_S)
        while True:
            now = self._look()
            left = [what for what, before in self._held.items() if now[what] > before
                    and (reserves or what not in leaks.RESERVES) and not what.endswith("_bytes")]
            if not left or time.monotonic() > deadline:
                break
        told = [f"left behind in the service: {what}: {self._held[what]} before, {now[what]} after"
                for what in left]
        self._held.update({what: now[what] for what in left})  # it is not told again
        return told

    def _record(self, body, timeout_s):
        """(status, the record at its end; None: it does not come)"""
        waited = not body["tty"] and is_waited_for(body["limits"])
        status, record = self._service.request("POST", f"/v1/runs?wait={json.dumps(waited)}",
                                               body, 2 * invoke.COMPILE_AND_SLACK_S)
        until = time.monotonic() + timeout_s
        while status < 300 and record["status"] not in ENDED:
            if time.monotonic() > until:
                return status, None
            time.sleep(POLL_S)
            record = self._service.request("GET", f"/v1/runs/{record['id']}")[1]
        return status, record

    def run(self, row, source, name, extra_args=(), env=()):
        body = {"language": row.language, "code": source, "args": list(extra_args),
                "stdin": invoke.stdin_bytes(row.stdin).decode(), "tty": self.terminal or row.terminal,
                "env": dict(item.split("=", 1) for item in env), "on_disconnect": "continue",
                "limits": limits_of(row)}
        began = time.monotonic()
        status, record = self._record(body, row.timeout_s() + invoke.COMPILE_AND_SLACK_S)
        ended = time.monotonic()
        result = record if status < 300 else None
        if result and body["tty"]:
            result["stdout"] = result["stdout"].replace("\r\n", "\n")
            result["stderr"] += result["stdout"]  # a compiler has no terminal
        return invoke.Outcome(None if result else status, json.dumps(record).encode(), b"", began,
                              ended, record is None, result), self._folder()

    def why_not(self, row):
        """The reason for which a row cannot come this way, or None."""
        if row.raw or row.stdin == "open" or row.stdin.startswith("random"):
            return "its input is no text, or has no end"
        if any("=" not in item for item in row.env):
            return "no object of JSON holds what it sets"
        if not self.terminal:
            whole = is_waited_for(limits_of(row)) or not row.exact
            return None if whole else "of who is not waited for the last MiB is kept"
        if "output_limit" in row.verdicts or row.exact or row.stdin != "none":
            return "a terminal has one stream, without a bound, and echoes"
        return None


class Worker(Service):
    """A service whose boxes one `runnel worker` makes, with a RabbitMQ and a Redis between them."""

    def start(self, *flags):
        servers = [broker.RabbitMQ(), broker.Redis()]
        for server in servers:
            atexit.register(server.close)
        with self._lock:
            self._live.update(service.descendants(os.getpid()))
        rabbit, redis = (server.url for server in servers)
        self._worker = fleet.Worker(rabbit, redis, *self.options, binary=self.binary,
                                    env=self.environment)
        self._own(self._worker.process)
        super().start(f"--broker={rabbit}", f"--stream={redis}", *flags)
        service.wait_until("the front has a worker", self._service.runs)

    def stop(self):
        return super().stop() or self._end(self._worker)

    def _look(self):
        return leaks.held(self._service, self._worker)
