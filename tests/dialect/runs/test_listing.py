# SPDX-License-Identifier: MIT
"""GET /v1/runs: pages and filters; GET /v1/languages."""

import time
import unittest
import urllib.parse

from contract import OTHER, TIME, Contract, request


class Listing(Contract):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = []
        for number in range(25):
            fields = {"language": "bash" if number % 2 else "python",
                      "code": "exit 3" if number % 5 == 3 else "x=1",
                      "metadata": {"number": str(number), "third": str(number % 3)}}
            answer = request(cls.service.port, "POST", "/v1/runs", fields)
            assert answer.status == 200, answer
            cls.made.append(answer.json())
        live = {"language": "bash", "code": "sleep 100", "disconnect_grace_ms": 600000}
        cls.live = request(cls.service.port, "POST", "/v1/runs?wait=false", live).json()["id"]

    def listed(self, key=None, **query):
        path = "/v1/runs?" + urllib.parse.urlencode(query)
        answer = self.ask("GET", path, **({"key": key} if key else {}))
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def ids(self, **query):
        return [run["id"] for run in self.listed(**query)["runs"]]

    def newest_first(self, runs):
        return [run["id"] for run in reversed(list(runs))]

    def test_all_by_pages(self):
        every = [self.live, *self.newest_first(self.made)]
        self.assertEqual(self.ids(), every)
        self.assertIsNone(self.listed()["next"])
        for size in (1, 7, 26):
            got, before = [], {}
            while True:
                page = self.listed(limit=size, **before)
                got += [run["id"] for run in page["runs"]]
                self.assertLessEqual(len(page["runs"]), size)
                if not page["next"]:
                    break
                before = {"before": page["next"]}
            self.assertEqual(got, every, size)

    def test_rows_are_short_records(self):
        row = self.listed(limit=2)["runs"][1]
        made = self.made[-1]
        for name in ("id", "status", "verdict", "limits", "created_at", "language", "code_sha256",
                     "metadata"):
            self.assertEqual(row[name], made[name], name)
        self.assertRegex(row["finished_at"], TIME)
        self.assertNotIn("stdout", row)
        live = self.listed(limit=1)["runs"][0]
        self.assertIn(live["status"], ("queued", "preparing", "running"))
        self.assertIsNone(live["verdict"])

    def test_filters(self):
        rows = [
            ({"language": "bash"}, lambda run: run["language"] == "bash"),
            ({"language": "python3"}, lambda run: run["language"] == "python"),
            ({"verdict": "failed"}, lambda run: run["verdict"] == "failed"),
            ({"verdict": "timeout"}, lambda run: False),
            ({"metadata": "third:1"}, lambda run: run["metadata"]["third"] == "1"),
            ({"metadata": "third:1,number:4"}, lambda run: run["metadata"]["number"] == "4"),
            ({"metadata": "third:1,number:5"}, lambda run: False),
            ({"metadata": "third:2", "language": "bash", "verdict": "succeeded"},
             lambda run: (run["metadata"]["third"], run["language"], run["verdict"])
             == ("2", "bash", "succeeded")),
        ]
        for query, fits in rows:
            with self.subTest(query):
                wanted = self.newest_first(run for run in self.made if fits(run))
                self.assertEqual([run for run in self.ids(**query) if run != self.live], wanted)
        self.assertEqual(self.ids(verdict="none"), [self.live])

    def test_times(self):
        middle = self.made[12]["created_at"]
        since, until = self.ids(since=middle), self.ids(until=middle)
        self.assertIn(self.made[12]["id"], since)
        self.assertNotIn(self.made[12]["id"], until)
        self.assertEqual(since + until, self.ids())
        later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        self.assertEqual(self.ids(since=later), [])

    def test_filters_hold_over_pages(self):
        wanted = self.ids(metadata="third:0")
        first = self.listed(metadata="third:0", limit=4)
        second = self.listed(metadata="third:0", limit=100, before=first["next"])
        self.assertEqual([run["id"] for run in first["runs"] + second["runs"]], wanted)

    def test_a_page_behind_nothing_is_no_5xx(self):
        for before in ("run_000000000000", "x", ""):
            answer = self.ask("GET", f"/v1/runs?before={before}")
            self.assertLess(answer.status, 500, answer)

    def test_others_see_nothing(self):
        self.assertEqual(self.listed(key=OTHER), {"runs": [], "next": None})

    def test_wrong_filters_are_named(self):
        for name, value in {"limit": "0", "verdict": "perhaps", "language": "cobol", "since": "now",
                            "until": "1", "metadata": "x"}.items():
            answer = self.ask("GET", f"/v1/runs?{name}={value}")
            self.assertEqual((answer.status, answer.json()["field"]), (400, name), answer)

    def test_a_run_gives_its_request_back_to_who_asks_for_it(self):
        run = self.made[0]["id"]
        self.assertNotIn("request", self.record(run))
        answer = self.ask("GET", f"/v1/runs/{run}?request=true").json()
        self.assertEqual(answer["request"]["metadata"]["number"], "0")


class Languages(Contract):
    def test_everything_about_each_is_told(self):
        languages = {item["name"]: item for item in
                     self.ask("GET", "/v1/languages").json()["languages"]}
        python = languages["python"]
        self.assertTrue(python["installed"])
        self.assertEqual(python["source"], "main.py")
        for name in ("title", "aliases", "version", "grammar", "sample", "install"):
            self.assertIn(name, python)
        self.assertIn("node", languages["javascript"]["aliases"])
        for alias in ("node", "nodejs", "javascript"):
            record = self.run_it("console.log(1)", alias)
            self.assertEqual((record["language"], record["stdout"]), ("javascript", "1\n"))


if __name__ == "__main__":
    unittest.main()
