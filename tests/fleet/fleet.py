# SPDX-License-Identifier: MIT
"""Fronts and workers of a test's own, with a RabbitMQ and a Redis between them.

    with Fleet(fronts=2, workers=2) as fleet:
        job = fleet.fronts[0].submit("bash", "echo hi")
        fleet.fronts[1].result(job)
"""

import atexit
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

# pylint: disable=wrong-import-position
import broker
from amqp_client import Amqp, Refused as AmqpRefused
from service import BOUND_S, RUNNEL, Service, descendants, groups, wait_until
from resp import Redis as RedisClient

TERMINAL = ("completed", "failed", "cancelled")
ANSWER_S = 60.0  # of a job whose worker was killed, on a noisy machine


class Here:
    """The machine that a member is on, when it is ours: see namespaces.py for another."""

    def under(self):
        """Words before a command, so that it runs there."""
        return ()

    def __enter__(self):
        """Connections that are opened meanwhile begin there."""

    def __exit__(self, *_):
        pass


class Front(Service):
    """A service whose runs go to workers."""

    def __init__(self, fleet, name, *flags, place=Here(), **more):
        self.name = name
        self.place = place
        super().__init__("--broker", fleet.rabbit.url, "--stream", fleet.redis.url,
                         "--node-name", name, *flags, under=place.under(), **more)

    def request_raw(self, *question, **more):
        with self.place:
            return super().request_raw(*question, **more)

    def try_submit(self, language, code, **more):
        """The job's id, or None when the front does not say that it took it."""
        body = {"language": language, "source_code": code, **more}
        try:
            status, answer = self.request("POST", "/api/execute", body)
        except (OSError, http.client.HTTPException, ValueError):
            return None
        return answer["job_id"] if status == 200 else None

    def submit(self, language, code, **more):
        body = {"language": language, "source_code": code, **more}
        status, answer = self.request("POST", "/api/execute", body)
        assert status == 200, (status, answer)
        return answer["job_id"]

    def job(self, job):
        """As GET /api/jobs/ID says it; None when the front cannot say it."""
        try:
            status, answer = self.request("GET", f"/api/jobs/{job}", timeout=10)
        except (OSError, http.client.HTTPException, ValueError):
            return None
        return answer if status == 200 else None

    def result(self, job, seconds=ANSWER_S):
        def ended():
            record = self.job(job)
            return record if record and record["status"] in TERMINAL else None
        return wait_until(f"job {job} ends", ended, seconds)

    def kill(self):
        """The spawner and the front, as a machine that loses power."""
        self.process.kill()
        self.process.wait()


