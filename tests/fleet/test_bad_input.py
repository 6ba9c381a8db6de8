# SPDX-License-Identifier: MIT
"""What strangers put into the broker and into Redis, members that are not welcome, and servers that
are none: each gets the documented answer, nothing crashes, and the next run works."""

import json
import socket
import time
import unittest
import uuid

from fleet import ANSWER_S, Fleet, Front, Worker, wait_until
from amqp_client import Amqp  # which lies where fleet looks, too
from resp import Redis
from websocket import WebSocket

HOPES_S = 60.0  # a job that newer workers may know is given back twenty times
ANSWERS = "runnel.results.stranger"
CRASHES = ("AddressSanitizer", "LeakSanitizer", "runtime error", "Assertion")


def job(run, source="echo hi", **fields):
    return {"fleet_version": 1, "id": run, "lane": "normal", "language": "bash", "profile": "execute",
            "submitted_ms": int(time.time() * 1000), "source": source, **fields}


def new_id():
    return str(uuid.uuid4())


class Silent:
    """It accepts, and never answers."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


class Elsewhere:
    """As a fleet, with other addresses."""

    def __init__(self, fleet, rabbit=None, redis=None):
        self.rabbit = type("Server", (), {"url": rabbit or fleet.rabbit.url})
        self.redis = type("Server", (), {"url": redis or fleet.redis.url})


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(fronts=1, workers=1)
        cls.front, cls.worker = cls.fleet.fronts[0], cls.fleet.workers[0]
        cls.amqp = Amqp(cls.fleet.rabbit.url)
        cls.redis = Redis(cls.fleet.redis.port)
        cls.amqp.declare(ANSWERS)

    @classmethod
    def tearDownClass(cls):
        cls.redis.close()
        cls.amqp.close()
        cls.fleet.close()

    def tearDown(self):
        for member in (self.front, self.worker):
            self.assertIsNone(member.process.poll(), member.log()[-4000:])
            for crash in CRASHES:
                self.assertNotIn(crash, member.log())
        wait_until("the next run works", self.front.runs, ANSWER_S)

    def publish(self, body, lane="normal", **properties):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.assertTrue(self.amqp.publish("runnel.jobs", lane, data, **properties))
        return data

    def next_of(self, queue, seconds=ANSWER_S):
        return wait_until(f"a message in {queue}", lambda: self.amqp.get(queue), seconds)

    def result_of(self, run, seconds=ANSWER_S):
        """As it was told to a front that is us."""
        while True:
            result = json.loads(self.next_of(ANSWERS, seconds)[0])
            if result["id"] == run:
                return result

    def drain_dead(self):
        while self.amqp.get("runnel.dead"):
            pass

    # --- jobs ---

    def test_bodies_that_are_no_jobs_are_kept_for_people(self):
        self.drain_dead()
        bodies = [b"", b"nonsense", b"{", b"[]", b'"job"', b"\xff\xfe\0", b"[" * 100000,
                  b'{"fleet_version": 1}', b'{"fleet_version": "one"}', b'{"fleet_version": 1e9}',
                  json.dumps(job("two words")).encode(), json.dumps(job("x" * 100)).encode(),
                  json.dumps(job(new_id(), profile="compile")).encode(),
                  json.dumps(job(new_id(), source={"base64": "?"})).encode(),
                  json.dumps(job(new_id(), folders=["../"])).encode(),
                  json.dumps(job(new_id(), args=[None])).encode(),
                  json.dumps(job(new_id(), limits={"timeout_ms": -1})).encode()]
        wanted = [self.publish(body) for body in bodies]
        found = [self.next_of("runnel.dead")[0] for _ in bodies]
        self.assertEqual(sorted(found), sorted(wanted))

    def test_who_waits_for_what_is_no_job_is_told(self):
        run = new_id()
        self.publish(b"nonsense", message_id=run, reply_to=ANSWERS)
        result = self.result_of(run)
        self.assertEqual(result["verdict"], "internal_error")
        self.assertIn("not a job", result["reason"])

    def test_message_ids_that_name_no_run(self):
        self.drain_dead()
        ids = ["", "a b", "\x1b[2J", "x" * 255, "*", "../../x", "\n"]
        for each in ids:
            self.publish(b"nonsense", message_id=each, reply_to="amq.rabbitmq.nobody")
        for _ in ids:
            self.next_of("runnel.dead")

    def test_large_bodies(self):
        self.drain_dead()
        self.publish(b"x" * (10 << 20))
        self.assertEqual(len(self.next_of("runnel.dead")[0]), 10 << 20)
        self.publish(b'{"fleet_version": 1, "id": "' + b"x" * (17 << 20))
        self.assertEqual(len(self.next_of("runnel.dead")[0]), 17 << 20 | 28)
        run = new_id()
        self.publish(b"x" * (17 << 20), message_id=run, reply_to=ANSWERS)
        result = self.result_of(run)
        self.assertEqual((result["verdict"], "longer than" in result["reason"]),
                         ("internal_error", True), result)
        run = new_id()
        self.publish(job(run, "#" * (10 << 20) + "\necho hi"), reply_to=ANSWERS)
        self.assertIn(self.result_of(run)["verdict"], ("succeeded", "internal_error"))

    def test_languages_and_versions_that_nobody_knows(self):
        self.drain_dead()
        language, version = new_id(), new_id()
        self.publish(job(language, language="klingon"), message_id=language, reply_to=ANSWERS)
        self.publish({**job(version), "fleet_version": 2}, message_id=version, reply_to=ANSWERS)
        self.assertTrue(self.front.runs())  # nobody waits for these
        results = {}
        while len(results) < 2:
            result = json.loads(self.next_of(ANSWERS, HOPES_S)[0])
            results[result["id"]] = (result["verdict"], result["reason"])
        self.assertEqual(results[language][0], "internal_error")
        self.assertIn("klingon", results[language][1])
        self.assertEqual(results[version][0], "internal_error")
        self.assertIn("version 2", results[version][1])
        for _ in range(2):
            self.next_of("runnel.dead")

    def test_a_job_of_a_stranger_is_run(self):
        run = new_id()
        self.publish(job(run), reply_to=ANSWERS)
        self.assertEqual(self.result_of(run)["verdict"], "succeeded")

    # --- results ---

    def test_results_that_nobody_waits_for(self):
        queue = f"runnel.results.of.{self.front.name}"
        result = {"fleet_version": 1, "id": new_id(), "worker": "stranger", "attempt": 1,
                  "verdict": "succeeded", "reason": "so", "last_event": 0}
        bodies = [b"", b"nonsense", b"[]", json.dumps(result).encode(), b"x" * (10 << 20),
                  json.dumps({**result, "verdict": "fine"}).encode(),
                  json.dumps({**result, "fleet_version": 9}).encode(),
                  json.dumps({**result, "events": ["1 1 0 end\n", 7]}).encode()]
        for body in bodies:
            self.assertTrue(self.amqp.publish("", queue, body))
        wait_until("all are taken", lambda: self.amqp.count(queue) == 0)

    # --- Redis ---

    def conversation(self, code="while read -r line; do echo got $line; done"):
        status, record = self.front.request("POST", "/v1/runs?wait=false", {
            "language": "bash", "code": code})
        self.assertEqual(status, 201, record)
        talk = WebSocket(self.front.port, f"/v1/runs/{record['id']}/stream")
        self.addCleanup(talk.socket.close)
        return record["id"], talk

    def says(self, talk, word):
        talk.send_json({"type": "input", "data": word + "\n"})
        said = ""
        while f"got {word}\n" not in said:
            event = talk.json()
            said += event.get("data", "") if event["type"] == "stdout" else ""

    def ends(self, run, talk):
        talk.send_json({"type": "eof"})
        def verdict():
            return self.front.request("GET", f"/v1/runs/{run}")[1]["verdict"]
        self.assertEqual(wait_until("it ends", verdict), "succeeded")

    def test_garbage_on_channels(self):
        run, talk = self.conversation()
        self.says(talk, "one")
        events = [b"", b"x", b"\n", b"1\n", b"999 1 0 nonsense\n", b"-1 1 0 stdout\nx",
                  b"99999999999999999999 1 0 stdout\nx", b"18446744073709551615 1 0 stdout\nx",
                  b"5 1 0 state dancing\n", b"1 1 0 end\nnonsense", b"9 1 0 end\n{}", b"\0" * 100000]
        commands = [b"", b"x", b"\n", b"0 eof\n", b"1 dance\n", b"7 signal 99\n", b"7 signal\n",
                    b"7 resize 0 0\n", b"7 resize 99999999 1\n", b"1 taken -1\n", b"\xff" * 100000]
        for payload in events:
            self.redis.call("PUBLISH", f"runnel:events:{run}", payload)
        for payload in commands:
            self.redis.call("PUBLISH", f"runnel:commands:{run}", payload)
        for channel in ("runnel:events:", "runnel:commands:", "runnel:events:*"):
            self.redis.call("PUBLISH", channel, "x")
        self.says(talk, "two")
        self.ends(run, talk)

    def test_numbers_at_their_end(self):
        run, talk = self.conversation()
        self.says(talk, "one")
        self.redis.call("PUBLISH", f"runnel:events:{run}", b"9223372036854775807 1 0 usage 1 1\n")
        time.sleep(0.5)
        self.assertLess(self.front.request("GET", "/health", timeout=5)[0], 500)
        self.front.request("DELETE", f"/v1/runs/{run}")

    def test_taken_more_than_there_is(self):
        run, talk = self.conversation("read -r line; echo got $line; read -r line; seq 1 400000; "
                                      "while read -r line; do echo got $line; done")
        self.says(talk, "one")
        self.redis.call("PUBLISH", f"runnel:commands:{run}", b"2 taken 18446744073709551615\n")
        talk.send_json({"type": "input", "data": "has the number of the forged one\n"})
        talk.send_json({"type": "input", "data": "go\n"})
        self.says(talk, "two")
        self.ends(run, talk)

    def replace(self, key, command, *words):
        """In one step: a worker that runs the job writes the same keys meanwhile."""
        self.redis.call("MULTI")
        self.redis.call("DEL", key)
        self.redis.call(command, key, *words)
        self.redis.call("EXEC")

    def spoil(self, run):
        for key, words in ((f"runnel:run:{run}", ("SET", "x")),
                           (f"runnel:events:{run}", ("SADD", "x")),
                           (f"runnel:lease:{run}", ("HSET", "a", "b"))):
            self.replace(key, *words)

    def test_keys_of_other_kinds_before_a_job(self):
        run = new_id()
        self.spoil(run)
        self.publish(job(run), reply_to=ANSWERS)
        self.assertEqual(self.result_of(run)["verdict"], "succeeded")
        self.assertEqual(self.redis.call("HGET", f"runnel:run:{run}", "state"), b"finished")

    def test_keys_of_other_kinds_cost_other_runs_nothing(self):
        run, talk = self.conversation()
        self.says(talk, "one")
        spoilt = self.front.submit("bash", "sleep 8; echo done")
        wait_until("it runs", lambda: self.front.job(spoilt)["status"] == "submitted")
        self.spoil(spoilt)
        time.sleep(7)  # longer than a lease lasts
        self.says(talk, "two")
        self.ends(run, talk)
        record = self.front.result(spoilt)
        self.assertEqual((record["status"], record["result"]["output"]), ("completed", "done\n"))

    def test_a_fleet_whose_keys_are_of_other_kinds(self):
        for key in ("runnel:runs", "runnel:members", "runnel:lane:normal", "runnel:lane:high",
                    f"runnel:worker:{self.worker.name}", f"runnel:front:{self.front.name}"):
            self.replace(key, "LPUSH", "x")
        self.assertTrue(self.front.runs())
        time.sleep(5)
        wait_until("the worker is seen", lambda: self.front.request("GET", "/v1/stats")[1]["workers"])
        for key in ("runnel:runs", "runnel:lane:normal", "runnel:lane:high"):
            self.redis.call("DEL", key)

    def test_jobs_that_are_found_and_are_none(self):
        for value in (b"", b"nonsense", b"[]", json.dumps(job(new_id())).encode(),
                      json.dumps({**job(new_id()), "language": "klingon"}).encode()):
            run = new_id()
            self.redis.call("HSET", f"runnel:run:{run}", "job", value)
            self.assertEqual(self.front.request("GET", f"/api/jobs/{run}")[0], 404)
            self.redis.call("DEL", f"runnel:run:{run}")
        run = new_id()
        self.redis.call("SET", f"runnel:run:{run}", "x")
        self.assertEqual(self.front.request("GET", f"/api/jobs/{run}")[0], 404)

    def test_ids_of_clients(self):
        for run in ("*", "%00", "%0d%0aFLUSHALL", "..%2f", "x" * 39, "x" * 40, "x" * 4000, "%ff"):
            self.assertIn(self.front.request("GET", f"/api/jobs/{run}")[0], (400, 404, 414), run)

    def test_members_that_are_none(self):
        for number, value in enumerate((b"", b"x", b"{}", b"[]", b"null", b"x" * 100000, b"[" * 10000)):
            self.redis.call("SET", f"runnel:worker:bad{number}", value)
            self.redis.call("SADD", "runnel:members", f"runnel:worker:bad{number}")
        self.redis.call("SADD", "runnel:members", b"\0", b"", b"x" * 10000)
        time.sleep(2.5)
        names = [worker["name"] for worker in self.front.request("GET", "/v1/stats")[1]["workers"]]
        self.assertEqual(names, [self.worker.name])
        for number in range(7):
            self.redis.call("DEL", f"runnel:worker:bad{number}")

    # --- members ---

    def test_two_of_one_name(self):
        for make in (Worker, Front):
            name = (self.worker if make is Worker else self.front).name
            with self.subTest(make=make.__name__):
                twin = make(self.fleet, name, **({"wait": False} if make is Front else {}))
                self.addCleanup(twin.close)
                queue = "runnel.jobs.normal" if make is Worker else f"runnel.results.of.{name}"
                end = time.monotonic() + 30
                while twin.process.poll() is None and time.monotonic() < end:
                    self.assertEqual(self.amqp.consumers(queue), 1)  # who had the name before
                self.assertNotEqual(twin.process.wait(1), 0)
                self.assertIn(f'the name "{name}" is taken', twin.log())
                if make is Worker:
                    self.assertNotIn("run_finished", twin.log())

    def test_wrong_passwords(self):
        rabbit = self.fleet.rabbit.url.replace(":guest@", ":opensesame@")
        redis = self.fleet.redis.url.replace("//", "//:opensesame@")
        for make in (Worker, Front):
            for urls, said in (({"rabbit": rabbit}, "refuses the login"),
                               ({"redis": redis}, "it refuses the password")):
                with self.subTest(make=make.__name__, said=said):
                    member = make(Elsewhere(self.fleet, **urls), "stranger")
                    try:
                        wait_until(said, lambda m=member, s=said: s in m.log())
                        time.sleep(0.5)
                        self.assertIsNone(member.process.poll())  # it tries again
                        self.assertNotIn("opensesame", member.log())
                    finally:
                        member.close()

    def test_servers_that_never_answer(self):
        with Silent() as silent:
            for make in (Worker, Front):
                for urls in ({"rabbit": f"amqp://guest:guest@127.0.0.1:{silent.port}/"},
                             {"redis": f"redis://127.0.0.1:{silent.port}"}):
                    with self.subTest(make=make.__name__, urls=urls):
                        self.meets_silence(make(Elsewhere(self.fleet, **urls), "stranger"), urls)

    def meets_silence(self, member, urls):
        try:
            if isinstance(member, Front):
                self.assertTrue(member.answers())
                status, answer = member.request("POST", "/api/execute", {
                    "language": "bash", "source_code": "echo up"})
                self.assertEqual(status, 503 if "rabbit" in urls else status, answer)
            wait_until("it is told", lambda: "_lost" in member.log(), 30)
            self.assertIsNone(member.process.poll())
            began = time.monotonic()
            member.process.terminate()
            self.assertEqual(member.process.wait(30), 0)
            self.assertLess(time.monotonic() - began, 20)
        finally:
            member.close()


if __name__ == "__main__":
    unittest.main()
