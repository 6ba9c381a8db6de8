# SPDX-License-Identifier: MIT
"""Whose run is next, and whose memory is there: priorities, floods, the memory share, room for files."""

import datetime
import json
import unittest

from service import Service, wait_until

MIB = 1 << 20
BLOCKER = "read line"  # until its input ends
QUICK = "sleep 0.05"
LARGE = 7 * MIB
LARGE_RUNS = 192 * MIB // LARGE  # three quarters of the room for what waiting runs bring


class Admission(unittest.TestCase):
    def serve(self, *flags, **env):
        service = Service("--shutdown-grace=0s", *flags, env=env)
        self.addCleanup(service.close)
        return service

    @staticmethod
    def ask(service, method, path, body=None, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        status, _, answer = service.request_raw(method, path, body, headers)
        return status, json.loads(answer)

    def start(self, service, code, token=None, **fields):
        status, record = self.ask(service, "POST", "/v1/runs?wait=false", {
            "language": "bash", "code": code, "on_disconnect": "continue", **fields}, token)
        self.assertEqual(status, 201, record)
        return record["id"]

    def record(self, service, run, token=None):
        return self.ask(service, "GET", f"/v1/runs/{run}", token=token)[1]

    def block(self, service, token=None):
        """The one slot is taken until this run is stopped."""
        run = self.start(service, BLOCKER, token)
        wait_until("it runs", lambda: self.record(service, run, token)["status"] in ("running", "waiting"))
        return run

    def stop(self, service, run, token=None):
        self.assertEqual(self.ask(service, "DELETE", f"/v1/runs/{run}", token=token)[0], 202)

    def order(self, service, runs):
        """The names of {name: (run, token)} in the order in which they got their slots."""
        begun = {}
        for name, (run, token) in runs.items():
            wait_until(f"{name} ends", lambda r=run, t=token: self.record(service, r, t)["verdict"])
            record = self.record(service, run, token)
            self.assertEqual(record["verdict"], "succeeded")
            created = datetime.datetime.fromisoformat(record["created_at"].replace("Z", "+00:00"))
            begun[name] = created.timestamp() + record["usage"]["queued_ms"] / 1000
        return sorted(begun, key=begun.get)

    def test_priorities_go_in_their_order_and_positions_are_told(self):
        service = self.serve("--concurrency=1")
        blocker = self.block(service)
        runs = {name: (self.start(service, QUICK, priority=name), None)
                for name in ("low", "normal", "high")}
        runs["second"] = (self.start(service, QUICK, priority="high"), None)
        records = {name: self.record(service, run) for name, (run, _) in runs.items()}
        self.assertEqual({name: record["position"] for name, record in records.items()},
                         {"high": 1, "second": 2, "normal": 3, "low": 4})
        for record in records.values():
            self.assertGreaterEqual(record["expected_wait_ms"], 0)
        stats = service.request("GET", "/v1/stats")[1]
        self.assertEqual(stats["queued_by_priority"], {"high": 2, "normal": 1, "low": 1})
        self.stop(service, blocker)
        self.assertEqual(self.order(service, runs), ["high", "second", "normal", "low"])
        self.assertNotIn("position", self.record(service, runs["low"][0]))

    def test_who_floods_the_queue_holds_others_up_by_one_run(self):
        service = self.serve("--concurrency=1", "--queue-length=40",
                             API_KEYS="one-token:one:1000:1000,two-token:two:1000:1000")
        blocker = self.block(service, "one-token")
        runs = {f"flood {number}": (self.start(service, QUICK, "one-token"), "one-token")
                for number in range(30)}
        status, refused = self.ask(service, "POST", "/v1/runs",
                                   {"language": "bash", "code": "echo"}, "one-token")
        self.assertEqual((status, refused["code"]), (503, "queue_full"))
        for number in range(3):
            runs[f"other {number}"] = (self.start(service, QUICK, "two-token"), "two-token")
        positions = [self.record(service, runs[f"other {number}"][0], "two-token")["position"]
                     for number in range(3)]
        self.assertEqual(positions, [2, 4, 6])
        self.stop(service, blocker, "one-token")
        order = self.order(service, runs)
        self.assertEqual([order.index(f"other {number}") + 1 for number in range(3)], [2, 4, 6])

    def test_who_sends_large_files_leaves_room_to_others(self):
        service = self.serve("--concurrency=1", "--max-body=8M",
                             API_KEYS="one-token:one:1000:1000,two-token:two:1000:1000")
        blocker = self.block(service, "one-token")
        large = {"language": "bash", "code": "wc -c <data", "on_disconnect": "continue",
                 "files": [{"path": "data", "content": "x" * LARGE}]}

        def start():
            return self.ask(service, "POST", "/v1/runs?wait=false", large, "one-token")
        answers = [start() for _ in range(LARGE_RUNS + 1)]
        self.assertEqual([status for status, _ in answers], [201] * LARGE_RUNS + [503])
        runs = [answer["id"] for _, answer in answers[:-1]]
        self.assertEqual(answers[-1][1]["code"], "queue_full")
        self.assertIn("the rest of the room is for others", answers[-1][1]["error"])
        other = self.start(service, QUICK, "two-token")
        self.stop(service, runs[-1], "one-token")  # what leaves the queue makes room
        wait_until("it ends", lambda: self.record(service, runs[-1], "one-token")["verdict"])
        self.assertEqual([start()[0] for _ in range(2)], [201, 503])
        self.stop(service, blocker, "one-token")
        self.order(service, {"other": (other, "two-token"), "large": (runs[0], "one-token")})
        self.assertEqual(self.record(service, runs[0], "one-token")["stdout"], f"{LARGE}\n")

    def test_running_boxes_are_promised_no_more_memory_than_the_share(self):
        with Service("--memory-share=1") as service:
            percent = service.request("GET", "/v1/stats")[1]["memory_bytes"]
        share = -(-600 * MIB // percent)
        service = self.serve("--concurrency=8", f"--memory-share={share}")
        bound = service.request("GET", "/v1/stats")[1]["memory_bytes"]
        self.assertGreaterEqual(bound, 600 * MIB)
        half = bound // 2 // MIB
        runs = [self.start(service, "sleep 0.3", limits={"memory_mb": half}) for _ in range(6)]
        seen = set()

        def all_have_ended():
            stats = service.request("GET", "/v1/stats")[1]
            self.assertLessEqual(stats["memory_promised_bytes"], bound)
            self.assertEqual(stats["memory_promised_bytes"], stats["running"] * half * MIB)
            seen.add(stats["running"])
            return stats["running"] + stats["queued"] == 0

        wait_until("all have ended", all_have_ended)
        self.assertEqual(max(seen), 2)
        for run in runs:
            self.assertEqual(self.record(service, run)["verdict"], "succeeded")
        status, answer = service.request("POST", "/v1/runs?wait=false", {
            "language": "bash", "code": "echo", "limits": {"memory_mb": bound // MIB + 1}})
        self.assertEqual((status, answer["code"], answer["field"]),
                         (400, "invalid_request", "limits.memory_mb"))


if __name__ == "__main__":
    unittest.main()
