# SPDX-License-Identifier: MIT
"""What a worker does when something ends: itself, another worker, the broker, Redis."""

import json
import time
import unittest

from fleet import ECHO, LANES, FleetTest, Worker, parse_event
from service import descendants, wait_until


class Losses(FleetTest):
    SLOW = "import time\nprint('begun', flush=True)\ntime.sleep(2)\nprint('over')"

    def test_a_batch_run_begins_again_when_its_worker_dies(self):
        first = self.worker()
        run = self.front.send(self.front.job("import time\nprint('begun', flush=True)\ntime.sleep(3)"))
        self.front.wait_output(run, b"begun")
        self.worker()
        first.kill()
        result = self.front.result(run)
        self.assertEqual((result["verdict"], result["attempt"]), ("succeeded", 2))
        self.assertEqual([(event[0], event[1]) for event in self.front.events(run) if event[1] == 2],
                         [(number, 2) for number in range(1, result["last_event"] + 1)])
        self.assertEqual(self.front.kept(run)["attempt"], b"2")

    def test_one_that_ends_two_workers_is_dead(self):
        dead = self.front.amqp.count("runnel.dead")
        run = self.front.send(self.front.job("print('begun', flush=True)\nwhile True: pass"))
        for attempt in (1, 2):
            worker = self.worker()
            wait_until("it has begun", lambda: any(event[1] == attempt and event[4].startswith(b"begun")
                                                   for event in self.front.events(run)))
            worker.kill()
        self.worker()
        result = self.front.result(run)
        self.assertEqual((result["verdict"], result["reason"]),
                         ("internal_error", "2 workers were lost while they had this run"))
        wait_until("it is kept apart", lambda: self.front.amqp.count("runnel.dead") == dead + 1)

    def test_a_run_that_somebody_talks_to_does_not_begin_again(self):
        first = self.worker()
        run = self.front.send(self.front.live_job("input()"))
        self.front.wait_state(run, "running")
        self.worker()
        first.kill()
        began = time.monotonic()
        result = self.front.result(run)
        self.assertEqual((result["verdict"], result["reason"]), ("internal_error", "worker lost"))
        self.assertLess(time.monotonic() - began, 10)

    def test_a_worker_that_another_has_taken_its_run_from_lets_go(self):
        worker = self.worker()
        run = self.front.send(self.front.job(self.SLOW))
        self.front.wait_output(run, b"begun")
        self.front.redis("SET", f"runnel:lease:{run}", "another", "PX", 6000)
        wait_until("it lets go", lambda: worker.events("run_abandoned"))
        self.assertEqual(self.front.answers(run), [])
        result = self.front.result(run)
        self.assertEqual((result["verdict"], result["attempt"]), ("succeeded", 2))

    def test_a_worker_that_another_has_begun_before_lets_go(self):
        """Who has lost its connection finds that out when it says once more what it has."""
        worker = self.worker()
        for meanwhile, attempt in ((("worker", "another"), 2),
                                   (("worker", "another", "attempt", 2, "given_back", 1), 3)):
            with self.subTest(meanwhile):
                run = self.front.send(self.front.job(self.SLOW))
                self.front.wait_output(run, b"begun")
                self.front.redis("HSET", f"runnel:run:{run}", *meanwhile)
                self.cut_stream(worker)
                result = self.front.result(run)
                self.assertEqual((result["verdict"], result["attempt"]), ("succeeded", attempt))
                self.assertIn(run, [line["run"] for line in worker.events("run_abandoned")])
                self.assertEqual(len(self.front.answers(run)), 1)

    def test_a_result_that_comes_second_is_none(self):
        self.worker()
        run = self.front.send(self.front.job(self.SLOW))
        self.front.wait_output(run, b"begun")
        self.front.redis("HSET", f"runnel:run:{run}", "result", "first")
        self.assert_settled()
        self.assertEqual(self.front.kept(run)["result"], b"first")
        self.assertEqual(self.front.answers(run), [])

    def test_a_worker_that_is_killed_leaves_the_service_up(self):
        worker = self.worker()
        run = self.front.send(self.front.job(self.SLOW))
        self.front.wait_output(run, b"begun")
        worker.kill_front()
        result = self.front.result(run)
        self.assertEqual((result["verdict"], result["attempt"]), ("succeeded", 2))


