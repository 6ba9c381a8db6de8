# SPDX-License-Identifier: MIT
"""The two halves of the known service of /api/jobs with the libraries they are written with (tests/fleet/foreign): its
backends give jobs to our workers, and our fronts give jobs to its runners.

tests/fleet/foreign/install fetches the libraries; without them this is skipped.
"""

import json
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

from fleet import Front, Worker, wait_until
import broker
from amqp_client import Amqp
from resp import Redis
from websocket import WebSocket

CLIENTS = pathlib.Path(__file__).resolve().parent / "foreign"
LIBRARIES = ("ioredis", "redis-4", "redis-5", "redis-6")
SPEAKS = ("import sys, time\nprint('50%', 'a,b', flush=True)\ntime.sleep(0.2)\n"
          "print('oh', file=sys.stderr, flush=True)\ntime.sleep(0.2)\nprint('last')")
SAID = [("stdout", "50% a,b"), ("stderr", "oh"), ("stdout", "last")]
SLOW = "import time\nprint('begun', flush=True)\ntime.sleep(%s)\nprint('done')"

rabbit = redis = None


def why_not():
    if not broker.is_installed():
        return "rabbitmq-server or redis-server is not installed"
    if not shutil.which("node") or not (CLIENTS / "node_modules").is_dir():
        return "tests/fleet/foreign/install has not been run"
    return None


def setUpModule():
    global rabbit, redis  # pylint: disable=global-statement
    if why_not():
        raise unittest.SkipTest(why_not())
    rabbit = broker.RabbitMQ()
    unittest.addModuleCleanup(rabbit.close)
    redis = broker.Redis()
    unittest.addModuleCleanup(redis.close)


class Servers:
    """Where members find them, as they find a Fleet's."""

    @property
    def rabbit(self):
        return rabbit

    @property
    def redis(self):
        return redis


class Program:
    """One of tests/fleet/foreign. What it prints, each line JSON, is in `said`."""

    def __init__(self, name, *words):
        self.said = []
        self._errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            ["node", CLIENTS / name, rabbit.url, redis.url, *words], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self._errors, text=True)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def errors(self):
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def next(self, count=1):
        """All that it said, once that is `count`."""
        def ready():
            if self.process.poll() not in (None, 0):
                raise AssertionError(f"it ended with {self.process.returncode}: {self.errors()}")
            return len(self.said) >= count and self.said
        return wait_until(f"it says {count} things", ready, 60)

    def close(self):
        self.process.kill()
        self.process.wait()
        self._thread.join()
        self.process.stdout.close()
        self._errors.close()


class Case(unittest.TestCase):
    def setUp(self):
        self.amqp = Amqp(rabbit.url)
        self.addCleanup(self.amqp.close)
        self.amqp.declare_exchange("code-execution.results", "topic")
        self.amqp.declare("results.all", durable=True)
        self.amqp.bind("results.all", "code-execution.results", "results.*")

    def program(self, *words):
        program = Program(*words)
        self.addCleanup(program.close)
        return program

    def member(self, kind, name, *flags, **more):
        member = kind(Servers(), f"{name}-{time.monotonic_ns()}", *flags, **more)
        self.addCleanup(member.close)
        wait_until(f"{name} is connected", lambda: all(
            f'"{server}_connected"' in member.log() for server in ("broker", "stream")))
        return member

    def nothing_waits(self, queue):
        wait_until(f"{queue} is empty", lambda: self.amqp.count(queue) == 0)


