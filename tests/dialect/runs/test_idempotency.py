# SPDX-License-Identifier: MIT
"""The same request twice is one run: also at once, after its end, and after a kill -9."""

import concurrent.futures
import os
import signal
import unittest

from contract import Contract, Service, request, wait_until

SLOW = {"language": "bash", "code": "sleep 1; echo done; date +%N"}
FIFTY = {**SLOW, "metadata": {"of": "fifty"}}


class Idempotency(Contract):
    def send(self, key, body=None, query=""):
        return self.post(body or SLOW, query, headers={"Idempotency-Key": key})

    def test_fifty_at_once_are_one_run(self):
        for query, status in (("", {200}), ("?wait=false", {200, 201})):
            with self.subTest(query), concurrent.futures.ThreadPoolExecutor(50) as pool:
                name = f"fifty{query}"
                answers = list(pool.map(lambda _, n=name, q=query: self.send(n, FIFTY, q), range(50)))
                self.assertLessEqual({answer.status for answer in answers}, status)
                runs = {answer.json()["id"] for answer in answers}
                self.assertEqual(len(runs), 1)
                if not query:
                    self.assertEqual(len({answer.json()["stdout"] for answer in answers}), 1)
        made = self.ask("GET", "/v1/runs?metadata=of:fifty").json()["runs"]
        self.assertEqual(len(made), 2)

    def test_after_its_end_it_is_the_same_record(self):
        first = self.send("end").json()
        again = self.send("end")
        self.assertEqual((again.status, again.json()), (200, first))

    def test_another_body_is_422(self):
        run = self.send("body", query="?wait=false").json()["id"]
        for other in ({**SLOW, "code": "echo other"}, {**SLOW, "args": []}):
            answer = self.send("body", other, "?wait=false")
            self.assertEqual((answer.status, answer.json()["code"]), (422, "idempotency_mismatch"))
        self.assertEqual(self.wait_for_end(run)["verdict"], "succeeded")

    def test_what_was_refused_is_not_remembered(self):
        self.assertEqual(self.send("refused", {"language": "bash"}).status, 400)
        self.assertEqual(self.send("refused").status, 200)

    def test_who_repeats_what_is_refused_is_told_to_come_again(self):
        """A queue without room refuses the first of them, and the others have heard of it by then."""
        with Service("--concurrency=1", "--queue-length=1") as service:
            for code in ("sleep 60", "true"):
                service.request("POST", "/v1/runs?wait=false", {"language": "bash", "code": code})
            with concurrent.futures.ThreadPoolExecutor(50) as pool:
                for query in ("", "?wait=false"):
                    answers = list(pool.map(lambda _, q=query: request(
                        service.port, "POST", f"/v1/runs{q}", SLOW,
                        headers={"Idempotency-Key": f"full{q}"}), range(50)))
                    self.assertEqual({answer.status for answer in answers}, {503})
                    self.assertTrue(all(answer.headers["retry-after"] for answer in answers))

    def test_who_comes_back_finds_the_run_that_he_left(self):
        with self.assertRaises(OSError):
            self.post(SLOW, headers={"Idempotency-Key": "left"}, timeout=0.4)
        answer = self.send("left")
        self.assertEqual((answer.json()["verdict"], answer.json()["stdout"][:5]),
                         ("succeeded", "done\n"))

    def test_after_a_kill_it_is_the_same_run_still(self):
        ended = self.send("ended").json()
        run = self.send("running", {**SLOW, "code": "sleep 100"}, "?wait=false").json()["id"]
        killed = self.service.front()
        os.kill(killed, signal.SIGKILL)
        wait_until("it serves again",
                   lambda: self.service.front() not in (None, killed) and self.service.answers())
        again = self.send("ended").json()
        for record in (again, ended):  # links are made for each answer
            record.pop("artifacts")
        self.assertEqual(again, ended)
        record = self.send("running", {**SLOW, "code": "sleep 100"}, "?wait=false").json()
        self.assertEqual((record["id"], record["verdict"]), (run, "internal_error"))
        self.assertIn("interrupted", record["reason"])

    @classmethod
    def tearDownClass(cls):
        cls.service.close()  # a front was killed: its log says so


if __name__ == "__main__":
    unittest.main()
