# SPDX-License-Identifier: MIT
"""GET and DELETE of jobs: what is told of them, and how they end."""

import time
import unittest

from place import ID, TIME, Jobs, Place, lines, seconds_since

FIELDS = ["job_id", "workspace_id", "language", "source_code", "timeout", "status", "created_at",
          "updated_at"]


class Record(Jobs):
    def test_known_fields_come_first_in_their_order(self):
        source = "import sys\nprint('out')\nsys.stdout.flush()\nprint('err', file=sys.stderr)"
        job = self.place.run("python", source)
        self.assertEqual(list(job)[:9], [*FIELDS, "result"])
        self.assertEqual([job[name] for name in FIELDS[1:6]],
                         ["default", "python", source, 30, "completed"])
        self.assertRegex(job["job_id"], ID)
        self.assertRegex(job["created_at"], TIME)
        self.assertRegex(job["updated_at"], TIME)
        self.assertLess(job["created_at"], job["updated_at"])
        result = job["result"]
        self.assertEqual(list(result)[:5],
                         ["job_id", "workspace_id", "output", "exit_code", "duration"])
        self.assertEqual((result["job_id"], result["output"], result["exit_code"]),
                         (job["job_id"], "out\nerr\n", 0))
        self.assertGreater(result["duration"], 0)
        self.assertEqual((job["state"], job["priority"]), ("finished", "normal"))

    def test_each_end(self):
        rows = [("exit 0", {}, "completed", 0, "succeeded"), ("exit 3", {}, "failed", 3, "failed"),
                ("kill -SEGV $$", {}, "failed", 139, "killed_by_signal"),
                ("sleep 30", {"timeout": 0.3}, "failed", 1, "timeout"),
                ("while :; do :; done", {"timeout": 1}, "failed", 1, "timeout"),
                ("head -c 3000000 /dev/zero", {}, "failed", 1, "output_limit")]
        for source, more, status, code, verdict in rows:
            with self.subTest(source):
                job = self.place.run("bash", source, **more)
                result = job["result"]
                self.assertEqual((job["status"], result["exit_code"], result["verdict"]),
                                 (status, code, verdict))
                self.assertEqual("error" in result, status != "completed")

    def test_memory_limit_holds(self):
        job = self.place.run("python", "x = bytearray(200 << 20)\nprint(len(x))", memory_limit=64)
        self.assertEqual((job["status"], job["result"]["verdict"]), ("failed", "memory_limit"))
        job = self.place.run("python", "x = bytearray(300 << 20)\nprint('fits')", memory_limit=512)
        self.assertEqual(job["result"]["output"], "fits\n")

    def test_what_a_compiler_says_is_the_output_when_it_fails(self):
        job = self.place.run("c", "int main(void) { return x; }")
        self.assertEqual((job["status"], job["result"]["verdict"]), ("failed", "compile_failed"))
        self.assertIn("undeclared", job["result"]["output"])

    def test_output_that_is_no_text_is_told_as_such(self):
        job = self.place.run("bash", r"printf 'a\xff\x00b\xe2\x82'")
        self.assertEqual(job["result"]["output"], "a\ufffd\0b\ufffd")

    def test_a_program_has_no_input(self):
        self.assertEqual(self.place.run("bash", "cat; echo end")["result"]["output"], "end\n")

    def test_a_fractional_timeout_comes_back(self):
        self.assertEqual(self.place.job(self.place.submit("bash", ":", timeout=1.5))["timeout"], 1.5)

    def test_what_there_is_not(self):
        for job_id in ("nope", "00000000-0000-4000-8000-000000000000", "x" * 300, "%20", "a%3Ab"):
            answer = self.place.ask("GET", f"/api/jobs/{job_id}")
            self.assertEqual((answer.status, answer.body), (404, b'{"error":"Job not found"}'))

    def test_runs_of_other_dialects_are_no_jobs(self):
        _, run = self.place.service.request("POST", "/v1/runs?wait=false",
                                            {"language": "bash", "code": "sleep 5"})
        self.assertEqual(self.place.ask("GET", f"/api/jobs/{run['id']}").status, 404)
        self.assertEqual(self.place.ask("DELETE", f"/api/jobs/{run['id']}").status, 200)
        _, session = self.place.service.request("POST", "/session",
                                                {"language": "bash", "code": "sleep 5"})
        self.assertEqual(self.place.ask("GET", f"/api/jobs/{session['sessionId']}").status, 404)
        time.sleep(0.2)
        self.assertIn(self.place.service.request("GET", f"/v1/runs/{run['id']}")[1]["status"],
                      ("queued", "preparing", "running", "waiting"))
        self.place.ask("DELETE", f"/v1/runs/{run['id']}")

    def test_as_a_run_it_is_told_without_what_is_the_jobs_own(self):
        job = self.place.submit("bash", "echo begun; sleep 60")
        with self.place.follow(job) as socket:
            lines(socket, 1)
        path = f"/v1/runs/{job}"
        status, told = self.place.service.request("GET", path)
        self.assertEqual((status, told["id"], told["language"]), (200, job, "bash"))
        self.assertEqual(told["limits"]["timeout_ms"], 30000)
        self.assertNotIn("source_code", told)
        status, told = self.place.service.request("DELETE", path)
        self.assertEqual((status, told["id"]), (202, job))
        self.place.ended(job)
        status, told = self.place.service.request("GET", path)
        self.assertEqual((status, told["status"], told["stdout"]), (200, "killed", "begun\n"))
        self.assertEqual(self.place.service.request("DELETE", f"{path}?only=cancel"), (200, told))