class Backends(Case):
    """The known service's backend; our workers."""

    def worker(self):
        return self.member(Worker, "worker")

    def backend(self, *words):
        return self.program("backend.mjs", *words)

    def test_a_job_and_its_lines_and_its_result(self):
        self.worker()
        for library in LIBRARIES:
            with self.subTest(library):
                sent, end = self.backend(library, "python", SPEAKS).next(2)
                result = end["result"]
                self.assertEqual(sorted(result), ["duration", "exit_code", "job_id", "output",
                                                  "workspace_id"], result)
                self.assertEqual(
                    (result["job_id"], result["workspace_id"], result["exit_code"],
                     result["output"]), (sent["sent"], "web-editor", 0, "50% a,b\noh\nlast\n"))
                self.assertGreaterEqual(result["duration"], 400)
                self.assertEqual((end["key"], end["contentType"]),
                                 ("results.python", "application/json"))
                self.assertEqual([(line["stream"], line["line"]) for line in end["lines"]], SAID)
                for line in end["lines"]:
                    self.assertEqual(list(line), ["job_id", "line", "stream", "timestamp"])
                    self.assertRegex(line["timestamp"], r"^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$")

    def test_their_names_of_languages_and_of_entries(self):
        self.worker()
        _, end = self.backend("ioredis", "nodejs", "console.log(require.main.filename)",
                              "start.js").next(2)
        self.assertEqual((end["key"], end["result"]["exit_code"]), ("results.nodejs", 0), end)
        self.assertTrue(end["result"]["output"].endswith("/start.js\n"), end)

    def test_a_program_that_fails(self):
        self.worker()
        _, end = self.backend("redis-6", "python", "import sys; print('x'); sys.exit(3)").next(2)
        self.assertNotEqual(end["result"]["exit_code"], 0)
        self.assertEqual(end["result"]["output"], "x\n")
        self.assertIn("3", end["result"]["error"])

    def test_what_is_no_json_is_taken_once(self):
        worker = self.worker()
        for body in (b"{", b"\xff", b"[]", b"null", b'{"job_id": 5}'):
            self.amqp.publish("code-execution.jobs", "jobs.python", body)
        wait_until("all are refused", lambda: worker.log().count('"job_refused"') == 5)
        time.sleep(0.5)
        self.assertEqual(worker.log().count('"job_refused"'), 5)
        self.nothing_waits("jobs.all-languages")
        self.assertEqual(self.backend("ioredis", "python", "print(1)").next(2)[1]["result"]["output"],
                         "1\n")

    def test_a_job_that_holds_or_prints_nul_is_answered(self):
        self.worker()
        self.nothing_waits("results.all")
        for job, source, output in (("prints", r"print('a\0b')", "a\0b\n"),
                                    ("holds", "print('a\0b')", "SyntaxError"),
                                    ("half", "print(ascii('\ud83d'))", "'\\ufffd'\n")):
            self.amqp.publish("code-execution.jobs", "jobs.python", json.dumps(
                {"job_id": job, "language": "python", "source_code": source}).encode())
            message = wait_until("it is answered", lambda: self.amqp.get("results.all"))
            result = json.loads(message[0])
            self.assertEqual(result["job_id"], job)
            self.assertIn(output, result["output"])

    def test_a_worker_that_dies_in_the_middle(self):
        first = self.worker()
        backend = self.backend("redis-5", "python", SLOW % 3)
        backend.next(1)
        wait_until("it has begun", lambda: self.begun(backend))
        self.worker()
        first.kill()
        end = backend.next(2)[1]
        self.assertEqual((end["result"]["exit_code"], end["result"]["output"]),
                         (0, "begun\ndone\n"))
        self.assertEqual([line["line"] for line in end["lines"]], ["begun", "begun", "done"])
        self.nothing_waits("jobs.all-languages")

    def begun(self, backend):
        with Redis(redis.port) as client:
            return client.call("HGET", f"runnel:run:{backend.said[0]['sent']}", "attempt")

    def test_a_job_that_ends_two_workers_is_dead(self):
        backend = self.backend("redis-4", "python", SLOW % 20)
        job = backend.next(1)[0]["sent"]
        for attempt in (b"1", b"2"):
            worker = self.worker()
            wait_until("it has begun", lambda wanted=attempt: self.begun(backend) == wanted, 30)
            worker.kill()
        self.worker()
        result = backend.next(2)[1]["result"]
        self.assertEqual((result["job_id"], result["exit_code"] != 0), (job, True))
        self.assertIn("2 workers", result["error"])
        self.nothing_waits("jobs.all-languages")


