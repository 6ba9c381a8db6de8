# SPDX-License-Identifier: MIT
"""The figures of /v1/stats."""

import pathlib
import sys

from contract import Contract

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

# pylint: disable=wrong-import-position
from openapi import check_answer


class Stats(Contract):
    env = {"API_KEYS": ""}

    def stats(self):
        answer = self.ask("GET", "/v1/stats")
        self.assertEqual(answer.status, 200, answer)
        check_answer(self.service.port, "GET", "/v1/stats", 200, answer.headers, answer.body)
        return answer.json()

    def test_a_run_that_ended_is_counted(self):
        before = self.stats()
        self.run_it("raise SystemExit(3)")
        after = self.stats()
        self.assertEqual(after["ended"]["total"], before["ended"]["total"] + 1)
        for kind, word in (("verdicts", "failed"), ("languages", "python")):
            self.assertEqual(after["ended"][kind][word], before["ended"][kind].get(word, 0) + 1)
        self.assertGreaterEqual(after["latency"]["wall_ms"]["p99"],
                                after["latency"]["wall_ms"]["p50"])
        self.assertEqual((after["running"], after["queued"]), (0, 0))

    def test_what_goes_on_is_told(self):
        run = self.start()
        self.assertEqual(self.stats()["running"] + self.stats()["queued"], 1)
        self.ask("DELETE", f"/v1/runs/{run}")
        self.wait_for_end(run)
        self.assertEqual(self.stats()["running"], 0)


class OfOperators(Contract):
    def test_keys_without_the_scope_are_refused(self):
        answer = self.ask("GET", "/v1/stats")
        self.assertEqual((answer.status, answer.json()["error"]),
                         (403, "this key lacks the scope admin"))
        self.assertEqual(self.ask("GET", "/v1/stats", key=None).status, 401)