class Worker:
    """A `runnel worker`, started and ended by its pid."""

    def __init__(self, fleet, name, *flags, slots=2, place=Here()):
        self.name = name
        self.place = place
        self._log = tempfile.TemporaryFile()
        self._command = [*place.under(), RUNNEL, "worker", "--broker", fleet.rabbit.url,
                         "--stream", fleet.redis.url, "--node-name", name,
                         "--concurrency", str(slots), *flags]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=self._log,
                                        stderr=self._log, cwd="/", env={**os.environ})

    def log(self):
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def spawner(self):
        return self.process.pid

    def processes(self):
        return [self.process.pid, *descendants(self.process.pid)]

    def freeze(self):
        for pid in self.processes():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.thaw()
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(BOUND_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()


class Servers:
    """A RabbitMQ and a Redis that one fleet after the other has: a RabbitMQ takes longer to
    start than most tests do. Each finds them empty."""

    QUEUES = (*(f"runnel.jobs.{lane}{aside}" for lane in ("high", "normal", "low")
                for aside in ("", ".aside")),
              "runnel.dead", "jobs.all-languages", "results.all")
    kept = None

    def __init__(self):
        self.rabbit = self.redis = None
        with contextlib.ExitStack() as failing:
            failing.callback(self.close)
            self.rabbit = broker.RabbitMQ()
            self.redis = broker.Redis()
            failing.pop_all()

    @classmethod
    def take(cls):
        servers, cls.kept = cls.kept or cls(), None
        return servers

    def give_back(self):
        """Those that are not as they should be are not kept."""
        try:
            self._empty()
            Servers.kept = self
        except (OSError, ValueError, AssertionError):
            self.close()

    def _empty(self):
        with contextlib.closing(RedisClient(self.redis.port)) as client:
            client.call("FLUSHALL")
        for queue in self.QUEUES:
            with Amqp(self.rabbit.url) as amqp, contextlib.suppress(AmqpRefused):
                amqp.purge(queue)  # if it is there

    def close(self):
        for server in (self.rabbit, self.redis):
            if server:
                server.close()

    @classmethod
    def close_kept(cls):
        if cls.kept:
            cls.kept.close()


atexit.register(Servers.close_kept)


class Fleet:
    """Ended in the order in which nothing is waited for. With `servers`, an address, or `advanced`,
    which is for RabbitMQ, it has servers of its own; `place(name)` says on which machine a member
    is."""

    started = 0  # of all fleets: what one leaves behind is not the next one's

    def __init__(self, fronts=1, workers=1, slots=2, front_flags=(), worker_flags=(),
                 servers=None, place=lambda name: Here(), advanced=None):
        self.slots = slots
        self.place = place
        self.front_flags = front_flags
        self.worker_flags = worker_flags
        self.stack = contextlib.ExitStack()
        self.fronts = []
        self.workers = []
        with contextlib.ExitStack() as failing:
            failing.callback(self.close)
            if servers or advanced:
                address = servers or broker.LOOPBACK
                self.rabbit = self.stack.enter_context(
                    broker.RabbitMQ(address=address, advanced=advanced or "[]."))
                self.redis = self.stack.enter_context(broker.Redis(address=address))
            else:
                shared = Servers.take()
                self.stack.callback(shared.give_back)
                self.rabbit, self.redis = shared.rabbit, shared.redis
            for _ in range(workers):
                self.add_worker()
            for _ in range(fronts):
                self.add_front()
            self.wait_ready()
            failing.pop_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _name(self, kind):
        Fleet.started += 1
        return f"{kind}-{Fleet.started}"

    def add_front(self):
        name = self._name("front")
        self.fronts.append(Front(self, name, *self.front_flags, place=self.place(name)))
        return self.fronts[-1]

    def add_worker(self):
        name = self._name("worker")
        self.workers.append(Worker(self, name, *self.worker_flags, slots=self.slots,
                                   place=self.place(name)))
        return self.workers[-1]

    def wait_ready(self):
        for front in self.fronts:
            wait_until(f"{front.name} has workers", front.runs)

    def connect(self):
        """A client of the Redis between them."""
        return RedisClient(self.redis.port, address=self.redis.address)

    def close(self):
        members = [*self.fronts, *self.workers]
        with concurrent.futures.ThreadPoolExecutor() as pool:  # each waits for its runs
            list(pool.map(lambda member: member.close(), members))
        self.fronts, self.workers = [], []
        self.stack.close()


class Ends:
    """How many ends each run was told to have, by who listens to all of them. A Redis that
    was restarted is listened to again."""

    def __init__(self, fleet):
        self.redis = fleet.redis
        self.ends = {}
        self.closing = False
        self.client = self._subscribe()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _subscribe(self):
        client = RedisClient(self.redis.port, timeout=None, address=self.redis.address)
        client.call("PSUBSCRIBE", "runnel:events:*")
        return client

    def _listen(self):
        while not self.closing:
            try:
                _, _, channel, payload = self.client.read()
                head, _, result = payload.partition(b"\n")
                if head.split()[3] == b"end":
                    run = channel.decode().rsplit(":", 1)[1]
                    end = json.loads(result.partition(b"\n")[0])
                    self.ends.setdefault(run, []).append((end.get("attempt"), end["verdict"]))
            except (OSError, ValueError):
                if self.closing:
                    return
                time.sleep(0.05)
                with contextlib.suppress(OSError, ValueError):
                    self.client = self._subscribe()

    def twice(self):
        return {run: told for run, told in self.ends.items() if len(told) != 1}

    def differing(self):
        """A Redis that has forgotten an end, before its worker heard that it had it, is told
        once more: the same."""
        return {run: told for run, told in self.ends.items() if len(set(told)) != 1}

    def close(self):
        self.closing = True
        self.client.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.client.close()


def left_behind(spawners):
    """Processes of boxes whose spawner is dead. (The groups themselves the next spawner removes.)"""
    found = []
    for spawner in spawners:
        for group in groups(spawner):
            with contextlib.suppress(OSError):
                found += (pathlib.Path(group) / "cgroup.procs").read_text().split()
    return found


__all__ = ["ANSWER_S", "BOUND_S", "Ends", "Fleet", "Front", "Here", "RUNNEL", "TERMINAL", "Worker",
           "left_behind", "wait_until"]
