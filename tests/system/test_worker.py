# SPDX-License-Identifier: MIT
"""`runnel worker`, with a real RabbitMQ and a real Redis, and a front that is played."""

import json
import time
import unittest
import uuid

from fleet import ECHO, LANES, FleetTest, parse_event
from service import wait_until


class Jobs(FleetTest):
    def test_a_job_is_run_and_answered_on_both_ways(self):
        self.worker()
        job = self.front.job("import sys\nprint(input())\nprint('e', file=sys.stderr)\nsys.exit(3)",
                             input="hello\n")
        self.front.send(job)
        result = self.front.result(job["id"])
        self.assertEqual((result["verdict"], result["exit_code"]), ("failed", 3))
        kept = self.front.kept(job["id"])
        self.assertEqual(json.loads(kept["result"])["verdict"], "failed")
        self.assertEqual((kept["attempt"], kept["state"]), (b"1", b"finished"))
        self.assertEqual(self.front.output(job["id"]), b"hello\n")
        self.assertEqual(self.front.output(job["id"], "stderr"), b"e\n")
        self.assertEqual(result["last_event"], self.front.events(job["id"])[-1][0])
        self.assertFalse(self.front.redis("EXISTS", f"runnel:lease:{job['id']}"))
        for key in ("run", "events"):
            self.assertGreater(self.front.redis("TTL", f"runnel:{key}:{job['id']}"), 0)

    def test_events_are_numbered_without_a_hole_and_the_end_is_behind_them(self):
        job = self.front.job("for i in range(500): print(i, flush=True)")
        with self.front.follow(job["id"]) as follower:
            self.worker()
            self.front.send(job)
            events = []
            while not events or events[-1][2] != "end":
                events.append(parse_event(follower.message()))
        self.assertEqual([event[0] for event in events], list(range(1, len(events) + 1)))
        self.assertEqual(b"".join(event[4] for event in events if event[2] == "stdout"),
                         b"".join(b"%d\n" % i for i in range(500)))
        self.assertEqual([event[3] for event in events if event[2] == "state"],
                         [["preparing"], ["running"]])
        ids = [entry[0] for entry in self.front.redis("XRANGE", f"runnel:events:{job['id']}", "-", "+")]
        self.assertEqual(ids, [b"1-%d" % event[0] for event in events[:-1]])

    def test_a_result_has_all_that_a_bounded_run_said(self):
        self.worker()
        result = self.front.run("import sys\nfor i in range(300): print('x' * 999)")
        said = [parse_event(text.encode()) for text in result["events"]]
        self.assertEqual(b"".join(event[4] for event in said if event[2] == "stdout"),
                         (b"x" * 999 + b"\n") * 300)
        self.assertEqual([event[0] for event in said], list(range(1, result["last_event"] + 1)))
        self.assertEqual([event[:3] for event in said],
                         [event[:3] for event in self.front.events(result["id"])])
        # Redis has the events, so that its result need not have them too.
        self.assertNotIn("events", json.loads(self.front.kept(result["id"])["result"]))

    def test_many_jobs_of_all_lanes_end_once_each(self):
        worker = self.worker("--concurrency=3")
        lanes = {lane: [self.front.send(self.front.job(f"sleep 0.15; echo {i}", "bash", lane=lane),
                                        lane=lane) for i in range(8)]
                 for lane in LANES}
        for lane, runs in lanes.items():
            for i, run in enumerate(runs):
                self.assertEqual(self.front.result(run)["verdict"], "succeeded")
                self.assertEqual(self.front.output(run), b"%d\n" % i)
                self.assertEqual(len(self.front.answers(run)), 1, lane)
            self.assertGreaterEqual(int(self.front.redis("HGET", f"runnel:lane:{lane}", "out")), 8)
            self.assertGreater(int(self.front.redis("HGET", f"runnel:lane:{lane}", "service_ms")), 0)
        # It has held its consumers, and started them again; the broker took no offence.
        self.assertEqual(worker.events("broker_lost"), [])

    def test_a_job_that_is_there_twice_is_run_once(self):
        job = self.front.job("import time; time.sleep(1); print('once')")
        self.worker()
        self.worker()
        for _ in range(3):
            self.front.send(job)
        self.assertEqual(self.front.result(job["id"])["attempt"], 1)
        time.sleep(1.5) # so long a worker waits before it looks again at what another has
        self.assert_settled()
        self.assertEqual(len(self.front.answers(job["id"])), 1)
        self.assertEqual(self.front.output(job["id"]), b"once\n")

    def test_what_has_ended_is_not_run(self):
        job = self.front.job("print('never')")
        self.front.redis("HSET", f"runnel:run:{job['id']}", "result", "{}")
        self.front.send(job)
        before = self.front.redis("HGET", "runnel:lane:normal", "out")
        self.worker()
        wait_until("it waits no more",
                   lambda: self.front.redis("HGET", "runnel:lane:normal", "out") != before)
        self.assert_settled()
        self.assertEqual(self.front.events(job["id"]), [])
        self.assertFalse(self.front.redis("EXISTS", f"runnel:lease:{job['id']}"))

    def test_what_was_cancelled_before_is_not_run(self):
        job = self.front.job("print('never')")
        self.front.redis("HSET", f"runnel:run:{job['id']}", "cancel", "the client\nstopped it")
        self.front.send(job)
        self.worker()
        result = self.front.result(job["id"])
        self.assertEqual((result["verdict"], result["reason"]), ("cancelled", "the client?stopped it"))

    def test_what_has_waited_too_long_is_not_run(self):
        job = self.front.job("print('never')", submitted_ms=int(time.time() * 1000) - 5000,
                             limits={"queue_timeout_ms": 4000})
        self.front.send(job)
        self.worker()
        result = self.front.result(job["id"])
        self.assertEqual(result["verdict"], "queue_timeout")
        self.assertGreaterEqual(result["queued_ms"], 5000)

    def test_how_long_it_has_waited_is_told_by_redis_clock(self):
        """The clocks of its front and its worker may be hours apart."""
        seconds, _ = self.front.redis("TIME")
        self.worker()
        for front_is_behind_ms, waited_ms, verdict in ((7_200_000, 0, "succeeded"),
                                                       (-7_200_000, 5_000, "queue_timeout")):
            with self.subTest(verdict):
                job = self.front.job("print(1)", limits={"queue_timeout_ms": 4000},
                                     submitted_ms=int(time.time() * 1000) - front_is_behind_ms)
                self.front.redis("HSET", f"runnel:run:{job['id']}", "since",
                                 int(seconds) * 1000 - waited_ms)
                result = self.front.result(self.front.send(job))
                self.assertEqual(result["verdict"], verdict, result)
                self.assertLess(result["queued_ms"], 60_000)

    def test_a_language_that_nobody_has_is_said_so(self):
        self.worker()
        result = self.front.run("void main() {}", language="dart")
        self.assertEqual((result["verdict"], result["reason"]),
                         ("internal_error", "Dart is installed on no worker"))

    def test_what_the_engine_refuses_is_said_so(self):
        self.worker()
        result = self.front.run("print(1)", files=[{"path": "../x", "content": ""}])
        self.assertEqual(result["verdict"], "internal_error")
        self.assertIn("inside the workspace", result["reason"])

    def test_what_is_no_job_is_kept_apart(self):
        self.worker()
        before = self.front.amqp.count("runnel.dead")
        run = str(uuid.uuid4())
        for body, properties in ((b"\0garbage", {}), (b"{}", {}), (b"[" * 100000, {}),
                                 (b"{}", {"message_id": "x" * 200}),
                                 (b"not json", {"message_id": run,
                                                "reply_to": self.front.results_queue})):
            self.assertTrue(self.front.amqp.publish("runnel.jobs", "high", body, delivery_mode=2,
                                                    **properties))
        result = self.front.result(run)
        self.assertEqual(result["verdict"], "internal_error")
        self.assertIn("not a job", result["reason"])
        wait_until("all five are there", lambda: self.front.amqp.count("runnel.dead") == before + 5)
        self.assertEqual(self.front.run("print(1)")["verdict"], "succeeded")

    def test_artifacts_are_named_and_stay(self):
        self.worker()
        result = self.front.run("open('outputs/a.txt', 'w').write('abc')", folders=["outputs/"],
                                artifacts="outputs")
        self.assertEqual([(a["path"], a["size"]) for a in result["artifacts"]], [("a.txt", 3)])
        self.assertIn("machine", result["artifacts"][0]["refusal"])


