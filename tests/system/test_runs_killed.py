# SPDX-License-Identifier: MIT
"""kill -9, again and again: a run that a client was told of is answered for, and told once; what
is on the disk is what the store knows."""

import concurrent.futures
import http.client
import json
import os
import random
import shutil
import signal
import sqlite3
import tempfile
import time
import unittest

from service import Service, free_port, wait_until

ROUNDS = 20
CODES = ["echo done", "sleep 0.05; echo done", "sleep 30",
         "echo done; head -c 200000 /dev/urandom > outputs/x; echo y > outputs/y"]


def request(port, method, path, body=None, headers=None):
    """(status, JSON); None when nobody answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body and json.dumps(body),
                           {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


class Killed(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="runnel-killed-")
        self.port = free_port()
        self.told = {}   # id: verdict that was told, or None
        self.keys = {}   # idempotency key: (body, id that was told)
        self.service = None

    def tearDown(self):
        if self.service:
            self.service.close()
        shutil.rmtree(self.folder)

    def start_service(self):
        self.service = Service(f"--listen=127.0.0.1:{self.port}", "--concurrency=6",
                               env={"RUNNEL_STORAGE_DIR": self.folder})

    def ask(self, number):
        """One client: some wait, some do not; some can come back."""
        dice = random.Random(number)
        body = {"language": "bash", "code": dice.choice(CODES), "on_disconnect": "continue"}
        waits = dice.random() < 0.5
        if waits and "30" in body["code"]:
            body["code"] = CODES[0]
        key = f"key-{number}" if dice.random() < 0.6 else None
        answer = request(self.port, "POST", "/v1/runs" + ("" if waits else "?wait=false"), body,
                         {"Idempotency-Key": key} if key else None)
        path = "/v1/runs" + ("" if waits else "?wait=false")
        if key:
            self.keys[key] = (path, body, answer and answer[1].get("id"))
        if answer and answer[0] in (200, 201):
            self.told[answer[1]["id"]] = answer[1]["verdict"]

    def round(self, number, dice):
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            asked = [pool.submit(self.ask, number * 100 + n) for n in range(12)]
            time.sleep(dice.uniform(0.0, 0.4))
            if dice.random() < 0.5:
                self.kill_front()
            else:
                self.kill_all()
            for one in asked:
                one.result()

    def kill_front(self):
        killed = self.service.front()
        if killed is None:
            return
        os.kill(killed, signal.SIGKILL)
        wait_until("it serves again",
                   lambda: self.service.front() not in (None, killed) and self.service.answers())

    def kill_all(self):
        self.service.process.kill()
        self.service.process.wait()
        self.service.close()
        self.start_service()

    def check(self):
        """Every run that was told of has an end, which is the one that was told."""
        for run, verdict in list(self.told.items()):
            status, record = request(self.port, "GET", f"/v1/runs/{run}")
            self.assertEqual(status, 200, run)
            if record["verdict"] is None:
                self.assertEqual(request(self.port, "DELETE", f"/v1/runs/{run}")[0], 202)
                wait_until("it ends", lambda one=run: request(
                    self.port, "GET", f"/v1/runs/{one}")[1]["verdict"])
                status, record = request(self.port, "GET", f"/v1/runs/{run}")
            if verdict:
                self.assertEqual(record["verdict"], verdict, run)
            elif record["verdict"] == "internal_error":
                self.assertIn("interrupted", record["reason"])
            else:
                self.assertIn(record["verdict"], ("succeeded", "cancelled"), record)
            self.told[run] = record["verdict"]

    def check_keys(self):
        """Who comes back with his key gets the run that he was told of, and one only."""
        for key, (path, body, told) in self.keys.items():
            first = request(self.port, "POST", path, body, {"Idempotency-Key": key})
            again = request(self.port, "POST", path, body, {"Idempotency-Key": key})
            self.assertEqual(first[1]["id"], again[1]["id"])
            self.assertIn(told, (None, first[1]["id"]))
            self.told.setdefault(first[1]["id"], None)
        self.keys = {}

    def check_the_list(self):
        ids, page = [], {"next": ""}
        while page["next"] is not None:
            before = f"&before={page['next']}" if page["next"] else ""
            page = request(self.port, "GET", f"/v1/runs?limit=100{before}")[1]
            ids += [run["id"] for run in page["runs"]]
        self.assertEqual(len(ids), len(set(ids)), "a run is listed twice")
        self.assertLessEqual(set(self.told), set(ids))

    def check_the_disk(self):
        """After a start: each row has its content, and nothing else is there."""
        self.service.process.kill()
        self.service.process.wait()
        self.service.close()
        self.start_service()
        name = next(name for name in os.listdir(self.folder) if name.endswith(".db"))
        database = sqlite3.connect(os.path.join(self.folder, name))
        rows = dict(database.execute("SELECT id, size FROM files").fetchall())
        states = database.execute("SELECT count(*) FROM runs WHERE verdict = 0").fetchone()[0]
        self.assertEqual(database.execute("PRAGMA integrity_check").fetchone()[0], "ok")
        database.close()
        files = os.path.join(self.folder, "files")
        found = {name: os.stat(os.path.join(files, name)).st_size for name in os.listdir(files)}
        self.assertEqual(found, rows)
        self.assertEqual(states, 0, "a run of before has no end")

    def test_twenty_rounds(self):
        dice = random.Random(9)
        self.start_service()
        for number in range(ROUNDS):
            self.round(number, dice)
            self.check()
            self.check_keys()
            self.check()
        self.assertGreater(len(self.told), ROUNDS * 4)
        self.check_the_list()
        self.check_the_disk()
        ends = list(self.told.values())
        self.assertIn("internal_error", ends)
        self.assertIn("succeeded", ends)


if __name__ == "__main__":
    unittest.main()
