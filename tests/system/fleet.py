# SPDX-License-Identifier: MIT
"""Workers of the test's own, and a front that is played: it speaks to the broker and to
Redis as docs/FLEET.md says."""

import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
import uuid

import broker
from amqp_client import Amqp
from redis_client import RedisClient
from service import BOUND_S, RUNNEL, descendants, find_front, wait_until

LANES = ("high", "normal", "low")
ECHO = "import sys\nfor line in sys.stdin:\n    print('got', line.strip(), flush=True)\n"


class Worker:
    """with Worker(rabbit.url, redis.url, "--concurrency=2") as worker: …"""

    def __init__(self, broker, stream, *flags, name=None, wait=True, binary=RUNNEL, env=None):
        self.name = name or f"worker-{uuid.uuid4().hex[:8]}"
        self.was_harmed = False
        self._log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [binary, "worker", f"--broker={broker}", f"--stream={stream}",
             f"--node-name={self.name}", *flags],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, cwd="/",
            env={**os.environ, **(env or {})})
        if wait:
            self.wait_ready()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def spawner(self):
        return self.process.pid

    def log(self):
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def events(self, name):
        """Log lines of that event."""
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def wait_ready(self, times=1):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}: {self.log()}")
            return all(len(self.events(name)) >= times
                       for name in ("broker_connected", "stream_connected"))
        wait_until("the worker is connected", ready)

    def front(self):
        """The child that works."""
        return find_front(self.process.pid, "worker")

    def kill_front(self):
        """What is left of it starts it again."""
        self.was_harmed = True
        os.kill(self.front(), signal.SIGKILL)

    def kill(self):
        """As a machine does it that loses power."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def freeze(self, number=signal.SIGSTOP):
        for pid in [self.process.pid, *descendants(self.process.pid)]:
            os.kill(pid, number)

    def thaw(self):
        self.freeze(signal.SIGCONT)

    def stop(self, wait=BOUND_S):
        """Asks it to end: its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(wait)

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(BOUND_S)
            except subprocess.TimeoutExpired:
                self.kill()
        self._log.close()


class PlayedFront:
    """Sends jobs, and looks at what comes of them."""

    def __init__(self, broker, stream):
        self.name = f"front-{uuid.uuid4().hex[:8]}"
        self.results_queue = f"runnel.results.of.{self.name}"
        self.amqp = self.redis = None
        self._broker = broker
        self._stream = stream
        self._results = {}
        self._numbers = {}
        self.connect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def connect(self):
        """Again, when one of the servers was away."""
        self.close()
        self.amqp = Amqp(self._broker)
        self.redis = RedisClient(self._stream)
        self.amqp.declare(self.results_queue, durable=True, arguments={"x-expires": 600000})

    def close(self):
        for connection in (self.amqp, self.redis):
            if connection:
                connection.close()

    # --- jobs ---

    def job(self, code, language="python", **fields):
        """A job's body; `fields` as they stand in it, None leaves one out."""
        body = {"fleet_version": 1, "id": str(uuid.uuid4()), "front": self.name,
                "submitted_ms": int(time.time() * 1000), "lane": "normal",
                "language": language, "profile": "runs", "limits": {}, "source": code, "input": "",
                **fields}
        return {name: value for name, value in body.items() if value is not None}

    def live_job(self, code, language="python", **fields):
        """One that somebody may talk to."""
        return self.job(code, language, **{"profile": "live", "streaming": True,
                                           "input_stays_open": True, **fields})

    def send(self, job, tell=True, lane="normal", **properties):
        """The job's id."""
        if tell:
            self.redis("HSET", f"runnel:run:{job['id']}", "job", json.dumps(
                {name: value for name, value in job.items() if name not in ("source", "input")}))
        stored = self.amqp.publish("runnel.jobs", lane, json.dumps(job).encode(),
                                   message_id=job["id"], reply_to=self.results_queue,
                                   delivery_mode=2, content_type="application/json", **properties)
        assert stored, "the broker has no queue for the job"
        return job["id"]

    def run(self, code, **fields):
        return self.result(self.send(self.job(code, **fields)))

    # --- what comes back ---

    def answers(self, run):
        """All results for it that have come through the broker by now."""
        while (message := self.amqp.get(self.results_queue)) is not None:
            result = json.loads(message[0])
            self._results.setdefault(result["id"], []).append(result)
        return self._results.get(run, [])

    def result(self, run, seconds=BOUND_S):
        """The one that comes through the broker."""
        return wait_until(f"run {run} ends", lambda: self.answers(run), seconds)[0]

    def kept(self, run):
        """What Redis knows of it."""
        return self.redis.hash(f"runnel:run:{run}")

    def events(self, run):
        """(number, attempt, kind, words, bytes) of each in its stream."""
        found = []
        for _, fields in self.redis("XRANGE", f"runnel:events:{run}", "-", "+"):
            found.append(parse_event(fields[1]))
        return found

    def output(self, run, kind="stdout"):
        return b"".join(event[4] for event in self.events(run) if event[2] == kind)

    def wait_output(self, run, text):
        wait_until(f"{text} of run {run}", lambda: text in self.output(run))

    def wait_state(self, run, state):
        wait_until(f"{state} of run {run}",
                   lambda: any(event[2] == "state" and event[3] == [state]
                               for event in self.events(run)))

    def follow(self, run):
        """A client of Redis that hears its events: message()."""
        follower = RedisClient(self._stream)
        follower.subscribe(f"runnel:events:{run}")
        return follower

    # --- what is said to it ---

    def say(self, run, *words, data=b"", skip=0):
        """How many heard it."""
        self._numbers[run] = self._numbers.get(run, 0) + 1 + skip
        text = " ".join(str(word) for word in (self._numbers[run], *words)) + "\n"
        return self.redis("PUBLISH", f"runnel:commands:{run}", text.encode() + data)


