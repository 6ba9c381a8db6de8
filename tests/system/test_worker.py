# SPDX-License-Identifier: MIT
"""`runnel worker`, with a real RabbitMQ and a real Redis, and a front that is played."""

import json
import os
import signal
import time
import unittest
import uuid

import broker
from fleet import LANES, PlayedFront, Worker, parse_event
from redis_client import RedisClient
from service import descendants, wait_until

rabbit = redis = None


def setUpModule():
    global rabbit, redis  # pylint: disable=global-statement
    if not broker.is_installed():
        raise unittest.SkipTest("rabbitmq-server or redis-server is not installed")
    rabbit = broker.RabbitMQ()
    unittest.addModuleCleanup(rabbit.close)
    redis = broker.Redis()
    unittest.addModuleCleanup(redis.close)
    with Worker(rabbit.url, redis.url):
        pass # it has declared the queues


class Fleet(unittest.TestCase):
    """A front that is played, and workers as a test wants them."""

    def worker(self, *flags, **more):
        worker = Worker(rabbit.url, redis.url, *(flags or ("--concurrency=2",)), **more)
        self.addCleanup(worker.close)
        self.workers.append(worker)
        return worker

    def setUp(self):
        self.workers = []
        self.front = PlayedFront(rabbit.url, redis.url)
        self.addCleanup(self.front.close)

    def tearDown(self):
        self.assert_settled()

    def assert_settled(self):
        """No job is left: a worker that ends gives back what it has not settled."""
        for worker in self.workers:
            if worker.process.poll() is None:
                self.assertEqual(worker.stop(), 0)
        wait_until("no job is left", lambda: all(self.front.amqp.count(f"runnel.jobs.{lane}") == 0
                                                 for lane in LANES))


class Jobs(Fleet):
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
        self.worker("--concurrency=3")
        lanes = {lane: [self.front.send(self.front.job(f"print({i})", "bash", source=f"echo {i}",
                                                       lane=lane), lane=lane) for i in range(8)]
                 for lane in LANES}
        for lane, runs in lanes.items():
            for i, run in enumerate(runs):
                self.assertEqual(self.front.result(run)["verdict"], "succeeded")
                self.assertEqual(self.front.output(run), b"%d\n" % i)
                self.assertEqual(len(self.front.answers(run)), 1, lane)
            self.assertGreaterEqual(int(self.front.redis("HGET", f"runnel:lane:{lane}", "out")), 8)
            self.assertGreater(int(self.front.redis("HGET", f"runnel:lane:{lane}", "service_ms")), 0)

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
        self.worker()
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


class Live(Fleet):
    ECHO = "import sys\nfor line in sys.stdin:\n    print('got', line.strip(), flush=True)\n"

    def start(self, code, **fields):
        run = self.front.send(self.front.live_job(code, **fields))
        self.front.wait_state(run, "running")
        return run

    def test_a_program_is_talked_to(self):
        self.worker()
        run = self.start(self.ECHO)
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
        run = self.start(self.ECHO)
        self.front.say(run, "cancel", data=b"the client stopped it")
        result = self.front.result(run)
        self.assertEqual((result["verdict"], result["reason"]), ("cancelled", "the client stopped it"))

    def test_a_command_that_is_lost_is_told_and_one_that_comes_twice_is_not_obeyed(self):
        self.worker()
        run = self.start(self.ECHO)
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
        self.front.say(run, "taken", 64 * 1024 * 1024)
        self.assertEqual(self.front.result(run)["verdict"], "succeeded")
        # Not all of it stands in the stream any more, and the rest is bounded.
        self.assertLess(len(self.front.output(run)), 5 * 1024 * 1024)

    def test_it_ends_when_its_front_is_gone(self):
        self.worker()
        run = self.start(self.ECHO, ends_unattended=True, unattended_ms=1000)
        result = self.front.result(run)
        self.assertEqual((result["verdict"], result["reason"]),
                         ("cancelled", "its last client left"))


