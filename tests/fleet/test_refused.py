# SPDX-License-Identifier: MIT
"""A Redis that is there and takes nothing: full, or a copy of another. Runs go on and end, nobody
tries for ever, and all is well once it takes things again."""

import concurrent.futures
import contextlib
import time
import unittest

from fleet import ANSWER_S, Ends, Fleet, wait_until
from amqp_client import Amqp
from websocket import Closed, WebSocket

FAULTS = {
    "full": (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
    "a copy": (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    "not ours to write": (("ACL", "SETUSER", "default", "-@write"),
                          ("ACL", "SETUSER", "default", "+@all")),
}
LONGER_THAN_A_LEASE_S = 7


class Refused(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(fronts=2, workers=1, slots=2)
        cls.one, cls.other = cls.fleet.fronts

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()

    @contextlib.contextmanager
    def fault(self, name):
        begin, end = FAULTS[name]
        with contextlib.closing(self.fleet.connect()) as redis:
            redis.call(*begin)
            try:
                yield
            finally:
                redis.call(*end)

    def each(self, check):
        for name in FAULTS:
            with self.subTest(name):
                check(name)
                wait_until("all is well again", lambda: all(
                    front.runs() for front in self.fleet.fronts), ANSWER_S)

    def end_of(self, run):
        return wait_until(f"run {run} ends", lambda: (
            lambda record: record if record["verdict"] else None)(
                self.one.request("GET", f"/v1/runs/{run}")[1]), ANSWER_S)

    def start(self, code, **fields):
        status, record = self.one.request("POST", "/v1/runs?wait=false", {
            "language": "bash", "code": code, "on_disconnect": "continue", **fields})
        self.assertEqual(status, 201, record)
        return record["id"]

    def test_runs_end_with_all_that_they_said(self):
        def check(name):
            job = self.one.submit("bash", "sleep 3; echo job")
            with self.fault(name):
                text = "".join(f"{n}\n" for n in range(2000))
                with concurrent.futures.ThreadPoolExecutor() as pool:
                    asked = [pool.submit(self.one.run, "bash", "seq 0 1999", timeout=ANSWER_S)
                             for _ in range(6)]
                    self.assertEqual([each.result()["output"] for each in asked], [text] * 6)
                self.assertEqual(self.one.result(job)["result"]["output"], "job\n")
            # What Redis is owed it gets.
            wait_until("the other front knows its end", lambda: (
                lambda record: record and record["status"] == "completed")(self.other.job(job)))
        self.each(check)

    def test_a_run_that_nobody_waits_for_ends_as_it_did(self):
        """What it said is missed: its stream is looked at before its end is told, which came by the
        broker, once."""
        def check(name):
            with self.fault(name):
                run = self.start("echo up; sleep 1; exit 3")
                record = self.end_of(run)
                self.assertEqual((record["verdict"], record["exit_code"]), ("failed", 3), record)
        self.each(check)

    def test_a_run_that_nobody_hears_of_has_not_waited_too_long(self):
        """It begins at once, which its worker cannot say; its time in the queue is up long before its
        end."""
        def check(name):
            with self.fault(name):
                run = self.start("sleep 5", limits={"queue_timeout_ms": 2000})
                self.assertEqual(self.end_of(run)["verdict"], "succeeded")
        self.each(check)

    def test_what_waits_or_runs_can_be_cancelled(self):
        """Of what waits that cannot be written down: its client is answered, and a worker may run
        it in vain."""
        def check(name):
            with self.fault(name):
                runs = [self.start("sleep 30") for _ in range(2)]
                time.sleep(2)  # they run, which nobody can say
                runs += [self.start("sleep 3") for _ in range(3)]
                for run in runs:
                    self.one.request("DELETE", f"/v1/runs/{run}")
                verdicts = [self.end_of(run)["verdict"] for run in runs]
                self.assertEqual(verdicts[:2], ["cancelled"] * 2)
                self.assertLessEqual(set(verdicts), {"cancelled", "succeeded"})
        self.each(check)

    def test_a_conversation_outlasts_it(self):
        """Its worker could not say for longer than a lease lasts that it lives."""
        def check(name):
            run = self.start("while read -r line; do echo got $line; done")
            with WebSocket(self.one.port, f"/v1/runs/{run}/stream") as socket:
                socket.send_json({"type": "input", "data": "first\n"})
                self.hear(socket, "got first")
                with self.fault(name):
                    time.sleep(LONGER_THAN_A_LEASE_S)
                time.sleep(4)
                self.assertEqual(self.one.request("GET", f"/v1/runs/{run}")[1]["verdict"], None)
                socket.send_json({"type": "input", "data": "second\n"})
                socket.send_json({"type": "eof"})
                self.assertIn("got second", self.hear(socket, None))
            self.assertEqual(self.end_of(run)["verdict"], "succeeded")
        self.each(check)

    def test_a_conversation_that_begins_meanwhile_goes_on_afterwards(self):
        """Its worker could not say that it has it, and says so when it can."""
        def check(name):
            with self.fault(name):
                run = self.start("sleep 5; echo up; while read -r line; do echo got $line; done")
                time.sleep(3)  # it has begun
            with WebSocket(self.one.port, f"/v1/runs/{run}/stream") as socket:
                self.hear(socket, "up")
                time.sleep(LONGER_THAN_A_LEASE_S)
                self.assertEqual(self.one.request("GET", f"/v1/runs/{run}")[1]["verdict"], None)
                socket.send_json({"type": "input", "data": "word\n"})
                socket.send_json({"type": "eof"})
                self.assertIn("got word", self.hear(socket, None))
            self.assertEqual(self.end_of(run)["verdict"], "succeeded")
        self.each(check)

    @staticmethod
    def hear(socket, wanted):
        said = ""
        with contextlib.suppress(Closed):
            while wanted is None or wanted not in said:
                event = socket.json()
                said += event.get("data", "") if event["type"] == "stdout" else ""
        return said

    def test_members_that_begin_meanwhile_work(self):
        def check(name):
            with self.fault(name):
                worker = self.fleet.add_worker()
                front = self.fleet.add_front()
                old = self.fleet.workers.pop(0)
                old.close()
                wait_until("it runs", front.runs, ANSWER_S)
                self.assertLess(len(worker.log().splitlines()), 100, worker.log()[-4000:])
            self.fleet.fronts.remove(front)
            front.close()
        self.each(check)

    def test_nobody_waits_at_the_broker_either(self):
        """A job whose front is gone, and its queue with it, holds no place of a worker's."""
        def check(name):
            ends = Ends(self.fleet)
            with contextlib.closing(self.fleet.connect()) as redis:
                front = self.fleet.add_front()
                wait_until("it runs", front.runs)
                job = front.submit("bash", "sleep 2; echo alone")
                wait_until("it runs", lambda: front.job(job)["status"] == "submitted")
                with self.fault(name):
                    self.fleet.fronts.remove(front)
                    front.kill()
                    front.close()
                    self.forget_queue(front)
                    # A Redis that is full takes an end all the same: it makes room first.
                    wait_until("it ends", lambda: redis.call(
                        "HEXISTS", f"runnel:run:{job}", "result") == 1 or
                        self.said(job, "result_untold"))
                    self.assertEqual([self.one.run("bash", "echo up", timeout=ANSWER_S)["output"]
                                      for _ in range(4)], ["up\n"] * 4)
                self.assertEqual(self.said(job, "result_untold"), int(name != "full"))
                wait_until("Redis has it", lambda: redis.call(
                    "HEXISTS", f"runnel:run:{job}", "result") == 1)
                record = self.other.result(job)
                self.assertEqual(record["result"]["output"], "alone\n", record)
            ends.close()
            self.assertEqual(ends.twice(), {})
        self.each(check)

    def test_what_redis_is_owed_is_no_second_end(self):
        """Somebody else ended the run meanwhile, or has it still."""
        with contextlib.closing(self.fleet.connect()) as redis:
            def after_the_fault(*meanwhile):
                with self.fault("not ours to write"):
                    job = self.one.submit("bash", "true")
                    self.one.result(job)
                redis.call(*[word.format(job) for word in meanwhile])
                return f"runnel:run:{job}"
            ended = after_the_fault("HSET", "runnel:run:{}", "result", "first")
            had = after_the_fault("SET", "runnel:lease:{}", "another", "PX", "60000")
            time.sleep(LONGER_THAN_A_LEASE_S)  # Redis has got by then what it is owed
            self.assertGreater(redis.call("TTL", ended), 0)
            self.assertEqual(redis.call("HGET", ended, "result"), b"first")
            self.assertEqual(redis.call("HEXISTS", had, "result"), 0)

    def forget_queue(self, front):
        with Amqp(self.fleet.rabbit.url) as amqp:
            amqp.delete(f"runnel.results.of.{front.name}")

    def said(self, job, what):
        return sum(job in line and what in line for worker in self.fleet.workers
                   for line in worker.log().splitlines())


if __name__ == "__main__":
    unittest.main()
