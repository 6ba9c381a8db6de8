# SPDX-License-Identifier: MIT
"""A disk that is full: 507 for what is new, nothing half-written, and all is well when there is
room again, without a restart."""

import http.client
import json
import os
import tempfile
import unittest

from service import Service, wait_until

MOUNT = ("mount --make-rprivate / && mount -t tmpfs -o size=$1,mode=0755 none \"$2\" && shift 2 && "
         "exec \"$@\"")
SIZE = 48 << 20


@unittest.skipUnless(os.geteuid() == 0, "needs root, to mount a disk that is small")
class FullDisk(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="runnel-full-")
        self.addCleanup(os.rmdir, self.folder)
        self.service = Service(
            "--concurrency=4", env={"RUNNEL_STORAGE_DIR": self.folder, "RUNNEL_MAX_UPLOAD": "40M"},
            under=["unshare", "-m", "sh", "-c", MOUNT, "sh", str(SIZE), self.folder])
        self.addCleanup(self.service.close)
        # The mount is theirs alone; through a process of theirs we see it.
        self.inside = f"/proc/{self.service.front()}/root{self.folder}"

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=30)
        try:
            connection.request(method, path, body,
                               {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def run_it(self, code="echo done", query="", **fields):
        body = json.dumps({"language": "bash", "code": code, **fields})
        return self.ask("POST", f"/v1/runs{query}", body)

    def upload(self, size):
        head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        return self.ask("POST", "/v1/files", head + bytes(size) + b"\r\n--edge--\r\n",
                        {"Content-Type": "multipart/form-data; boundary=edge"})

    def free(self):
        disk = os.statvfs(self.inside)
        return disk.f_bavail * disk.f_frsize

    def fill(self, leave):
        """With a file of somebody else's."""
        path = os.path.join(self.inside, "ballast")
        with open(path, "ab") as file:
            while self.free() > leave:
                try:
                    file.write(bytes(min(self.free() - leave, 1 << 20)) or b"x")
                    file.flush()
                except OSError:
                    break
        return path

    def files(self):
        return sorted(os.listdir(os.path.join(self.inside, "files")))

    def test_what_is_new_is_refused_until_there_is_room(self):
        status, record = self.run_it("echo kept; echo x > outputs/x")
        self.assertEqual((status, record["stdout"], len(record["artifacts"])), (200, "kept\n", 1))
        status, live = self.run_it("sleep 2; echo late; echo y > outputs/y", "?wait=false",
                                   on_disconnect="continue")
        self.assertEqual(status, 201)
        before = self.files()
        ballast = self.fill(leave=0)
        for status, answer in (self.run_it(), self.run_it(query="?wait=false"), self.upload(1000)):
            self.assertEqual((status, answer["code"]), (507, "storage_full"), answer)
            self.assertIsNone(answer["data"])
        # What is there is read all the same, and what goes on is answered for.
        self.assertEqual(self.ask("GET", f"/v1/runs/{record['id']}")[1]["stdout"], "kept\n")
        wait_until("it ends", lambda: self.ask("GET", f"/v1/runs/{live['id']}")[1]["verdict"])
        self.assertEqual(self.ask("GET", f"/v1/runs/{live['id']}")[1]["stdout"], "late\n")
        self.assertLessEqual(set(self.files()) - set(before), self.artifacts(live))
        os.unlink(ballast)
        wait_until("there is room", lambda: self.run_it()[0] == 200)
        self.assertEqual(self.upload(1000)[0], 200)
        wait_until("the run of before is stored", lambda: any(
            row["id"] == live["id"] and row["verdict"] == "succeeded"
            for row in self.ask("GET", "/v1/runs")[1]["runs"]))
        self.assertEqual(self.ask("GET", f"/v1/runs/{live['id']}")[1]["stdout"], "late\n")

    def artifacts(self, run):
        return {item["id"] for item in self.ask("GET", f"/v1/runs/{run['id']}")[1]["artifacts"]}

    def test_a_file_that_fills_it_leaves_nothing(self):
        before = self.files()
        status, answer = self.upload(38 << 20)
        if status == 200:  # it fitted beside what is kept free: the next does not
            status, answer = self.upload(38 << 20)
            before = None
        self.assertEqual((status, answer["code"]), (507, "storage_full"), answer)
        if before is not None:
            self.assertEqual(self.files(), before)
        self.assertFalse([name for name in self.files() if name.endswith(".part")])
        wait_until("it goes on", lambda: self.run_it()[0] == 200)

    def test_artifacts_for_which_there_is_no_room_are_listed_as_refused(self):
        self.fill(leave=20 << 20)
        status, record = self.run_it("head -c 5000000 /dev/zero > outputs/big", query="",
                                     limits={"max_artifact_bytes": 20000000})
        self.assertEqual(status, 200, record)
        names = [item["name"] for item in record["artifacts"] + record["artifacts_refused"]]
        self.assertEqual(names, ["big"])


if __name__ == "__main__":
    unittest.main()
