# SPDX-License-Identifier: MIT
"""Whoever floods the fleet waits behind himself: another's job goes before most of his."""

import json
import unittest

from fleet import TERMINAL, Fleet, wait_until
from resp import Redis

FLOOD = 60
SLOTS = 2
MANY, FEW = "127.0.0.1", "127.0.0.2"  # who has no key is known by his address


class Fair(unittest.TestCase):
    def setUp(self):
        self.fleet = self.enterContext(Fleet(fronts=2, workers=1, slots=SLOTS))

    def ask(self, address, method, path, body=None, front=0):
        status, _, answer = self.fleet.fronts[front].request_raw(method, path, body, source=address)
        self.assertEqual(status, 200)
        return json.loads(answer)

    def submit(self, address, code, **more):
        return self.ask(address, "POST", "/api/execute",
                        {"language": "bash", "source_code": code, **more})["job_id"]

    def job(self, address, job, front=0):
        return self.ask(address, "GET", f"/api/jobs/{job}", front=front)

    def test_a_flood_does_not_stand_before_another_s_job(self):
        flood = [self.submit(MANY, "sleep 0.2; echo flood") for _ in range(FLOOD)]
        one = self.submit(FEW, "echo one")
        record = self.fleet.fronts[0].result(one)
        self.assertEqual((record["status"], record["result"]["output"]), ("completed", "one\n"))
        left = sum(self.job(MANY, job)["status"] not in TERMINAL for job in flood)
        self.assertGreater(left, FLOOD / 3, "it has waited for the flood")
        for job in flood:  # and of the flood none is lost
            self.assertEqual(self.fleet.fronts[0].result(job)["status"], "completed")
        with Redis(self.fleet.redis.port) as redis:
            for lane in ("normal", "normal.aside"):
                came, began = redis.call("HMGET", f"runnel:lane:{lane}", "in", "out")
                self.assertEqual(came, began, lane)

    def test_a_job_that_waits_aside_knows_its_place(self):
        flood = [self.submit(MANY, "sleep 0.3") for _ in range(FLOOD)]

        def place(front):
            return self.job(MANY, flood[-1], front).get("position") or 0
        for front in range(2):  # any front
            wait_until("its place is told", lambda front=front: place(front) > FLOOD / 3)
            # What workers have in hand is counted late.
            self.assertLessEqual(place(front), FLOOD + 2 * SLOTS)
        for job in flood:
            self.ask(MANY, "DELETE", f"/api/jobs/{job}")


if __name__ == "__main__":
    unittest.main()
