# SPDX-License-Identifier: MIT
"""`runnel worker`, with a real RabbitMQ and a real Redis, and a front that is played."""

import json
import time
import unittest
import uuid

import broker
from fleet import LANES, PlayedFront, Worker, parse_event
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


class Fleet(unittest.TestCase):
    """A front that is played, and workers as a test wants them."""

    def worker(self, *flags, **more):
        worker = Worker(rabbit.url, redis.url, *(flags or ("--concurrency=2",)), **more)
        self.addCleanup(worker.close)
        return worker

    def setUp(self):
        self.front = PlayedFront(rabbit.url, redis.url)
        self.addCleanup(self.front.__exit__)

    def tearDown(self):
        wait_until("no job is left", self.all_is_settled)

    def all_is_settled(self):
        return all(self.front.amqp.count(f"runnel.jobs.{lane}") == 0 for lane in LANES)


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


if __name__ == "__main__":
    unittest.main()