def parse_event(text):
    line, _, data = text.partition(b"\n")
    number, attempt, _, kind, *words = line.decode().split(" ")
    return int(number), int(attempt), kind, words, data


class FleetTest(unittest.TestCase):
    """With a front that is played, and workers as a test wants them."""

    rabbit = redis = None

    @classmethod
    def setUpClass(cls):
        if not broker.is_installed():
            raise unittest.SkipTest("rabbitmq-server or redis-server is not installed")
        if FleetTest.rabbit is None:  # the module's first
            FleetTest.rabbit = broker.RabbitMQ()
            FleetTest.redis = broker.Redis()
            unittest.addModuleCleanup(FleetTest.close_servers)
            with Worker(cls.rabbit.url, cls.redis.url):
                pass  # it has declared the queues

    @staticmethod
    def close_servers():
        for server in (FleetTest.rabbit, FleetTest.redis):
            server.close()
        FleetTest.rabbit = FleetTest.redis = None

    def worker(self, *flags, **more):
        worker = Worker(self.rabbit.url, self.redis.url, *(flags or ("--concurrency=2",)), **more)
        self.addCleanup(worker.close)
        self.workers.append(worker)
        return worker

    def setUp(self):
        self.workers = []
        self.front = PlayedFront(self.rabbit.url, self.redis.url)
        self.addCleanup(self.front.close)

    def tearDown(self):
        self.assert_settled()

    def cut_stream(self, worker):
        """Its connection to a Redis that forgets nothing; until it has another."""
        times = len(worker.events("stream_connected"))
        for kind in ("normal", "pubsub"):
            self.front.redis("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
        wait_until("it is connected again",
                   lambda: len(worker.events("stream_connected")) > times)

    def assert_settled(self):
        """No job is left: a worker that ends gives back what it has not settled."""
        for worker in self.workers:
            if worker.process.poll() is None:
                self.assertEqual(worker.stop(), 0, worker.log())
            if not worker.was_harmed:
                self.assertEqual(worker.events("front_died"), [], worker.log())
        wait_until("no job is left", lambda: all(self.front.amqp.count(f"runnel.jobs.{lane}") == 0
                                                 for name in LANES for lane in (name, f"{name}.aside")))