class Ending(FleetTest):
    def test_an_idle_one_ends_at_once(self):
        worker = self.worker()
        self.assertEqual(worker.stop(5), 0)
        self.assertEqual(descendants(worker.process.pid), [])

    def test_what_runs_may_end_and_what_waits_is_given_back(self):
        worker = self.worker("--concurrency=1")
        runs = [self.front.send(self.front.job("import time\ntime.sleep(2)\nprint('over')", lane=lane),
                                lane=lane) for lane in LANES]
        self.front.wait_state(runs[0], "running")
        self.assertEqual(worker.stop(), 0)
        self.assertEqual(self.front.result(runs[0])["verdict"], "succeeded")
        for run in runs[1:]:
            self.assertEqual(self.front.answers(run), [])
            self.assertEqual(self.front.events(run), [])
        self.worker("--concurrency=2")
        for run in runs[1:]:
            self.assertEqual(self.front.result(run)["attempt"], 1)

    def test_after_the_grace_a_batch_run_is_given_back_and_a_live_one_is_cancelled(self):
        worker = self.worker("--concurrency=2", "--shutdown-grace=300ms")
        batch = self.front.send(self.front.job("import time\nprint('begun', flush=True)\ntime.sleep(2)"))
        live = self.front.send(self.front.live_job("input()"))
        self.front.wait_output(batch, b"begun")
        self.front.wait_state(live, "running")
        self.assertEqual(worker.stop(), 0)
        result = self.front.result(live)
        self.assertEqual((result["verdict"], result["reason"]),
                         ("cancelled", "the worker is shutting down"))
        self.assertEqual(self.front.kept(batch)["given_back"], b"1")
        began = time.monotonic()
        for _ in range(2): # however often: nobody died of it
            self.worker("--shutdown-grace=1ms").wait_ready()
        result = self.front.result(batch)
        self.assertEqual((result["verdict"], result["attempt"]), ("succeeded", 2))
        self.assertLess(time.monotonic() - began, 10)

    def test_a_second_signal_hurries_it(self):
        worker = self.worker("--shutdown-grace=60")
        run = self.front.send(self.front.live_job("input()"))
        self.front.wait_state(run, "running")
        worker.process.terminate()
        wait_until("it is stopping", lambda: worker.events("stopping"))
        self.assertEqual(worker.stop(), 0)
        self.assertEqual(self.front.result(run)["verdict"], "cancelled")


