# SPDX-License-Identifier: MIT
"""A front that is killed and begins again with the same storage: its runs that workers have are
followed again, each to its own end, told once; those of which nobody knows are interrupted."""

import http.client
import json
import os
import sqlite3
import time
import unittest

from fleet import ANSWER_S, Ends, Fleet, wait_until
from amqp_client import Amqp
from websocket import Closed, Refused, WebSocket

LONGER_THAN_IT_LOOKS_S = 15


def start(front, language, code, **more):
    status, record = front.request("POST", "/v1/runs?wait=false",
                                   {"language": language, "code": code, **more})
    assert status == 201, record
    return record["id"]


def send(front, body, key):
    """A run that is waited for, and goes on when its client leaves: it leaves."""
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=60)
    connection.request("POST", "/v1/runs", json.dumps(body),
                       {"content-type": "application/json", "idempotency-key": key})
    return connection


def record_of(front, run):
    return front.request("GET", f"/v1/runs/{run}")[1]


def end_of(front, run, seconds=ANSWER_S):
    def ended():
        record = record_of(front, run)
        return record if record["verdict"] else None
    return wait_until(f"run {run} ends", ended, seconds)


def events_of(front, run):
    """As they are told once it has ended."""
    def told():
        status, _, text = front.request_raw("GET", f"/v1/runs/{run}/events")
        return text.decode() if status == 200 else None
    lines = wait_until("its events are told", told).splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]


def said(events, kind="stdout"):
    return "".join(event["data"] for event in events if event["type"] == kind)


def restart(front):
    front.kill()
    front.restart()