class Runners(Case):
    """The known service's runner; our fronts."""

    def front(self):
        return self.member(Front, "front", "--broker-form", "code-execution")

    def runner(self, *words):
        runner = self.program("runner.mjs", *words)
        runner.next(1)
        return runner

    def lines(self, front, job):
        """Until the job is over; as a subscriber hears them."""
        with WebSocket(front.port, f"/stream/{job}") as socket:
            socket.send_json({"type": "subscribe", "job_id": job})
            front.result(job)
            heard = []
            while not heard or heard[-1][1] != "last":
                data = socket.json()["data"]
                heard.append((data["stream"], data["line"]))
            return heard

    def test_a_job_goes_to_their_runner(self):
        front = self.front()
        for library in LIBRARIES:
            with self.subTest(library):
                runner = self.runner(library)
                job = front.submit("python", SPEAKS, workspace_id="mine")
                self.assertEqual(self.lines(front, job), SAID)
                record = front.result(job)
                self.assertEqual((record["status"], record["workspace_id"]), ("completed", "mine"))
                self.assertEqual((record["result"]["output"], record["result"]["exit_code"]),
                                 ("50% a,b\noh\nlast\n", 0))
                took = runner.next(2)[1]
                self.assertEqual(
                    {name: took["job"][name] for name in ("job_id", "workspace_id", "language", "url")},
                    {"job_id": job, "workspace_id": "mine", "language": "python",
                     "url": f"data:text/plain;filename=main.py,{SPEAKS}"})
                self.assertEqual((took["key"], took["messageId"], took["deliveryMode"]),
                                 ("jobs.python", job, 2))
                self.assertLess(abs(took["timestamp"] - time.time() * 1000), 60000)
                self.assertNotIn("contentType", took)
                runner.close()
        status, answer = front.request("GET", "/api/jobs")
        self.assertEqual((status, answer["count"] >= len(LIBRARIES)), (200, True))
        self.nothing_waits("results.all")

    def test_it_runs_from_its_first_line_on(self):
        front = self.front()
        self.runner("ioredis")
        job = front.submit("nodejs", "console.log('begun'); setTimeout(() => {}, 2000)")
        wait_until("it runs", lambda: front.job(job)["status"] == "submitted")
        self.assertEqual(front.result(job)["status"], "completed")

    def test_a_program_that_fails(self):
        front = self.front()
        self.runner("redis-6")
        record = front.result(front.submit("python", "print('x'); raise SystemExit(7)"))
        self.assertEqual((record["status"], record["result"]["output"],
                          record["result"]["exit_code"]), ("failed", "x\n", 1))

    def test_a_runner_that_says_no_lines(self):
        front = self.front()
        self.runner("ioredis", "quiet")
        record = front.result(front.submit("python", "print(1)\nprint(2)"))
        self.assertEqual((record["status"], record["result"]["output"]), ("completed", "1\n2\n"))

    def test_cancelled_it_is_over_at_once(self):
        front = self.front()
        self.runner("redis-5")
        job = front.submit("python", SLOW % 2)
        wait_until("it runs", lambda: front.job(job)["status"] == "submitted")
        self.assertEqual(front.request("DELETE", f"/api/jobs/{job}")[0], 200)
        self.assertEqual(front.result(job, 5)["status"], "cancelled")
        other = front.submit("python", "print(1)")  # behind the first one, which goes on there
        self.assertEqual(front.result(other)["status"], "completed")
        self.assertEqual(front.job(job)["status"], "cancelled")
        self.nothing_waits("results.all")

    def test_cancelled_before_a_runner_has_it(self):
        front = self.front()
        job = front.submit("python", "print(1)")
        self.assertEqual(front.request("DELETE", f"/api/jobs/{job}")[0], 200)
        self.assertEqual(front.result(job, 5)["status"], "cancelled")
        self.runner("ioredis")  # takes it all the same
        self.nothing_waits("jobs.all-languages")

    def test_a_result_may_come_to_any_front(self):
        fronts = [self.front(), self.front()]
        self.runner("redis-6")
        jobs = [(front, front.submit("python", f"print({n})"))
                for n in range(4) for front in fronts]
        for front, job in jobs:
            self.assertEqual(front.result(job)["status"], "completed")
        for front, job in jobs:
            other = fronts[front is fronts[0]]
            self.assertEqual(other.result(job)["result"]["output"],
                             front.result(job)["result"]["output"])

    def test_a_result_that_redis_refuses_is_kept_for_its_front(self):
        fronts = [self.front(), self.front()]  # which have the results in turn
        jobs = [(front, front.submit("python", f"print({n})"))
                for front in fronts for n in range(3)]
        with Redis(redis.port) as full:
            full.call("CONFIG", "SET", "maxmemory", "1")
            try:
                runner = self.runner("redis-6")
                runner.next(1 + len(jobs))
                wait_until("results come", lambda: any(
                    front.job(job)["status"] == "completed" for front, job in jobs))
                time.sleep(1)  # those of the other front, too
            finally:
                full.call("CONFIG", "SET", "maxmemory", "0")
        for front, job in jobs:
            self.assertEqual(front.result(job)["status"], "completed")
        self.nothing_waits("results.all")

    def test_a_result_that_is_too_large_is_an_end_on_any_front(self):
        fronts = [self.front(), self.front()]
        for front in fronts + fronts:  # whichever of them is given the result
            job = front.submit("python", "print(1)")
            self.amqp.publish("code-execution.results", "results.python", b"x" * (17 << 20),
                              message_id=job)
            record = front.result(job)
            self.assertEqual(record["status"], "failed")
            self.assertIn("above the maximum", json.dumps(record))
        self.nothing_waits("results.all")
        self.amqp.purge("jobs.all-languages")

    def test_a_result_that_holds_nul_is_an_end_as_any_other(self):
        front = self.front()
        job = front.submit("python", "print('a\\0b')")
        self.amqp.publish("code-execution.results", "results.python", json.dumps(
            {"job_id": job, "output": "a\0b\n", "exit_code": 0}).encode())
        record = front.result(job)
        self.assertEqual((record["status"], record["result"]["output"]), ("completed", "a\0b\n"))
        self.nothing_waits("results.all")
        self.amqp.purge("jobs.all-languages")

    def test_results_that_are_none_are_taken_once(self):
        front = self.front()
        long_id = json.dumps({"job_id": "x" * 500, "exit_code": 0}).encode()
        for body in (b"{", b"[]", b"\xff", b'{"job_id": "a"}', long_id):
            self.amqp.publish("code-execution.results", "results.python", body)
        wait_until("all are refused", lambda: front.log().count('"result_unreadable"') == 5)
        self.amqp.publish("code-execution.results", "results.python",
                          b'{"job_id": "nobody", "output": "", "exit_code": 0}')
        self.nothing_waits("results.all")
        self.runner("ioredis")
        self.assertEqual(front.result(front.submit("python", "print(1)"))["status"], "completed")
        self.assertEqual(front.log().count('"result_unreadable"'), 5)

    def test_our_own_workers_are_such_runners_too(self):
        front = self.front()
        worker = self.member(Worker, "worker")
        job = front.submit("python", SPEAKS, workspace_id="mine")
        self.assertEqual(self.lines(front, job), SAID)
        self.assertEqual(front.result(job)["result"]["output"], "50% a,b\noh\nlast\n")
        self.assertEqual(front.run("bash", "echo here")["output"], "here\n")  # in our own form
        worker.close()
        self.nothing_waits("results.all")

    def test_redis_begins_anew_while_a_job_speaks(self):
        front = self.front()
        self.runner("ioredis")
        job = front.submit("python", SLOW % 3)
        wait_until("it runs", lambda: front.job(job)["status"] == "submitted")
        redis.kill()
        redis.start()
        record = front.result(job)
        self.assertEqual((record["status"], record["result"]["output"]),
                         ("completed", "begun\ndone\n"))


if __name__ == "__main__":
    unittest.main()