class Losses(Fleet):
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
            wait_until("it has begun", lambda: any(event[1] == attempt and event[4] == b"begun"
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
        os.kill(worker.front(), signal.SIGKILL)
        result = self.front.result(run)
        self.assertEqual((result["verdict"], result["attempt"]), ("succeeded", 2))


class ServersAway(Fleet):
    SPEAKS = "import time\nfor i in range(30):\n    print(i, flush=True)\n    time.sleep(0.1)"
    SAID = b"".join(b"%d\n" % i for i in range(30))

    def setUp(self):
        super().setUp()
        for server in (rabbit, redis):
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
        redis.kill()
        run = self.front.send(self.front.job(self.SPEAKS), tell=False)
        result = self.front.result(run)
        self.assertEqual((result["verdict"], self.said(result)), ("succeeded", self.SAID))
        redis.start()
        self.front.connect()
        wait_until("it is there again", lambda: len(worker.events("stream_connected")) == 2)
        wait_until("Redis has the result", lambda: self.front.kept(run).get("result"))
        self.assertGreater(self.front.redis("TTL", f"runnel:run:{run}"), 0)

    def test_redis_begins_anew_while_a_run_speaks(self):
        self.worker()
        run = self.front.send(self.front.job(self.SPEAKS))
        self.front.wait_output(run, b"3\n")
        redis.kill()
        time.sleep(0.3)
        redis.start()
        result = self.front.result(run)
        self.assertEqual((result["verdict"], self.said(result)), ("succeeded", self.SAID))
        self.front.connect()
        self.assertEqual(self.said(json.loads(self.front.kept(run)["result"])), self.SAID)
        self.assertEqual(len(self.front.answers(run)), 1)
        for key in self.front.redis("KEYS", f"*{run}"):
            self.assertGreater(self.front.redis("TTL", key), 0, key)

    def test_a_live_run_is_talked_to_again_after_redis_was_away(self):
        worker = self.worker()
        run = self.front.send(self.front.live_job(Live.ECHO))
        self.front.wait_state(run, "running")
        redis.kill()
        redis.start()
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
        redis.freeze()
        self.addCleanup(redis.thaw)
        result = self.front.result(run, 30)
        self.assertEqual((result["verdict"], self.said(result)), ("succeeded", self.SAID))
        redis.thaw()
        wait_until("Redis has the result", lambda: self.front.kept(run).get("result"))

    def test_the_broker_begins_anew_while_a_run_speaks(self):
        worker = self.worker()
        run = self.front.send(self.front.job(self.SPEAKS))
        self.front.wait_output(run, b"3\n")
        rabbit.kill()
        wait_until("the run has ended", lambda: self.front.kept(run).get("result"))
        self.assertEqual(self.front.output(run), self.SAID)
        rabbit.start()
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
        rabbit.kill()
        redis.kill()
        time.sleep(4)
        redis.start()
        rabbit.start()
        self.front.connect()
        kept = wait_until("Redis has the result", lambda: self.front.kept(run).get("result"))
        result = json.loads(kept)
        self.assertEqual((result["verdict"], result["attempt"], self.said(result)),
                         ("succeeded", 1, self.SAID))
        # It comes once more, and is known.
        wait_until("it is connected again", lambda: len(worker.events("broker_connected")) == 2)
        self.assertEqual(self.front.run("print(1)")["verdict"], "succeeded")

    def test_a_wrong_password_is_told_and_not_shown(self):
        for url in (rabbit.url.replace(":guest@", ":sesame@"), rabbit.url):
            stream = redis.url if "sesame" in url else redis.url.replace("//", "//:sesame@")
            with Worker(url, stream, wait=False) as worker:
                wait_until("it is told", lambda: [line for line in worker.events("broker_lost") +
                                                  worker.events("stream_lost")])
                self.assertNotIn("sesame", worker.log())
                self.assertIsNone(worker.process.poll())

    def test_two_workers_do_not_have_one_name(self):
        first = self.worker()
        second = self.worker(name=first.name, wait=False)
        self.assertNotIn(second.process.wait(20), (0, None))
        self.assertIn(first.name, second.events("fleet_refused")[0]["why"])
        self.assertEqual(self.front.run("print(1)")["verdict"], "succeeded")
        self.workers.remove(second)


class Foreign(Fleet):
    """Backends of the code-execution form, as their own programs speak."""

    def setUp(self):
        super().setUp()
        amqp = self.front.amqp
        amqp.declare_exchange("code-execution.results", "topic")
        amqp.declare("results.all", durable=True)
        amqp.bind("results.all", "code-execution.results", "results.*")
        while amqp.get("results.all"):
            pass

    def submit(self, code, language="python", **fields):
        run = str(uuid.uuid4())
        body = {"job_id": run, "workspace_id": "web-editor", "language": language,
                "url": f"data:text/plain;filename=main.py,{code}", **fields}
        self.send(run, language, json.dumps(body).encode())
        return run

    def send(self, run, language, body):
        self.assertTrue(self.front.amqp.publish("code-execution.jobs", f"jobs.{language}", body,
                                                delivery_mode=2, message_id=run,
                                                timestamp=int(time.time() * 1000)))

    def result(self):
        """(key's language is in it) what their backend would read, and its properties."""
        body, properties = wait_until("a result", lambda: self.front.amqp.get("results.all"))
        return json.loads(body), properties

    def test_a_job_of_theirs_is_run_and_its_lines_come_as_they_are_written(self):
        self.worker()
        run = str(uuid.uuid4())
        code = "import sys\nprint('50%', 'a,b')\nprint('oh', file=sys.stderr)\nprint('rest', end='')"
        with RedisClient(redis.url) as follower:
            follower.subscribe(f"execution:{run}")
            self.submit_as(run, code)
            result, properties = self.result()
            lines = [json.loads(follower.message()) for _ in range(3)]
        self.assertEqual({name: result[name] for name in ("job_id", "workspace_id", "exit_code")},
                         {"job_id": run, "workspace_id": "web-editor", "exit_code": 0})
        self.assertEqual(sorted(result["output"]), sorted("50% a,b\noh\nrest"))
        self.assertEqual(properties["content_type"], "application/json")
        self.assertEqual({(line["job_id"], line["stream"], line["line"]) for line in lines},
                         {(run, "stdout", "50% a,b"), (run, "stderr", "oh"), (run, "stdout", "rest")})
        self.assertTrue(all(line["timestamp"].endswith("Z") for line in lines))

    def submit_as(self, run, code, language="python"):
        self.send(run, language, json.dumps({
            "job_id": run, "workspace_id": "web-editor", "language": language,
            "url": f"data:text/plain;filename=main.py,{code}"}).encode())

    def test_each_is_answered_once_in_their_words(self):
        self.worker()
        runs = {self.submit("import sys; sys.exit(3)"): 3,
                self.submit("console.log(1)", "nodejs"): 0}
        for _ in runs:
            result, _ = self.result()
            self.assertEqual(result["exit_code"], runs.pop(result["job_id"]))
        self.assertEqual(runs, {})
        self.assertIsNone(self.front.amqp.get("results.all"))

    def test_what_they_may_not_have_is_refused(self):
        self.worker("--dependencies=python:numpy")
        run = self.submit("print(1)", dependencies=["numpy", "leftpad"])
        result, _ = self.result()
        self.assertEqual((result["job_id"], result["exit_code"] != 0), (run, True))
        self.assertIn("leftpad", result["error"])
        self.send("x", "python", b"no json")
        self.send("x", "python", b'{"job_id": "known", "language": "python"}')
        self.assertEqual(self.result()[0]["job_id"], "known")
        self.submit("print(1)", dependencies=["numpy"])
        self.assertEqual(self.result()[0]["output"], "1\n")

    def test_one_whose_worker_dies_is_run_again(self):
        first = self.worker()
        run = self.submit("import time\nprint('begun', flush=True)\ntime.sleep(2)")
        wait_until("it has begun", lambda: self.front.kept(run).get("attempt"))
        self.worker()
        first.kill()
        result, _ = self.result()
        self.assertEqual((result["job_id"], result["exit_code"]), (run, 0))
        self.assertEqual(self.front.kept(run)["attempt"], b"2")
        self.assertIsNone(self.front.amqp.get("results.all"))

    def test_what_comes_twice_is_answered_once(self):
        self.worker()
        run = str(uuid.uuid4())
        for _ in range(3):
            self.submit_as(run, "import time; time.sleep(0.5)")
        self.assertEqual(self.result()[0]["job_id"], run)
        time.sleep(1.5)
        self.assertIsNone(self.front.amqp.get("results.all"))
        self.assert_settled()
        self.assertEqual(self.front.amqp.count("jobs.all-languages"), 0)


class Ending(Fleet):
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


if __name__ == "__main__":
    unittest.main()
