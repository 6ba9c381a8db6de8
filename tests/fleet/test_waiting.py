# SPDX-License-Identifier: MIT
"""A front's queue is its own jobs': what others sent takes no place in it."""

import unittest

from fleet import Fleet, wait_until

QUEUE_LENGTH = 4


class Waiting(unittest.TestCase):
    def setUp(self):
        self.fleet = self.enterContext(Fleet(fronts=2, workers=1, slots=1, front_flags=(
            "--queue-length", str(QUEUE_LENGTH))))
        self.one, self.other = self.fleet.fronts

    def submit(self, front, **more):
        job = front.submit("bash", "sleep 60", **more)
        self.addCleanup(front.request, "DELETE", f"/api/jobs/{job}")
        return job

    def test_another_front_s_jobs_take_no_place_in_the_queue(self):
        busy = self.submit(self.one)
        wait_until("it runs", lambda: self.one.job(busy)["status"] == "submitted")
        theirs = [self.submit(self.one) for _ in range(QUEUE_LENGTH)]
        listed = [job["job_id"] for job in self.other.request("GET", "/api/jobs")[1]["jobs"]]
        self.assertLessEqual(set(theirs), set(listed))
        for _ in range(QUEUE_LENGTH):
            self.submit(self.other)
        for front in (self.one, self.other):
            status, _, _ = front.request_raw("POST", "/api/execute", {
                "language": "bash", "source_code": "echo up"})
            self.assertEqual(status, 503)
        wait_until("their place is told", lambda: self.other.job(theirs[-1]).get("position"))


if __name__ == "__main__":
    unittest.main()
