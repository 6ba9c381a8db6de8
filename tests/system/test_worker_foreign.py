# SPDX-License-Identifier: MIT
"""Jobs of the code-execution form, whose backend is played."""

import json
import time
import unittest
import uuid

from fleet import FleetTest
from redis_client import RedisClient
from service import wait_until


class Foreign(FleetTest):
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
        with RedisClient(self.redis.url) as follower:
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
        for _ in range(2):
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

    def test_a_connection_to_redis_that_breaks_costs_no_run(self):
        worker = self.worker()
        run = self.submit("import time\nprint('begun', flush=True)\ntime.sleep(2)")
        wait_until("it has begun", lambda: self.front.kept(run).get("attempt"))
        self.cut_stream(worker)
        result, _ = self.result()
        self.assertEqual((result["job_id"], result["exit_code"]), (run, 0))
        self.assertEqual(self.front.kept(run)["attempt"], b"1")
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


if __name__ == "__main__":
    unittest.main()
