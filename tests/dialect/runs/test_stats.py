# SPDX-License-Identifier: MIT
"""The figures of /v1/stats."""

import pathlib
import re
import sys

from contract import Contract

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

# pylint: disable=wrong-import-position
from openapi import check_answer


SAMPLE = re.compile(r'(?P<name>[a-z_0-9]+)(\{[a-z]+="(\\.|[^"\\])*"(,[a-z]+="(\\.|[^"\\])*")*\})?'
                    r' (?P<value>\d+(\.\d+)?)$')


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


    def test_metrics_are_what_prometheus_reads(self):
        self.run_it("raise SystemExit(3)")
        answer = self.ask("GET", "/metrics")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        types, counts = {}, {}
        for line in answer.body.decode().splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.assertNotIn(name, types)
                types[name] = kind
            elif not line.startswith("# HELP "):
                found = SAMPLE.match(line)
                self.assertTrue(found, line)
                name = re.sub("_(bucket|sum|count)$", "", found["name"])
                self.assertEqual(name, list(types)[-1], "all of one name are together")
                counts[line.rpartition(" ")[0]] = float(found["value"])
        stats = self.stats()
        self.assertEqual(counts['runnel_runs_ended_total{verdict="failed"}'],
                         stats["ended"]["verdicts"]["failed"])
        self.assertEqual(counts["runnel_run_wall_seconds_count"], stats["ended"]["total"])
        self.assertEqual(counts["runnel_slots"], stats["slots"])


class OfOperators(Contract):
    def test_keys_without_the_scope_are_refused(self):
        for path in ("/v1/stats", "/metrics"):
            answer = self.ask("GET", path)
            self.assertEqual((answer.status, answer.json()["error"]),
                             (403, "this key lacks the scope admin"))
            self.assertEqual(self.ask("GET", path, key=None).status, 401)