class List(Jobs):
    def test_they_stand_in_their_order(self):
        place = Place()
        self.addCleanup(place.close)
        self.assertEqual(place.ask("GET", "/api/jobs").body, b'{"jobs":[],"count":0}')
        ids = [place.run("bash", f"echo {number}")["job_id"] for number in range(5)]
        said = place.ask("GET", "/api/jobs").json()
        self.assertEqual([job["job_id"] for job in said["jobs"]], ids)
        self.assertEqual((said["count"], list(said)), (5, ["jobs", "count"]))
        self.assertEqual(said["jobs"][3], place.job(ids[3]))

    def test_of_many_it_has_the_newest(self):
        ids = [self.place.submit("bash", ":") for _ in range(120)]
        said = self.place.ask("GET", "/api/jobs").json()
        listed = [job["job_id"] for job in said["jobs"]]
        times = [job["created_at"] for job in said["jobs"]]
        self.assertEqual((len(set(listed)), said["count"], said["more"]), (100, 100, True))
        self.assertEqual(times, sorted(times))
        # Of one millisecond any may be first.
        self.assertLessEqual(set(ids[-80:]), set(listed))

    def test_long_ones_leave_room_for_fewer(self):
        ids = [self.place.submit("bash", "head -c 1000000 /dev/zero") for _ in range(5)]
        for job_id in ids:
            self.place.ended(job_id)
        answer = self.place.ask("GET", "/api/jobs")
        self.assertLess(len(answer.body), 17 << 20)
        # Of one millisecond any may be last.
        newest = self.place.job(ids[-1])["created_at"]
        self.assertEqual(answer.json()["jobs"][-1]["created_at"], newest)
        self.assertTrue(answer.json()["more"])