class Live(FleetTest):
    def start(self, code, **fields):
        run = self.front.send(self.front.live_job(code, **fields))
        self.front.wait_state(run, "running")
        return run

    def test_a_program_is_talked_to(self):
        self.worker()
        run = self.start(ECHO)
        self.front.wait_state(run, "waiting")
        self.assertEqual(self.front.say(run, "input", data=b"one\n"), 1)
        self.front.wait_output(run, b"got one\n")
        self.front.say(run, "input", data=b"two\nthr")
        self.front.say(run, "input", data=b"ee\n")
        self.front.say(run, "eof")
        self.assertEqual(self.front.result(run)["verdict"], "succeeded")
        self.assertEqual(self.front.output(run), b"got one\ngot two\ngot three\n")

    def test_it_hears_signals_and_sees_its_window(self):
        self.worker()
        run = self.start("import os, signal, sys, time\n"
                         "def on(number, frame): print('size', *os.get_terminal_size())\n"
                         "signal.signal(signal.SIGWINCH, on)\n"
                         "signal.signal(signal.SIGUSR1, lambda *_: sys.exit(7))\n"
                         "print('ready')\nwhile True: time.sleep(0.05)", tty=True)
        self.front.wait_output(run, b"ready")
        self.front.say(run, "resize", 100, 30)
        self.front.wait_output(run, b"size 100 30")
        self.front.say(run, "signal", 10)
        self.assertEqual(self.front.result(run)["exit_code"], 7)

    def test_it_is_cancelled(self):
        self.worker()
        run = self.start(ECHO)
        self.front.say(run, "cancel", data=b"the client stopped it")
        result = self.front.result(run)
        self.assertEqual((result["verdict"], result["reason"]), ("cancelled", "the client stopped it"))

    def test_a_command_that_is_lost_is_told_and_one_that_comes_twice_is_not_obeyed(self):
        self.worker()
        run = self.start(ECHO)
        self.front.say(run, "input", data=b"one\n")
        self.front.redis("PUBLISH", f"runnel:commands:{run}", b"1 input\nagain\n")
        self.front.redis("PUBLISH", f"runnel:commands:{run}", b"no command")
        self.front.say(run, "input", data=b"three\n", skip=1)
        self.front.say(run, "eof")
        result = self.front.result(run)
        self.assertEqual(self.front.output(run), b"got one\ngot three\n")
        self.assertEqual(self.front.output(run, "notice").count(b"lost"), 1)
        self.assertEqual([event[0] for event in self.front.events(run)],
                         list(range(1, result["last_event"] + 1)))

    def test_output_that_nobody_takes_holds_the_program(self):
        self.worker()
        run = self.start("import sys\nfor i in range(8192): sys.stdout.write('x' * 1024)",
                         limits={"max_output_bytes": 262144, "idle_timeout_ms": 60000,
                                 "timeout_ms": 60000})

        def has(count):
            return self.front.redis("XLEN", f"runnel:events:{run}") and \
                sum(len(event[4]) for event in self.front.events(run)) >= count
        wait_until("a window of output", lambda: has(1024 * 1024))
        time.sleep(0.5)
        self.assertLess(len(self.front.output(run)), 1200 * 1024)
        self.front.say(run, "taken", 512 * 1024)
        wait_until("half a window more", lambda: has(1536 * 1024))
        time.sleep(0.3)
        self.assertLess(len(self.front.output(run)), 1700 * 1024)
        # One that takes all that it is sent, and says so now and then.
        wait_until("it ends", lambda: (self.front.say(run, "taken", 8 * 1024 * 1024),
                                        self.front.answers(run))[1])
        self.assertEqual(self.front.result(run)["verdict"], "succeeded")
        # Not all of it stands in the stream any more, and the rest is bounded.
        self.assertLess(len(self.front.output(run)), 5 * 1024 * 1024)

    def test_it_ends_when_its_front_is_gone(self):
        self.worker()
        run = self.start(ECHO, ends_unattended=True, unattended_ms=1000)
        result = self.front.result(run)
        self.assertEqual((result["verdict"], result["reason"]),
                         ("cancelled", "its last client left"))


if __name__ == "__main__":
    unittest.main()