class ServersAway(FleetTest):
    SPEAKS = "import time\nfor i in range(30):\n    print(i, flush=True)\n    time.sleep(0.1)"
    SAID = b"".join(b"%d\n" % i for i in range(30))

    def setUp(self):
        super().setUp()
        for server in (self.rabbit, self.redis):
            self.addCleanup(self.bring_back, server)

    @staticmethod
    def bring_back(server):
        if server.process.poll() is not None:
            server.start()

    def said(self, result):
        """What stands in the result itself, which must be whole."""
        events = [parse_event(text.encode()) for text in result["events"]]
        self.assertEqual([event[0] for event in events], list(range(1, result["last_event"] + 1)))
        return b"".join(event[4] for event in events if event[2] == "stdout")

    def test_without_redis_jobs_are_run_and_redis_hears_of_it_later(self):
        worker = self.worker()
        self.redis.kill()
        run = self.front.send(self.front.job(self.SPEAKS), tell=False)
        result = self.front.result(run)
        self.assertEqual((result["verdict"], self.said(result)), ("succeeded", self.SAID))
        self.redis.start()
        self.front.connect()
        wait_until("it is there again", lambda: len(worker.events("stream_connected")) == 2)
        wait_until("Redis has the result", lambda: self.front.kept(run).get("result"))
        self.assertGreater(self.front.redis("TTL", f"runnel:run:{run}"), 0)

    def test_redis_begins_anew_while_a_run_speaks(self):
        self.worker()
        run = self.front.send(self.front.job(self.SPEAKS))
        self.front.wait_output(run, b"3\n")
        self.redis.kill()
        time.sleep(0.3)
        self.redis.start()
        result = self.front.result(run)
        self.assertEqual((result["verdict"], self.said(result)), ("succeeded", self.SAID))
        self.front.connect()
        self.assertEqual(self.said(json.loads(self.front.kept(run)["result"])), self.SAID)
        self.assertEqual(len(self.front.answers(run)), 1)
        for key in self.front.redis("KEYS", f"*{run}"):
            self.assertGreater(self.front.redis("TTL", key), 0, key)

    def test_a_live_run_is_talked_to_again_after_redis_was_away(self):
        worker = self.worker()
        run = self.front.send(self.front.live_job(ECHO))
        self.front.wait_state(run, "running")
        self.redis.kill()
        self.redis.start()
        self.front.connect()
        worker.wait_ready(1)
        wait_until("the worker listens", lambda: self.front.say(run, "input", data=b"hello\n"))
        self.front.wait_output(run, b"got hello\n")
        self.front.say(run, "eof")
        self.assertEqual(self.front.result(run)["verdict"], "succeeded")

    def test_redis_is_stuck_for_a_while(self):
        self.worker()
        run = self.front.send(self.front.job(self.SPEAKS))
        self.front.wait_output(run, b"3\n")
        self.redis.freeze()
        self.addCleanup(self.redis.thaw)
        result = self.front.result(run, 30)
        self.assertEqual((result["verdict"], self.said(result)), ("succeeded", self.SAID))
        self.redis.thaw()
        wait_until("Redis has the result", lambda: self.front.kept(run).get("result"))

    def test_a_connection_to_redis_that_breaks_costs_no_run(self):
        worker = self.worker()
        batch = self.front.send(self.front.job(self.SPEAKS))
        live = self.front.send(self.front.live_job(ECHO))
        self.front.wait_output(batch, b"3\n")
        self.front.wait_state(live, "running")
        for _ in range(2):
            self.cut_stream(worker)
        result = self.front.result(batch)
        self.assertEqual((result["verdict"], result["attempt"], self.said(result)),
                         ("succeeded", 1, self.SAID))
        wait_until("the worker listens", lambda: self.front.say(live, "input", data=b"hello\n"))
        self.front.wait_output(live, b"got hello\n")
        self.front.say(live, "eof")
        self.assertEqual(self.front.result(live)["verdict"], "succeeded")
        self.assertEqual(worker.events("run_abandoned"), [])

    def test_a_run_outlasts_a_redis_that_was_stuck(self):
        worker = self.worker()
        run = self.front.send(self.front.job(
            "import time\nprint('begun', flush=True)\ntime.sleep(12)\nprint('over')",
            limits={"timeout_ms": 60000}))
        self.front.wait_output(run, b"begun")
        self.redis.freeze()
        self.addCleanup(self.redis.thaw)
        wait_until("it is gone for the worker", lambda: worker.events("stream_lost"))
        self.redis.thaw()
        result = self.front.result(run)
        self.assertEqual((result["verdict"], result["attempt"], self.said(result)),
                         ("succeeded", 1, b"begun\nover\n"))

    def test_the_broker_begins_anew_while_a_run_speaks(self):
        worker = self.worker()
        run = self.front.send(self.front.job(self.SPEAKS))
        self.front.wait_output(run, b"3\n")
        self.rabbit.kill()
        wait_until("the run has ended", lambda: self.front.kept(run).get("result"))
        self.assertEqual(self.front.output(run), self.SAID)
        self.rabbit.start()
        self.front.connect()
        worker.wait_ready(1)
        wait_until("it is connected again", lambda: len(worker.events("broker_connected")) == 2)
        self.assertEqual(self.front.run("print(1)")["verdict"], "succeeded")
        self.assertEqual(self.front.kept(run)["attempt"], b"1")
        self.assertEqual(self.front.output(run), self.SAID)

    def test_both_are_away_at_the_end_of_a_run(self):
        worker = self.worker()
        run = self.front.send(self.front.job(self.SPEAKS))
        self.front.wait_output(run, b"3\n")
        self.rabbit.kill()
        self.redis.kill()
        time.sleep(4)
        self.redis.start()
        self.rabbit.start()
        self.front.connect()
        kept = wait_until("Redis has the result", lambda: self.front.kept(run).get("result"))
        result = json.loads(kept)
        self.assertEqual((result["verdict"], result["attempt"], self.said(result)),
                         ("succeeded", 1, self.SAID))
        # It comes once more, and is known.
        wait_until("it is connected again", lambda: len(worker.events("broker_connected")) == 2)
        self.assertEqual(self.front.run("print(1)")["verdict"], "succeeded")

    def test_a_wrong_password_is_told_and_not_shown(self):
        for url in (self.rabbit.url.replace(":guest@", ":sesame@"), self.rabbit.url):
            stream = self.redis.url if "sesame" in url else self.redis.url.replace("//", "//:sesame@")
            with Worker(url, stream, wait=False) as worker:
                wait_until("it is told", lambda: [line for line in worker.events("broker_lost") +
                                                  worker.events("stream_lost")])
                self.assertNotIn("sesame", worker.log())
                self.assertIsNone(worker.process.poll())

    def test_two_workers_do_not_have_one_name(self):
        first = self.worker()
        second = self.worker(name=first.name, wait=False)
        self.assertNotIn(second.process.wait(20), (0, None))
        self.assertIn(first.name, second.events("fleet_refused")[0]["reason"])
        self.assertEqual(self.front.run("print(1)")["verdict"], "succeeded")
        self.workers.remove(second)


if __name__ == "__main__":
    unittest.main()