class Cancel(Jobs):
    flags = ("--concurrency=1",)

    def cancel(self, job_id):
        answer = self.place.ask("DELETE", f"/api/jobs/{job_id}")
        self.assertEqual((answer.status, answer.body), (200, b'{"message":"Job cancelled"}'))

    def test_in_every_state(self):
        running = self.place.submit("bash", "echo begun; sleep 60")
        queued = self.place.submit("bash", "echo never")
        with self.place.follow(running) as socket:
            lines(socket, 1)
        waiting = self.place.job(queued)
        self.assertEqual((waiting["status"], waiting["state"], waiting["position"]),
                         ("queued", "queued", 1))
        self.assertGreaterEqual(waiting["estimated_wait_ms"], 0)
        self.assertEqual(self.place.job(running)["status"], "submitted")
        self.cancel(queued)
        job = self.place.ended(queued)
        self.assertEqual((job["status"], job["result"]["output"], job["result"]["exit_code"]),
                         ("cancelled", "", 1))
        start = time.monotonic()
        self.cancel(running)
        job = self.place.ended(running)
        self.assertLess(seconds_since(start), 20)
        self.assertEqual((job["status"], job["result"]["output"], job["result"]["verdict"]),
                         ("cancelled", "begun\n", "cancelled"))
        self.cancel(running)
        self.assertEqual(self.place.job(running)["status"], "cancelled")

    def test_one_that_has_ended_stays_as_it_was(self):
        job_id = self.place.run("bash", ":")["job_id"]
        self.cancel(job_id)
        self.assertEqual(self.place.job(job_id)["status"], "completed")

    def test_one_that_compiles(self):
        job_id = self.place.submit("c", "#define A(x) x x x x x x x x\nconst char *s = "
                                   'A(A(A(A(A(A(A("x")))))));\nint main(void){}\n')
        self.place.until_state(job_id, "preparing", "compiling", "running", "finished")
        self.cancel(job_id)
        self.assertIn(self.place.ended(job_id)["status"], ("cancelled", "completed"))

    def test_those_that_there_are_not(self):
        for job_id in ("nope", "00000000-0000-4000-8000-000000000000", "x" * 300):
            self.cancel(job_id)


class Waiting(unittest.TestCase):
    def test_a_job_waits_as_long_as_it_says(self):
        place = Place("--concurrency=1")
        try:
            place.submit("bash", "sleep 5")
            job = place.ended(place.submit("bash", "echo x", queue_timeout=0.3))
            self.assertEqual((job["status"], job["result"]["verdict"], job["result"]["exit_code"]),
                             ("failed", "queue_timeout", 1))
        finally:
            place.close()


ONE, TWO, SLOW = "sk_one_0123456789", "sk_two_0123456789", "sk_slow_0123456789"


class Owners(Jobs):
    env = {"API_KEYS": f"{ONE}:one:1000:1000,{TWO}:two:1000:1000,{SLOW}:slow:1:2"}

    def as_(self, key):
        return {"Authorization": f"Bearer {key}"}

    def test_a_key_is_asked_for(self):
        for method, path in (("POST", "/api/execute"), ("GET", "/api/jobs"), ("GET", "/api/jobs/x"),
                             ("DELETE", "/api/jobs/x"), ("GET", "/stream/x")):
            self.assertEqual(self.place.ask(method, path).status, 401, f"{method} {path}")
        self.assertEqual(self.place.ask("GET", "/health").status, 200)

    def test_nobody_sees_or_ends_anothers_job(self):
        mine, other = self.as_(ONE), self.as_(TWO)
        job_id = self.place.submit("bash", "echo secret; sleep 20", headers=mine)
        self.assertEqual(self.place.ask("GET", f"/api/jobs/{job_id}", **other).status, 404)
        self.assertEqual(self.place.ask("GET", "/api/jobs", **other).json()["jobs"], [])
        self.assertEqual(self.place.ask("DELETE", f"/api/jobs/{job_id}", **other).status, 200)
        self.assertEqual(self.place.job(job_id, **mine)["status"], "submitted")
        self.assertEqual(len(self.place.ask("GET", "/api/jobs", **mine).json()["jobs"]), 1)
        self.place.ask("DELETE", f"/api/jobs/{job_id}", **mine)
        self.assertEqual(self.place.ended(job_id, **mine)["status"], "cancelled")

    def test_a_key_has_its_own_rate(self):
        body = {"language": "bash", "source_code": ":"}
        answers = [self.place.post(body, **self.as_(SLOW)) for _ in range(3)]
        self.assertEqual([answer.status for answer in answers], [200, 200, 429])
        self.assertIn("retry-after", answers[2].headers)
        self.assertEqual(answers[0].headers["ratelimit-limit"], "2")


class Anonymous(Jobs):
    env = {"API_KEYS": f"{ONE}:one"}
    flags = ("--allow-anonymous=jobs",)

    def test_the_dialect_can_be_left_open(self):
        job = self.place.run("bash", "echo x")
        self.assertEqual(job["result"]["output"], "x\n")
        socket = self.place.follow(job["job_id"])
        self.assertIn(b'"line":"x"', socket.message())
        socket.socket.close()
