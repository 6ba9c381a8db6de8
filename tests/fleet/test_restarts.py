# SPDX-License-Identifier: MIT
"""RabbitMQ and Redis that are killed and come back, or hang, under load; members that hang.

FLEET_RABBITMQ (5) and FLEET_REDIS (20): how many restarts."""

import concurrent.futures
import os
import time
import unittest

from fleet import ANSWER_S, Ends, Fleet, wait_until
from test_killed import Load
from websocket import Closed, WebSocket

RABBITMQ = int(os.environ.get("FLEET_RABBITMQ", "5"))
REDIS = int(os.environ.get("FLEET_REDIS", "20"))
SETTLED_S = 5  # RabbitMQ forgets queues that are younger when it is killed


class Restarts(unittest.TestCase):
    def under_load(self, fleet, disturb, wrong_ends=Ends.twice):
        """What is promised meanwhile is kept: judged with the front that took the job, whose
        memory is not Redis'."""
        ends = Ends(fleet)
        load = Load(fleet)
        disturb()
        time.sleep(1)
        load.stop()
        self.assertGreater(len(load.promised), 0)
        wrong = {}
        for job, wanted in load.promised.items():
            record = fleet.fronts[0].result(job, 2 * ANSWER_S)
            if (record.get("result") or {}).get("output") != wanted:
                wrong[job] = record
        self.assertEqual(wrong, {}, f"of {len(load.promised)}")
        ends.close()
        self.assertEqual(wrong_ends(ends), {})

    def works(self, fleet):
        wait_until("it works again", fleet.fronts[0].runs, ANSWER_S)

    def test_rabbitmq_is_killed_again_and_again(self):
        with Fleet(fronts=1, workers=2) as fleet:
            def disturb():
                time.sleep(SETTLED_S)
                for _ in range(RABBITMQ):
                    fleet.rabbit.kill()
                    time.sleep(0.3)
                    fleet.rabbit.start()
                    self.works(fleet)
            self.under_load(fleet, disturb)

    def test_redis_is_killed_again_and_again(self):
        with Fleet(fronts=1, workers=2) as fleet:
            def disturb():
                for _ in range(REDIS):
                    fleet.redis.kill()
                    time.sleep(0.2)
                    fleet.redis.start()
                    self.works(fleet)
            self.under_load(fleet, disturb, Ends.differing)

    def test_health_says_what_is_connected_and_runs_are_told_when_to_come_again(self):
        with Fleet(fronts=1, workers=1) as fleet:
            def says(broker, stream):
                status, health = fleet.fronts[0].request("GET", "/health")
                self.assertEqual((status, health["status"]), (200, "UP"), health)
                return (health["broker_connected"], health["stream_connected"]) == (broker, stream)
            self.assertTrue(says(True, True))
            fleet.redis.stop()
            wait_until("the stream is missed", lambda: says(True, False))
            fleet.rabbit.stop()
            wait_until("so is the broker", lambda: says(False, False))
            for path, body in (("/api/execute", {"language": "bash", "source_code": "true"}),
                               ("/execute", {"language": "bash", "code": "true"}),
                               ("/v1/runs", {"language": "bash", "code": "true"})):
                status, headers, text = fleet.fronts[0].request_raw("POST", path, body)
                self.assertEqual(status, 503, text)
                self.assertGreaterEqual(int(headers["Retry-After"]), 1)
            fleet.redis.start()
            fleet.rabbit.start()
            wait_until("both are back", lambda: says(True, True), ANSWER_S)
            self.works(fleet)

    def test_without_redis_runs_are_answered_whole(self):
        with Fleet(fronts=1, workers=1) as fleet:
            fleet.redis.stop()
            time.sleep(0.5)
            answer = fleet.fronts[0].run("bash", "seq 1 1000; echo done", timeout=ANSWER_S)
            self.assertEqual(answer["output"], "".join(f"{n}\n" for n in range(1, 1001)) + "done\n")

    def test_a_live_reader_is_told_of_what_redis_took_with_it(self):
        with Fleet(fronts=1, workers=1) as fleet:
            front = fleet.fronts[0]
            run = front.request("POST", "/v1/runs?wait=false", {
                "language": "bash", "code": "echo one; sleep 3; echo two; sleep 4; echo three"})[1]
            socket = WebSocket(front.port, f"/v1/runs/{run['id']}/stream")
            kinds, said = [], ""
            while "one" not in said:
                event = socket.json()
                said += event.get("data", "") if event["type"] == "stdout" else ""
            fleet.redis.kill()
            time.sleep(4)
            fleet.redis.start()
            try:
                while True:
                    event = socket.json()
                    kinds.append(event["type"])
                    said += event.get("data", "") if event["type"] == "stdout" else ""
            except Closed:
                pass
            socket.socket.close()
            self.assertIn("end", kinds)
            self.assertIn("three", said)
            self.assertTrue("two" in said or "gap" in kinds, (kinds, said))

    def test_what_is_said_once_reaches_programs_when_redis_is_back(self):
        """A cancel, and the end of the input: nobody says them again."""
        with Fleet(fronts=1, workers=1) as fleet:
            front = fleet.fronts[0]
            ends = {"echo up; sleep 100": "cancelled", "echo up; cat; echo bye": "succeeded"}
            runs = {}
            for code in ends:
                runs[code] = front.request("POST", "/v1/runs?wait=false", {
                    "language": "bash", "code": code, "on_disconnect": "continue"})[1]["id"]
            sockets = {code: WebSocket(front.port, f"/v1/runs/{run}/stream")
                       for code, run in runs.items()}
            for socket in sockets.values():
                while socket.json().get("data") != "up\n":
                    pass
            fleet.redis.kill()
            wait_until("it is missed", lambda: not front.request("GET", "/health")[1]
                       ["stream_connected"])
            for code, word in zip(runs, ("cancel", "eof")):
                sockets[code].send_json({"type": word})
            time.sleep(1)
            fleet.redis.start()
            for code, run in runs.items():
                record = wait_until("it ends", lambda run=run: (
                    lambda record: record if record["verdict"] else None)(
                        front.request("GET", f"/v1/runs/{run}")[1]))
                self.assertEqual(record["verdict"], ends[code], record)
                sockets[code].socket.close()

    def test_a_server_that_hangs_is_a_server_that_is_gone(self):
        with Fleet(fronts=1, workers=1) as fleet:
            for server in (fleet.redis, fleet.rabbit):
                server.freeze()
                time.sleep(1)
                server.thaw()
                self.works(fleet)


