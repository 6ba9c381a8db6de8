# SPDX-License-Identifier: MIT
"""Sequences of calls, made by dice of fixed seeds, against a model in Python: runs and files of two
keys, made, looked at, listed, used, downloaded and removed."""

import os
import random
import signal
import unittest

from contract import KEY, OTHER, Contract, wait_until

STEPS = 120


class Model:
    """What is there, by key."""

    def __init__(self):
        self.runs = {KEY: {}, OTHER: {}}   # id: what it printed, newest last
        self.files = {KEY: {}, OTHER: {}}  # id: its bytes
        self.artifacts = {}                # id: (key, run, bytes)
        self.gone = ["run_000000000000", "file_000000000000"]


class Sequence(Contract):
    def setUp(self):
        self.model = Model()

    def play(self, seed):
        dice = random.Random(seed)
        steps = [self.make_run, self.make_run, self.use_file, self.get_run, self.get_gone,
                 self.list_runs, self.remove_run, self.upload_file, self.download_file,
                 self.download_artifact, self.list_files, self.remove_file, self.again]
        for number in range(STEPS):
            key = dice.choice((KEY, OTHER))
            step = dice.choice(steps)
            with self.subTest(f"seed {seed}, step {number}: {step.__name__}"):
                step(dice, key)
                if number == STEPS // 2:
                    self.kill_front()

    def pick(self, dice, things):
        return dice.choice(sorted(things)) if things else None

    def other(self, key):
        return OTHER if key == KEY else KEY

    def make_run(self, dice, key):
        text = str(dice.random())
        answer = self.post({"language": "bash", "metadata": {"even": str(len(text) % 2)},
                            "code": f"echo {text}; echo -n {text} > outputs/{text}"}, key=key)
        record = answer.json()
        self.assertEqual((answer.status, record["stdout"]), (200, text + "\n"), answer)
        self.model.runs[key][record["id"]] = record
        for artifact in record["artifacts"]:
            self.model.artifacts[artifact["id"]] = (key, record["id"], text.encode())

    def use_file(self, dice, key):
        owner = dice.choice((KEY, OTHER))
        file = self.pick(dice, self.model.files[owner])
        if not file:
            return
        answer = self.post({"language": "bash", "code": "cat inputs/x | sha256sum",
                            "files": [{"id": file, "path": "x"}]}, key=key)
        self.assertEqual(answer.status, 200 if owner == key else 404, answer)
        if owner == key:
            self.model.runs[key][answer.json()["id"]] = answer.json()

    def get_run(self, dice, key):
        run = self.pick(dice, self.model.runs[key])
        if not run:
            return
        self.assertEqual(self.ask("GET", f"/v1/runs/{run}", key=self.other(key)).status, 404)
        got, kept = self.ask("GET", f"/v1/runs/{run}", key=key).json(), self.model.runs[key][run]
        for name in ("stdout", "verdict", "usage", "metadata", "created_at", "code_sha256"):
            self.assertEqual(got[name], kept[name], name)
        self.assertEqual([item["sha256"] for item in got["artifacts"]],
                         [item["sha256"] for item in kept["artifacts"]
                          if item["id"] in self.model.artifacts])

    def get_gone(self, dice, key):
        gone = dice.choice(self.model.gone)
        path = f"/v1/{'runs' if gone.startswith('run') else 'files'}/{gone}"
        for method in ("GET", "DELETE"):
            self.assertEqual(self.ask(method, path, key=key).status, 404)

    def list_runs(self, dice, key):
        kept = self.model.runs[key]
        even = dice.choice((None, "0", "1"))
        got, query = [], f"limit={dice.randrange(1, 20)}" + (f"&metadata=even:{even}" if even else "")
        page = {"next": ""}
        while page["next"] is not None:
            before = f"&before={page['next']}" if page["next"] else ""
            page = self.ask("GET", f"/v1/runs?{query}{before}", key=key).json()
            got += [run["id"] for run in page["runs"]]
        wanted = [run for run, record in kept.items()
                  if even is None or record["metadata"].get("even") == even]
        self.assertEqual(got, wanted[::-1])

    def remove_run(self, dice, key):
        run = self.pick(dice, self.model.runs[key])
        if not run:
            return
        self.assertEqual(self.ask("DELETE", f"/v1/runs/{run}", key=self.other(key)).status, 404)
        self.assertEqual(self.ask("DELETE", f"/v1/runs/{run}", key=key).status, 204)
        del self.model.runs[key][run]
        lost = [name for name, (_, of, _) in self.model.artifacts.items() if of == run]
        for name in lost:
            del self.model.artifacts[name]
        self.model.gone += [run, *lost]

    def upload_file(self, dice, key):
        content = dice.randbytes(dice.choice((0, 1, 1000, 200000)))
        answer = self.upload(content, key=key)
        self.assertEqual((answer.status, answer.json()["size"]), (200, len(content)))
        self.model.files[key][answer.json()["id"]] = content

    def download_file(self, dice, key):
        file = self.pick(dice, self.model.files[key])
        if not file:
            return
        self.assertEqual(self.ask("GET", f"/v1/files/{file}", key=key).body,
                         self.model.files[key][file])
        self.assertEqual(self.ask("GET", f"/v1/files/{file}", key=self.other(key)).status, 404)

    def download_artifact(self, dice, _):
        name = self.pick(dice, self.model.artifacts)
        if not name:
            return
        key, _, content = self.model.artifacts[name]
        self.assertEqual(self.ask("GET", f"/v1/files/{name}", key=key).body, content)
        self.assertEqual(self.ask("GET", f"/v1/files/{name}", key=self.other(key)).status, 404)

    def list_files(self, _, key):
        kept = list(self.model.files[key])[::-1]
        got = [item["file"]["id"] for item in self.ask("GET", "/v1/files", key=key).json()["files"]]
        self.assertEqual(got, kept[:50])

    def remove_file(self, dice, key):
        file = self.pick(dice, self.model.files[key])
        if not file:
            return
        self.assertEqual(self.ask("DELETE", f"/v1/files/{file}", key=self.other(key)).status, 404)
        self.assertEqual(self.ask("DELETE", f"/v1/files/{file}", key=key).status, 204)
        del self.model.files[key][file]
        self.model.gone.append(file)

    def again(self, dice, key):
        """Twice with one idempotency key: one run."""
        headers = {"Idempotency-Key": f"{dice.random()}"}
        body = {"language": "bash", "code": "true"}
        first = self.post(body, key=key, headers=headers).json()
        self.assertEqual(self.post(body, key=key, headers=headers).json(), first)
        self.model.runs[key][first["id"]] = first

    def kill_front(self):
        killed = self.service.front()
        os.kill(killed, signal.SIGKILL)
        wait_until("it serves again",
                   lambda: self.service.front() not in (None, killed) and self.service.answers())

    def check_the_disk(self):
        """A content for each row, and none besides."""
        known = {file for key in (KEY, OTHER) for file in self.model.files[key]}
        known |= set(self.model.artifacts)
        folder = os.path.join(self.service.storage(), "files")
        wait_until("the contents are those of the model", lambda: set(os.listdir(folder)) == known)

    def test_three_seeds(self):
        for seed in (1, 2, 3):
            self.forget_all()
            self.play(seed)
            self.check_the_disk()

    def forget_all(self):
        for key in (KEY, OTHER):
            for run in self.model.runs[key]:
                self.assertEqual(self.ask("DELETE", f"/v1/runs/{run}", key=key).status, 204)
            for file in self.model.files[key]:
                self.assertEqual(self.ask("DELETE", f"/v1/files/{file}", key=key).status, 204)
        self.model = Model()

    @classmethod
    def tearDownClass(cls):
        cls.service.close()  # a front was killed: its log says so


if __name__ == "__main__":
    unittest.main()