class Resumed(unittest.TestCase):
    def check_whole(self, front, run, record, output):
        events = events_of(front, run)
        kinds = [event["type"] for event in events]
        self.assertEqual((record["verdict"], record["stdout"]), ("succeeded", output), record)
        self.assertEqual((kinds.count("end"), kinds[-1]), (1, "end"), events)
        self.assertTrue(said(events) == output or kinds.count("gap") == 1, events)
        self.assertEqual(record["status"], "succeeded", record)
        self.assertEqual(record_of(front, run), record)

    def test_runs_that_wait_and_run_are_followed_to_their_ends(self):
        with Fleet(fronts=1, workers=1, slots=2) as fleet:
            front = fleet.fronts[0]
            ends = Ends(fleet)
            body = {"metadata": {"of": "test"}, "on_disconnect": "continue"}
            runs = {start(front, "bash", f"echo {n}; sleep 1.5; echo done {n}", **body):
                    f"{n}\ndone {n}\n" for n in range(6)}
            asked = send(front, {"language": "bash", "code": "sleep 1; echo asked"}, "key")
            wait_until("some run", lambda: any(record_of(front, run)["status"] == "running"
                                               for run in runs))
            with fleet.connect() as redis:
                wait_until("the broker has all", lambda: len(self.confirmed(redis)) == len(runs) + 1)
            restart(front)
            asked.close()
            for run, output in runs.items():
                record = end_of(front, run)
                self.check_whole(front, run, record, output)
                self.assertEqual((record["metadata"], record["language"]),
                                 ({"of": "test"}, "bash"))
            status, _, again = front.request_raw(
                "POST", "/v1/runs", {"language": "bash", "code": "sleep 1; echo asked"},
                {"idempotency-key": "key"})
            self.assertEqual((status, json.loads(again).get("stdout")), (200, "asked\n"), again)
            ends.close()
            self.assertEqual(ends.twice(), {})

    def test_one_that_ended_meanwhile_has_its_end(self):
        with Fleet(fronts=1, workers=1) as fleet:
            front = fleet.fronts[0]
            run = start(front, "bash",
                        "echo one; sleep 1; mkdir -p outputs; echo file > outputs/file; exit 3")
            wait_until("it runs", lambda: record_of(front, run)["status"] == "running")
            front.kill()
            time.sleep(2.5)
            front.restart()
            record = end_of(front, run)
            self.assertEqual((record["verdict"], record["exit_code"], record["stdout"]),
                             ("failed", 3, "one\n"), record)
            self.assertEqual(record["artifacts"], [])
            self.assertEqual([refused["name"] for refused in record["artifacts_refused"]],
                             ["file"], record)

    def test_a_conversation_goes_on(self):
        with Fleet(fronts=1, workers=1) as fleet:
            front = fleet.fronts[0]
            run = start(front, "bash", "while read -r line; do echo got $line; done")
            with WebSocket(front.port, f"/v1/runs/{run}/stream") as socket:
                socket.send_json({"type": "input", "data": "first\n"})
                self.hear(socket, "got first")
                restart(front)
            with wait_until("it can be attached to", lambda: self.attach(front, run)) as socket:
                self.hear(socket, "got first")
                socket.send_json({"type": "input", "data": "second\n"})
                self.hear(socket, "got second")
                socket.send_json({"type": "eof"})
                heard = self.hear(socket, None)
            self.assertNotIn("notice", [event["type"] for event in heard], heard)
            self.assertEqual(end_of(front, run)["stdout"], "got first\ngot second\n")

    @staticmethod
    def attach(front, run):
        try:
            return WebSocket(front.port, f"/v1/runs/{run}/stream")
        except (Refused, OSError):
            return None

    def hear(self, socket, wanted):
        """Until that was said; None: until the end."""
        heard = []
        try:
            while wanted is None or wanted not in said(heard):
                heard.append(socket.json())
        except Closed:
            self.assertIsNone(wanted, heard)
        return heard

    def test_one_that_is_cancelled_by_the_new_process_ends(self):
        with Fleet(fronts=1, workers=1, slots=1) as fleet:
            front = fleet.fronts[0]
            running = start(front, "bash", "sleep 50")
            waiting = start(front, "bash", "sleep 50")
            wait_until("one runs", lambda: record_of(front, running)["status"] == "running")
            restart(front)
            for run in (waiting, running):
                wait_until("it takes the word", lambda run=run: front.request_raw(
                    "DELETE", f"/v1/runs/{run}")[0] == 202)
                self.assertEqual(end_of(front, run)["verdict"], "cancelled")

    def test_what_nobody_knows_is_interrupted(self):
        with Fleet(fronts=1, workers=1) as fleet:
            front = fleet.fronts[0]
            front.run("bash", "true")
            run = start(front, "bash", "echo up")
            self.assertEqual(end_of(front, run)["verdict"], "succeeded")
            front.kill()
            # As if it had died before it was sent.
            with sqlite3.connect(os.path.join(front.storage(), "runnel.db")) as rows:
                rows.execute("UPDATE runs SET verdict = 0, finished_ms = 0 WHERE id = ?", (run,))
            fleet.connect().call("FLUSHALL")
            front.restart()
            status, answer = front.request("GET", f"/v1/runs/{run}")
            self.assertEqual((status, answer["verdict"]), (200, None), answer)
            self.assertEqual(front.request_raw("GET", f"/v1/runs/{run}/events")[0], 503)
            record = end_of(front, run, 90)
            self.assertEqual(record["verdict"], "internal_error")
            self.assertIn("interrupted", record["reason"])
            self.assertEqual([event["type"] for event in events_of(front, run)], ["end"])

    def start_sent(self, front, redis, lane="normal"):
        """A run that the broker has."""
        run = start(front, "bash", "echo up", priority=lane, on_disconnect="continue")
        wait_until("the broker has it", lambda: run in self.confirmed(redis))
        return run

    @staticmethod
    def confirmed(redis):
        """Those of /v1/runs that the broker has, or had."""
        runs = [run.decode() for run in redis.call("ZREVRANGE", "runnel:runs", "0", "-1")]
        return [run for run in runs if run.startswith("run_")
                and not redis.call("HGET", f"runnel:run:{run}", "sending")]

    def assert_interrupted(self, record):
        self.assertEqual(record["verdict"], "internal_error", record)
        self.assertIn("interrupted", record["reason"])

    def test_one_that_the_broker_never_had_does_not_wait_for_its_deadline(self):
        with Fleet(fronts=1, workers=1) as fleet, fleet.connect() as redis:
            front = fleet.fronts[0]
            ends = Ends(fleet)
            fleet.workers.pop().close()
            lost, kept = (self.start_sent(front, redis, lane) for lane in ("low", "normal"))
            front.kill()
            # As if neither had been confirmed, and one had not come.
            for run in (lost, kept):
                redis.call("HSET", f"runnel:run:{run}", "sending", "1")
            with Amqp(fleet.rabbit.url) as amqp:
                amqp.purge("runnel.jobs.low")
            front.restart()
            record = end_of(front, lost)
            self.assert_interrupted(record)
            self.assertEqual(record_of(front, kept)["verdict"], None)
            fleet.add_worker()
            self.check_whole(front, kept, end_of(front, kept), "up\n")
            self.assertEqual(record_of(front, lost), record)
            for lane in ("low", "normal"):  # or those who come later were told too high a place
                came, began = redis.call("HMGET", f"runnel:lane:{lane}", "in", "out")
                self.assertEqual(came, began, lane)
            ends.close()
            self.assertEqual(ends.twice(), {})

    def test_who_comes_back_for_one_that_is_looked_for_has_its_end(self):
        body, key = {"language": "bash", "code": "echo up"}, "key"
        with Fleet(fronts=1, workers=1) as fleet, fleet.connect() as redis:
            front = fleet.fronts[0]
            fleet.workers.pop().close()
            asked = send(front, body, key)
            run = wait_until("the broker has it", lambda: next(iter(self.confirmed(redis)), None))
            front.kill()
            asked.close()
            redis.call("HSET", f"runnel:run:{run}", "sending", "1")
            with Amqp(fleet.rabbit.url) as amqp:
                amqp.purge("runnel.jobs.normal")
            front.restart()
            status, _, again = front.request_raw("POST", "/v1/runs", body, {"idempotency-key": key})
            self.assertEqual((status, json.loads(again)["id"]), (200, run))
            self.assert_interrupted(json.loads(again))

    def test_redis_knows_whether_the_broker_has_a_run(self):
        with Fleet(fronts=1, workers=1) as fleet, fleet.connect() as redis:
            front = fleet.fronts[0]
            fleet.rabbit.freeze()
            try:
                asked = send(front, {"language": "bash", "code": "echo up"}, "key")
                run = wait_until("it is on its way", lambda: next((
                    run.decode() for run in redis.call("ZREVRANGE", "runnel:runs", "0", "-1")
                    if redis.call("HGET", f"runnel:run:{run.decode()}", "sending")), None))
            finally:
                fleet.rabbit.thaw()
            self.assertEqual(json.loads(asked.getresponse().read())["stdout"], "up\n")
            asked.close()
            self.assertEqual(redis.call("HEXISTS", f"runnel:run:{run}", "sending"), 0)

    def test_another_s_job_in_its_place_is_not_followed(self):
        with Fleet(fronts=1, workers=1) as fleet, fleet.connect() as redis:
            front = fleet.fronts[0]
            fleet.workers.pop().close()
            mixed_up = self.start_sent(front, redis)
            front.kill()
            job = json.loads(redis.call("HGET", f"runnel:run:{mixed_up}", "job"))
            job["id"] = "another"
            redis.call("HSET", f"runnel:run:{mixed_up}", "job", json.dumps(job))
            front.restart()
            self.assert_interrupted(end_of(front, mixed_up))

    def test_redis_that_forgot_it_is_no_end(self):
        with Fleet(fronts=1, workers=1) as fleet:
            front = fleet.fronts[0]
            asked = send(front, {"language": "bash", "code": "echo a; sleep 3; echo b"}, "key")
            run = wait_until("it is there", lambda: next(
                (run["id"] for run in front.request("GET", "/v1/runs")[1]["runs"]), None))
            wait_until("it runs", lambda: record_of(front, run)["status"] == "running")
            front.kill()
            asked.close()
            fleet.connect().call("FLUSHALL")
            front.restart()
            record = end_of(front, run)
            self.assertEqual((record["verdict"], record["stdout"]), ("succeeded", "a\nb\n"), record)

    def test_redis_that_does_not_say_is_not_redis_that_does_not_know(self):
        for forbidden in ("eval", "hget"):
            with self.subTest(forbidden), Fleet(fronts=1, workers=1) as fleet, \
                    fleet.connect() as redis:
                front = fleet.fronts[0]
                fleet.workers.pop().close()
                run = self.start_sent(front, redis)
                front.kill()
                redis.call("ACL", "SETUSER", "default", f"-{forbidden}")
                try:
                    front.restart()
                    time.sleep(LONGER_THAN_IT_LOOKS_S)
                    self.assertEqual(record_of(front, run)["verdict"], None)
                    self.assertIn("run_not_looked_up", front.log())
                finally:
                    redis.call("ACL", "SETUSER", "default", f"+{forbidden}")
                fleet.add_worker()
                self.check_whole(front, run, end_of(front, run), "up\n")

    def test_without_a_broker_they_are_interrupted(self):
        with Fleet(fronts=1, workers=1) as fleet:
            front = fleet.fronts[0]
            run = start(front, "bash", "sleep 2; echo late")
            wait_until("it runs", lambda: record_of(front, run)["status"] == "running")
            front.kill()
            at = front._command.index("--broker")
            del front._command[at:at + 6]
            front.restart()
            record = record_of(front, run)
            self.assertEqual(record["verdict"], "internal_error", record)
            self.assertIn("interrupted", record["reason"])


if __name__ == "__main__":
    unittest.main()
