# SPDX-License-Identifier: MIT
"""What a client knows of one machine it finds on many: each dialect through a broker, jobs on any
front, input to programs on other machines."""

import concurrent.futures
import http.client
import json
import signal
import subprocess
import unittest
import urllib.request

from fleet import BOUND_S, RUNNEL, Fleet, wait_until
from websocket import WebSocket

MIB = 1 << 20
ECHO = 'while read -r line; do echo "got $line"; done; echo bye'


class Anywhere(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(fronts=2, workers=2)
        cls.one, cls.other = cls.fleet.fronts

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()

    def start(self, code, language="bash", **fields):
        status, record = self.one.request("POST", "/v1/runs?wait=false", {
            "language": language, "code": code, **fields})
        self.assertEqual(status, 201, record)
        return record["id"]

    def attach(self, run, query=""):
        socket = WebSocket(self.one.port, f"/v1/runs/{run}/stream{query}")
        self.addCleanup(socket.socket.close)
        return socket

    def read_until(self, socket, text):
        said = ""
        while text not in said:
            event = socket.json()
            if event["type"] in ("stdout", "stderr"):
                said += event["data"]
        return said

    def verdict(self, run, wanted):
        record = wait_until("the run ends", lambda: (
            lambda record: record if record["verdict"] else None)(
                self.one.request("GET", f"/v1/runs/{run}")[1]))
        self.assertEqual(record["verdict"], wanted, record)
        return record

    def test_execute(self):
        answer = self.one.run("python", "import sys; print(6*7); print('e', file=sys.stderr)")
        self.assertEqual((answer["output"], answer["exitCode"]), ("42\ne\n", 0), answer)

    def test_execute_with_input(self):
        answer = self.one.run("python", "print(input()[::-1])", input="abc\n")
        self.assertEqual(answer["output"], "cba\n", answer)

    def test_a_compiler_says_what_is_wrong(self):
        answer = self.one.run("c", "int main(void) { return x; }")
        self.assertEqual(answer["verdict"], "compile_failed", answer)
        self.assertIn("undeclared", answer["output"])

    def test_files_args_and_environment_travel(self):
        status, record = self.one.request("POST", "/v1/runs", {
            "language": "python", "args": ["a b", "c"], "env": {"GREETING": "hi"}, "stdin": "in",
            "files": [{"path": "main.py", "content":
                       "import sys, os, other\n"
                       "print(sys.argv[1:], os.environ['GREETING'], sys.stdin.read(), other.x)"},
                      {"path": "other.py", "content": "x = 5"}]})
        self.assertEqual(status, 200, record)
        self.assertEqual(record["stdout"], "['a b', 'c'] hi in 5\n", record)

    def upload(self, content):
        form = (b'--edge\r\ncontent-disposition: form-data; name="file"; filename="data"\r\n'
                b"content-type: text/plain\r\n\r\n" + content + b"\r\n--edge--\r\n")
        connection = http.client.HTTPConnection("127.0.0.1", self.one.port, timeout=60)
        self.addCleanup(connection.close)
        connection.request("POST", "/v1/files", form,
                           {"content-type": "multipart/form-data; boundary=edge"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        self.assertEqual(answer.status, 200, body)
        return body["id"]

    def run_with_upload(self, content, code):
        return self.one.request("POST", "/v1/runs", {
            "language": "bash", "code": code,
            "files": [{"path": "data", "id": self.upload(content)}]})

    def test_an_uploaded_file_travels(self):
        for size in (5, 5 * MIB):
            status, record = self.run_with_upload(b"x" * size, "wc -c < inputs/data")
            self.assertEqual(status, 200, record)
            self.assertEqual(record["stdout"].strip(), str(size), record)

    def test_files_that_are_too_much_for_a_job_are_refused(self):
        status, answer = self.run_with_upload(b"x" * 9 * MIB, "wc -c < inputs/data")
        self.assertEqual((status, answer["code"]), (413, "too_large"), answer)
        self.assertIn("8 MiB", answer["error"])
        self.assertIn("another machine", answer["error"])

    def test_files_that_are_left_are_listed_and_refused(self):
        status, record = self.one.request("POST", "/v1/runs", {
            "language": "bash", "code": "mkdir -p outputs/a; echo 1 > outputs/one; "
                                        "echo 22 > outputs/a/two"})
        self.assertEqual((status, record["verdict"]), (200, "succeeded"), record)
        self.assertEqual(record["artifacts"], [])
        self.assertEqual({each["name"] for each in record["artifacts_refused"]}, {"one", "a/two"})
        for each in record["artifacts_refused"]:
            self.assertIn("stayed on the machine", each["reason"])

    def test_limits_hold_on_the_worker(self):
        status, record = self.one.request("POST", "/v1/runs", {
            "language": "bash", "code": "while :; do :; done", "limits": {"timeout_ms": 300}})
        self.assertEqual((status, record["verdict"]), (200, "timeout"), record)

    def test_a_conversation(self):
        run = self.start(ECHO)
        socket = self.attach(run)
        for word in ("one", "two"):
            socket.send_json({"type": "input", "data": word + "\n"})
            self.assertIn(f"got {word}", self.read_until(socket, f"got {word}\n"))
        socket.send_json({"type": "eof"})
        self.read_until(socket, "bye\n")
        self.verdict(run, "succeeded")

    def test_a_terminal_a_signal_and_a_new_size(self):
        # A trap that comes in the middle of $(…) is lost in bash: "unexpected EOF", one time in 700.
        run = self.start("trap 'stty size' WINCH; trap 'echo hup' HUP; echo up; "
                         "for i in {1..300}; do sleep 0.1; done", tty=True)
        socket = self.attach(run)
        self.read_until(socket, "up")
        socket.send_json({"type": "resize", "columns": 91, "rows": 17})
        self.read_until(socket, "17 91")
        socket.send_json({"type": "signal", "signal": "HUP"})
        self.read_until(socket, "hup")
        socket.send_json({"type": "cancel"})
        self.verdict(run, "cancelled")

    def test_much_output_comes_whole_and_in_order(self):
        run = self.start("seq 1 200000")
        socket = self.attach(run)
        said = self.read_until(socket, "200000\n")
        self.assertEqual(said, "".join(f"{n}\n" for n in range(1, 200001)))
        self.verdict(run, "succeeded")

    def test_waiting_is_told(self):
        run = self.start("name = input('name? ')\nprint('hello', name)", "python")
        socket = self.attach(run)
        self.read_until(socket, "name? ")
        wait_until("it waits", lambda: self.one.request("GET", f"/v1/runs/{run}")[1]["status"]
                   == "waiting")
        socket.send_json({"type": "input", "data": "Ada\n"})
        self.read_until(socket, "hello Ada")

    def test_a_session(self):
        status, answer = self.one.request("POST", "/session", {
            "language": "python", "code": "print('hello', input())"})
        self.assertEqual(status, 200, answer)
        socket = WebSocket(self.one.port, f"/ws/session/{answer['sessionId']}")
        self.addCleanup(socket.socket.close)
        socket.send_json({"type": "input", "data": "Ada\n"})
        said = ""
        while "hello Ada" not in said:
            frame = socket.json()
            said += frame.get("data", "")

    def test_a_job_is_known_on_the_other_front(self):
        job = self.one.submit("python", "print('far')")
        record = self.other.result(job)
        self.assertEqual((record["status"], record["result"]["output"]), ("completed", "far\n"))
        self.assertEqual(record["source_code"], "print('far')")
        self.assertIn(job, [each["job_id"] for each in
                            self.other.request("GET", "/api/jobs")[1]["jobs"]])

    def test_a_job_that_has_ended_is_known_at_the_first_question(self):
        job = self.one.submit("bash", "echo over")
        self.one.result(job)
        status, record = self.other.request("GET", f"/api/jobs/{job}")
        self.assertEqual((status, record.get("status")), (200, "completed"), record)
        self.assertEqual(record["result"]["output"], "over\n")

    def test_a_job_is_heard_on_the_other_front(self):
        job = self.one.submit("bash", "echo first; sleep 0.5; echo second")
        socket = WebSocket(self.other.port, f"/stream/{job}")
        self.addCleanup(socket.socket.close)
        socket.send_json({"type": "subscribe", "job_id": job})
        lines = [socket.json()["data"]["line"] for _ in range(2)]
        self.assertEqual(lines, ["first", "second"])
        self.assertEqual(self.other.result(job)["status"], "completed")

    def test_a_job_is_cancelled_from_the_other_front(self):
        job = self.one.submit("bash", "echo begun; sleep 100")
        wait_until("it runs", lambda: self.one.job(job)["status"] == "submitted")
        self.assertEqual(self.other.request("DELETE", f"/api/jobs/{job}")[0], 200)
        self.assertEqual(self.one.result(job)["status"], "cancelled")

    def test_a_job_that_waits_is_cancelled_and_never_runs(self):
        slots = sum(self.fleet.slots for _ in self.fleet.workers)
        busy = [self.one.submit("bash", "sleep 3") for _ in range(2 * slots + 2)]
        job = self.one.submit("bash", "echo ran")
        self.assertEqual(self.one.job(job)["status"], "queued")
        self.one.request("DELETE", f"/api/jobs/{job}")
        self.assertEqual(self.one.result(job)["status"], "cancelled")
        for each in busy:
            self.assertEqual(self.one.result(each)["status"], "completed")
        self.assertNotIn("ran", self.one.job(job).get("result", {}).get("output", ""))

    def test_what_waits_is_cancelled_by_an_operator_at_once(self):
        """Some of it waits in the broker, some with a worker already; its client waits, too."""
        slots = sum(self.fleet.slots for _ in self.fleet.workers)
        busy = [self.one.submit("bash", "sleep 60") for _ in range(slots)]
        wait_until("all are busy", lambda: all(self.one.job(job)["status"] == "submitted"
                                               for job in busy))
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waits = pool.submit(self.one.request, "POST", "/v1/runs",
                                {"language": "bash", "code": "echo ran"})
            jobs = [self.one.submit("bash", "echo ran") for _ in range(2 * slots)]
            run = wait_until("it is there", lambda: next(
                (run["id"] for run in self.one.request("GET", "/v1/runs")[1]["runs"]
                 if run["status"] == "queued"), None))
            for job in [run, *jobs]:
                subprocess.run([RUNNEL, "jobs", "cancel", job, "--stream", self.fleet.redis.url],
                               check=True, capture_output=True)
            for job in jobs:
                for front in self.fleet.fronts:
                    self.assertEqual(front.result(job)["status"], "cancelled")
            record = waits.result()[1]
            self.assertEqual((record["verdict"], record["reason"], record["stdout"]),
                             ("cancelled", "an operator stopped it", ""), record)
        self.assertTrue(all(self.one.job(job)["status"] == "submitted" for job in busy))
        for job in busy:
            self.one.request("DELETE", f"/api/jobs/{job}")
        self.assertTrue(wait_until("the next ones run", self.one.runs))
        self.assertEqual([self.one.job(job)["status"] for job in jobs],
                         ["cancelled"] * len(jobs))

    def test_jobs_of_all_fronts_are_listed_on_each(self):
        jobs = [front.submit("bash", f"echo {number}") for number in range(3)
                for front in (self.one, self.other)]
        for job in jobs:
            self.one.result(job)
        for front in (self.one, self.other):
            listed = front.request("GET", "/api/jobs")[1]
            records = {record["job_id"]: record for record in listed["jobs"]}
            self.assertEqual([job for job in records if job in jobs], jobs)  # oldest first
            for job in jobs:
                self.assertEqual(records[job]["status"], "completed", records[job])
            self.assertEqual(listed["count"], len(listed["jobs"]))

    def test_unknown_jobs_are_unknown(self):
        status, answer = self.one.request("GET", "/api/jobs/7a6e1f0c-0000-4000-8000-000000000000")
        self.assertEqual((status, answer), (404, {"error": "Job not found"}))

    def test_the_workers_are_shown(self):
        stats = self.one.request("GET", "/v1/stats")[1]
        workers = stats["workers"]
        self.assertEqual(stats["slots"], len(self.fleet.workers) * self.fleet.slots)
        self.assertEqual(stats["memory_bytes"] // MIB, sum(
            worker["memory_mb"] for worker in workers))
        self.assertEqual({worker["name"] for worker in workers},
                         {worker.name for worker in self.fleet.workers})
        self.assertTrue(all(worker["slots"] == self.fleet.slots for worker in workers), workers)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.one.port}/metrics") as answer:
            metrics = answer.read().decode().splitlines()
        for worker in self.fleet.workers:
            self.assertIn(f'runnel_worker_slots{{worker="{worker.name}"}} {self.fleet.slots}', metrics)
        self.assertIn("runnel_broker_connected 1", metrics)


    def names(self):
        return {worker.name for worker in self.fleet.workers}

    def test_a_record_says_which_worker_had_the_run(self):
        status, record = self.one.request("POST", "/v1/runs", {
            "language": "bash", "code": "echo 1", "priority": "high"})
        self.assertEqual((status, record["priority"]), (200, "high"), record)
        self.assertIn(record["worker"], self.names())
        self.assertNotIn("attempt", record)
        again = self.one.request("GET", f"/v1/runs/{record['id']}")[1]
        self.assertEqual((again["worker"], again["priority"]), (record["worker"], "high"))
        rows = self.one.request("GET", "/v1/runs?limit=100")[1]["runs"]
        self.assertEqual([row["priority"] for row in rows if row["id"] == record["id"]], ["high"])

    def test_who_has_a_conversation_is_known_while_it_goes_on(self):
        run = self.start(ECHO)
        socket = self.attach(run)
        worker = wait_until("its worker is known", lambda: self.one.request(
            "GET", f"/v1/runs/{run}")[1].get("worker"))
        self.assertIn(worker, self.names())
        socket.send_json({"type": "eof"})
        self.assertEqual(self.verdict(run, "succeeded")["worker"], worker)


class Keys(unittest.TestCase):
    """A key of a front's own store is a number, which another front gives to somebody else."""

    def key(self, front, label):
        made = subprocess.run([RUNNEL, "key", "create", "--json", f"--label={label}", "--rate=none",
                               "--storage-dir", front.storage()], check=True, capture_output=True)
        return {"authorization": f"Bearer {json.loads(made.stdout)['token']}"}

    def ask(self, front, headers, job):
        return front.request_raw("GET", f"/api/jobs/{job}", headers=headers)[0]

    def test_a_key_of_another_front_does_not_see_our_jobs(self):
        with Fleet(fronts=2, workers=1) as fleet:
            one, other = fleet.fronts
            ours, theirs = self.key(one, "ours"), self.key(other, "theirs")
            wait_until("doors are shut", lambda: all(
                front.request("GET", "/api/jobs")[0] == 401 for front in fleet.fronts))
            status, _, answer = one.request_raw("POST", "/api/execute", {
                "language": "bash", "source_code": "echo secret"}, headers=ours)
            self.assertEqual(status, 200, answer)
            job = json.loads(answer)["job_id"]
            wait_until("it ends", lambda: b"completed" in one.request_raw(
                "GET", f"/api/jobs/{job}", headers=ours)[2])
            self.assertEqual(self.ask(other, theirs, job), 404)
            self.assertNotIn(job.encode(), other.request_raw("GET", "/api/jobs", headers=theirs)[2])
            self.assertEqual(self.ask(one, ours, job), 200)


class Stopped(unittest.TestCase):
    def test_a_front_that_follows_another_s_run_stops_cleanly(self):
        with Fleet(fronts=2, workers=1) as fleet:
            one, other = fleet.fronts
            job = one.submit("bash", "sleep 60")
            wait_until("it is followed", lambda: (
                lambda record: record and record["status"] == "submitted")(other.job(job)))
            other.process.send_signal(signal.SIGTERM)
            self.assertEqual(other.process.wait(BOUND_S), 0, other.log())
            for wrong in ("Sanitizer", "front_died"):
                self.assertNotIn(wrong, other.log())
            self.assertEqual(one.job(job)["status"], "submitted", "it goes on")
            one.request("DELETE", f"/api/jobs/{job}")


if __name__ == "__main__":
    unittest.main()
