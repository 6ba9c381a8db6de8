# SPDX-License-Identifier: MIT
"""A front's queue is its own jobs': what others sent takes no place in it, no client has all of it,
and what the broker does not take waits nowhere."""

import json
import unittest

from fleet import Fleet, wait_until
from amqp_client import Amqp

QUEUE_LENGTH = 4
SHARE = 3  # of one client
MANY, FEW = "127.0.0.1", "127.0.0.2"


class Waiting(unittest.TestCase):
    def setUp(self):
        self.fleet = self.enterContext(Fleet(fronts=2, workers=1, slots=1, front_flags=(
            "--queue-length", str(QUEUE_LENGTH))))
        self.one, self.other = self.fleet.fronts

    def ask(self, front, source):
        status, _, answer = front.request_raw("POST", "/api/execute", {
            "language": "bash", "source_code": "sleep 60"}, source=source)
        answer = json.loads(answer)
        if status == 200:
            self.addCleanup(front.request, "DELETE", f"/api/jobs/{answer['job_id']}")
        return status, answer

    def submit(self, front, source=MANY):
        status, answer = self.ask(front, source)
        self.assertEqual(status, 200, answer)
        return answer["job_id"]

    def fill(self, front):
        return [self.submit(front, MANY) for _ in range(SHARE)] + [
            self.submit(front, FEW) for _ in range(QUEUE_LENGTH - SHARE)]

    def test_who_floods_a_front_leaves_places_to_others(self):
        busy = self.submit(self.one)
        wait_until("it runs", lambda: self.one.job(busy)["status"] == "submitted")
        for _ in range(SHARE):
            self.submit(self.one)
        status, answer = self.ask(self.one, MANY)
        self.assertEqual(status, 503, answer)
        self.assertIn("too many of your runs are waiting already", json.dumps(answer))
        self.submit(self.one, FEW)
        self.assertIn("runs are waiting already", json.dumps(self.ask(self.one, "127.0.0.3")[1]))

    def test_another_front_s_jobs_take_no_place_in_the_queue(self):
        busy = self.submit(self.one)
        wait_until("it runs", lambda: self.one.job(busy)["status"] == "submitted")
        theirs = self.fill(self.one)
        listed = [job["job_id"] for job in self.other.request("GET", "/api/jobs")[1]["jobs"]]
        self.assertLessEqual(set(theirs), set(listed))
        self.fill(self.other)
        for front in (self.one, self.other):
            self.assertEqual(self.ask(front, FEW)[0], 503)
        wait_until("their place is told", lambda: self.other.job(theirs[-1]).get("position"))

    def test_when_a_job_came_is_written_by_redis_clock(self):
        job = self.submit(self.one)
        with self.fleet.connect() as redis:
            since = wait_until("it is written",
                               lambda: redis.call("HGET", f"runnel:run:{job}", "since"))
            seconds, _ = redis.call("TIME")
            self.assertLessEqual(abs(int(seconds) - int(since) / 1000), 60)

    def test_what_the_broker_does_not_take_has_ended_on_every_front(self):
        with Amqp(self.fleet.rabbit.url) as amqp:
            way = ("runnel.jobs.low", "runnel.jobs", "low")
            amqp.unbind(*way)
            try:
                status, _, answer = self.one.request_raw("POST", "/api/execute", {
                    "language": "bash", "source_code": "echo up", "priority": "low"})
            finally:
                amqp.bind(*way)
        self.assertGreaterEqual(status, 500, answer)
        with self.fleet.connect() as redis:
            job = redis.call("ZREVRANGE", "runnel:runs", "0", "0")[0].decode()
            records = [front.result(job, 20) for front in (self.other, self.one)]
            self.assertEqual([record["status"] for record in records], ["failed"] * 2, records)
            self.assertIn("the broker has no queue for the job", json.dumps(records[0]))
            self.assertEqual(*redis.call("HMGET", "runnel:lane:low", "in", "out"))
            # It is forgotten as soon as every other that has ended.
            self.assertLessEqual(redis.call("TTL", f"runnel:run:{job}"), 600)


if __name__ == "__main__":
    unittest.main()