class Hanging(unittest.TestCase):
    """SIGSTOP: the connections stand, and nobody is there."""

    def test_a_worker_that_hangs_loses_its_job_to_another(self):
        with Fleet(fronts=1, workers=2) as fleet:
            front = fleet.fronts[0]
            ends = Ends(fleet)
            jobs = [front.submit("bash", "sleep 2; echo done") for _ in range(4)]
            wait_until("all run", lambda: all(front.job(job)["status"] == "submitted"
                                              for job in jobs))
            fleet.workers[0].freeze()
            records = [front.result(job, 120) for job in jobs]
            self.assertEqual([record["result"]["output"] for record in records], ["done\n"] * 4)
            fleet.workers[0].thaw()
            time.sleep(3)
            ends.close()
            self.assertEqual(ends.twice(), {})

    def test_a_run_that_begins_again_says_how_often_and_where(self):
        with Fleet(fronts=1, workers=1) as fleet, concurrent.futures.ThreadPoolExecutor() as pool:
            front = fleet.fronts[0]
            answer = pool.submit(front.request, "POST", "/v1/runs", {
                "language": "bash", "code": "sleep 3; echo done"})
            wait_until("it runs", lambda: [
                run for run in front.request("GET", "/v1/runs")[1]["runs"]
                if run["status"] == "running"])
            fleet.workers[0].kill()
            fleet.add_worker()
            status, record = answer.result()
            self.assertEqual((status, record["stdout"], record["attempt"], record["worker"]),
                             (200, "done\n", 2, fleet.workers[-1].name), record)

    def interactive(self, front):
        record = front.request("POST", "/v1/runs?wait=false", {
            "language": "bash", "code": "echo up; cat; sleep 60"})[1]
        socket = WebSocket(front.port, f"/v1/runs/{record['id']}/stream")
        said = ""
        while "up" not in said:
            event = socket.json()
            said += event.get("data", "") if event["type"] == "stdout" else ""
        return record["id"], socket

    def test_a_conversation_whose_worker_is_lost_ends(self):
        for lose in ("kill", "freeze"):
            with self.subTest(lose), Fleet(fronts=1, workers=1) as fleet:
                front = fleet.fronts[0]
                run, socket = self.interactive(front)
                worker = wait_until("its worker is known", lambda front=front, run=run: (
                    front.request("GET", f"/v1/runs/{run}")[1].get("worker")))
                getattr(fleet.workers[0], lose)()
                began = time.monotonic()
                record = wait_until("it ends", lambda front=front, run=run: (
                    lambda record: record if record["verdict"] else None)(
                        front.request("GET", f"/v1/runs/{run}")[1]), 100)
                self.assertEqual((record["verdict"], record["reason"]),
                                 ("internal_error", "worker lost"), record)
                self.assertEqual(record["worker"], worker, "the one that was lost")
                self.assertLess(time.monotonic() - began, 100)  # ten seconds are promised
                socket.socket.close()


if __name__ == "__main__":
    unittest.main()
