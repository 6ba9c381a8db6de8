# SPDX-License-Identifier: MIT
"""POST /api/execute: what is taken, and how what is not is refused."""

import json
import unittest
from urllib.parse import urlencode

from place import ID, Jobs, Place, request

CODE = {"language": "bash", "source_code": "echo hi"}
FORM = "application/x-www-form-urlencoded"
REQUIRED = {"error": "Missing required fields", "required": ["language", "source_code"]}
TOO_LARGE = {"error": "Source code too large", "max_size": "100KB"}
ENTRY_POINT = {"error": "Invalid entry point format"}
LANGUAGE = {"error": "Unsupported language",
            "supported": ["python", "nodejs", "go", "rust", "java"]}


class Taken(Jobs):
    def test_the_answer_has_known_fields_and_no_other(self):
        answer = self.place.post(CODE)
        said = answer.json()
        self.assertEqual(answer.status, 200)
        self.assertRegex(said["job_id"], ID)
        self.assertEqual(json.dumps(said), json.dumps({
            "job_id": said["job_id"], "status": "submitted",
            "message": "Job submitted for execution", "stream_url": f"/stream/{said['job_id']}"}))
        self.assertEqual(answer.headers["content-type"], "application/json; charset=utf-8")

    def test_a_job_can_be_asked_for_as_soon_as_it_is_submitted(self):
        for _ in range(20):
            self.assertIn(self.place.job(self.place.submit("bash", ":"))["status"],
                          ("queued", "submitted", "completed"))

    def test_languages_have_their_names_here_and_everywhere(self):
        for name, code in (("python", "print(6*7)"), ("nodejs", "console.log(6*7)"),
                           ("javascript", "console.log(6*7)"), ("node", "console.log(6*7)"),
                           ("ruby", "puts 6*7"), ("php", "<?php echo 6*7;"),
                           ("c", '#include <stdio.h>\nint main(void){printf("42");}')):
            with self.subTest(name):
                job = self.place.run(name, code)
                self.assertEqual((job["language"], job["status"], job["result"]["output"].strip()),
                                 (name, "completed", "42"), job)

    def test_compiled_ones_of_the_known_service(self):
        for name, code in (("go", 'package main\nimport "fmt"\nfunc main(){fmt.Println(6*7)}'),
                           ("rust", 'fn main(){println!("{}",6*7);}'),
                           ("java", "public class Main{public static void main(String[] a)"
                                    "{System.out.println(6*7);}}")):
            with self.subTest(name):
                job = self.place.run(name, code)
                self.assertEqual((job["status"], job["result"]["output"]), ("completed", "42\n"), job)

    def test_a_form_is_taken(self):
        body = urlencode({"language": "python", "source_code": "print('ä+&=')", "timeout": "7",
                          "workspace_id": "form"}).encode()
        for kind in (FORM, FORM + "; charset=UTF-8"):
            answer = self.place.post(body, Content_Type=kind)
            self.assertEqual(answer.status, 200, answer)
            job = self.place.ended(answer.json()["job_id"])
            self.assertEqual((job["result"]["output"], job["timeout"], job["workspace_id"]),
                             ("ä+&=\n", 7, "form"))

    def test_entry_point_names_the_file(self):
        job = self.place.run("python", "print(__file__)", entry_point="my_app-1.py")
        self.assertEqual((job["entry_point"], job["result"]["output"]),
                         ("my_app-1.py", "/work/my_app-1.py\n"))

    def test_a_source_of_the_largest_size_comes_back_as_it_was(self):
        source = "#" + "\x01€\"\\" * 24999 + "\n"
        job = self.place.run("python", source[:100000])
        self.assertEqual((job["source_code"], job["status"]), (source[:100000], "completed"))


class Refused(Jobs):
    def test_in_known_words(self):
        rows = [({}, REQUIRED), ({"language": "python"}, REQUIRED), ({"source_code": "x"}, REQUIRED),
                ({"language": "", "source_code": "x"}, REQUIRED),
                ({"language": "python", "source_code": ""}, REQUIRED),
                ({"language": None, "source_code": "x"}, REQUIRED),
                ({"language": "cobol", "source_code": "x"}, LANGUAGE),
                ({"language": "Python", "source_code": "x"}, LANGUAGE),
                ({"language": "__proto__", "source_code": "x"}, LANGUAGE),
                ({"language": ["python"], "source_code": "x"}, LANGUAGE),
                ({"language": "python", "source_code": "x" * 100001}, TOO_LARGE),
                ({"language": "python", "source_code": "😀" * 50001}, TOO_LARGE)]
        rows += [({"language": "python", "source_code": "x", "entry_point": name}, ENTRY_POINT)
                 for name in ("", "..", "a/b", "a b", "-rf", "ü.py", "$(id)", "a\nb", 5, "x" * 256)]
        for body, said in rows:
            with self.subTest(str(body)[:80]):
                answer = self.place.post(body)
                self.assertEqual((answer.status, answer.body),
                                 (400, json.dumps(said, separators=(",", ":")).encode()))

    def test_with_the_field_and_the_reason(self):
        for field, value in (("timeout", 61), ("timeout", 0), ("timeout", "5"), ("timeout", -1),
                             ("memory_limit", 1), ("memory_limit", "x"), ("priority", "urgent"),
                             ("priority", 10), ("dependencies", ["left-pad"]), ("dependencies", {}),
                             ("workspace_id", 5), ("queue_timeout", 601),
                             ("workspace_id", "x" * 256), ("dependencies", ["x"] * 65)):
            with self.subTest(f"{field} {value!r}"[:60]):
                answer = self.place.post({**CODE, field: value})
                said = answer.json()
                self.assertEqual((answer.status, said["error"], said["code"], said["field"]),
                                 (400, "Execution failed", "invalid_request", field))
                self.assertIn(field if field != "dependencies" or value != ["left-pad"]
                              else "left-pad", said["message"])

    def test_what_is_not_json_is_a_400(self):
        for body in (b"{", b"[]", b"5", b'"x"', b"\xff", b'{"a":1,"a":2}', b"{}{}",
                     b'{"language":"python","source_code":"\\ud800"}', b"[" * 100000):
            with self.subTest(body[:30]):
                answer = self.place.post(body, Content_Type="application/json")
                self.assertEqual((answer.status, answer.json()["code"]), (400, "invalid_request"))
        for body in (b"language=python&language=bash", b"language=%ff", b"source_code=%00"):
            self.assertEqual(self.place.post(body, Content_Type=FORM).status, 400)

    def test_no_body_is_one_without_fields(self):
        for headers in ({}, {"Content_Type": "application/json"}, {"Content_Type": FORM}):
            answer = self.place.post(b"", **headers)
            self.assertEqual((answer.status, answer.json()), (400, REQUIRED))

    def test_another_type_is_415(self):
        for kind in ("text/plain", "multipart/form-data; boundary=x", FORM + "x"):
            answer = self.place.post(json.dumps(CODE).encode(), Content_Type=kind)
            self.assertEqual(answer.status, 415, kind)

    def test_a_form_of_a_foreign_page_is_refused(self):
        body = urlencode(CODE).encode()
        for site, status in (("cross-site", 415), ("same-site", 415), ("same-origin", 200),
                             ("none", 200)):
            answer = self.place.post(body, Content_Type=FORM, Sec_Fetch_Site=site)
            self.assertEqual(answer.status, status, site)
        self.assertEqual(self.place.post(body, Content_Type=FORM,
                                         Origin="https://evil.example").status, 403)

    def test_large_bodies(self):
        """Up to 10 MB the known service reads on, and finds the source too large."""
        for size, status in ((2 << 20, 400), (9 << 20, 400), (11 << 20, 413)):
            answer = self.place.post({"language": "python", "source_code": "x" * size})
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.json(), TOO_LARGE if status == 400 else answer.json())

    def test_a_language_that_is_not_installed_says_so(self):
        answer = self.place.post({"language": "dart", "source_code": "x"})
        if answer.status == 200:
            return  # Dart is here
        self.assertEqual((answer.status, answer.json()["code"]), (400, "language_not_installed"))
        self.assertIn("not installed", answer.json()["message"])

    def test_other_methods_and_paths(self):
        for method, path in (("GET", "/api/execute"), ("PUT", "/api/execute"), ("GET", "/api"),
                             ("POST", "/api/jobs"), ("PUT", "/api/jobs/x"), ("GET", "/stream")):
            self.assertEqual(self.place.ask(method, path).status, 404, f"{method} {path}")


class Dependencies(Jobs):
    flags = ("--dependencies=python:json,nodejs:fs", "--dependencies=py:numpy")

    def test_those_on_the_list_are_taken_for_their_language(self):
        for language, names, status in (("python", ["json"], 200), ("py", ["json", "numpy"], 200),
                                        ("javascript", ["fs"], 200), ("javascript", ["json"], 400),
                                        ("python", ["json", "fs"], 400), ("python", ["JSON"], 400)):
            with self.subTest(f"{language} {names}"):
                answer = self.place.post({"language": language, "source_code": "1",
                                          "dependencies": names})
                self.assertEqual(answer.status, status, answer)
                if status == 200:
                    job = self.place.job(answer.json()["job_id"])
                    self.assertEqual(job["dependencies"], names)


class Rates(unittest.TestCase):
    def test_ten_a_minute_in_known_words(self):
        place = Place("--rate-limit-loopback")
        try:
            for left in range(9, -1, -1):
                answer = place.post({})
                self.assertEqual(answer.status, 400)
                self.assertEqual([answer.headers[f"ratelimit-{name}"]
                                  for name in ("policy", "limit", "remaining")],
                                 ["10;w=60", "10", str(left)])
                self.assertIn(int(answer.headers["ratelimit-reset"]), range(1, 61))
            answer = place.post(CODE)
            self.assertEqual((answer.status, answer.headers["content-type"], answer.body),
                             (429, "text/html; charset=utf-8",
                              b"Too many execution requests, please try again later"))
            self.assertIn(int(answer.headers["retry-after"]), range(1, 61))
            self.assertEqual(place.ask("GET", "/api/jobs").status, 200)
        finally:
            place.close()

    def test_this_machine_is_exempt_and_is_told_the_rate(self):
        place = Place()
        try:
            for _ in range(15):
                self.assertEqual(place.post({}).status, 400)
            self.assertEqual(place.post({}).headers["ratelimit-limit"], "10")
        finally:
            place.close()

    def test_a_full_queue_is_503_at_once(self):
        place = Place("--concurrency=1", "--queue-length=0")
        try:
            place.until_state(place.submit("bash", "sleep 30"), "running", "waiting")
            answer = place.post(CODE)
            self.assertEqual((answer.status, answer.json()["error"], answer.json()["code"]),
                             (503, "Execution failed", "queue_full"))
            self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)
        finally:
            place.close()


class Doors(Jobs):
    def test_health_is_the_dialects_on_its_listener(self):
        said = self.place.ask("GET", "/health").json()
        self.assertEqual(list(said), ["status", "timestamp"])
        self.assertEqual(said["status"], "ok")
        other = request(self.place.service.port, "GET", "/health").json()
        self.assertEqual(other["status"], "UP")

    def test_every_dialect_is_on_every_listener(self):
        self.assertEqual(request(self.place.service.port, "POST", "/api/execute", CODE).status, 200)
        self.assertEqual(self.place.ask("POST", "/execute",
                                        {"language": "bash", "code": "echo x"}).json()["output"], "x\n")
        self.assertEqual(self.place.ask("GET", "/v1/health").json(), {"status": "ok"})
        self.assertIn(b"<html", self.place.ask("GET", "/").body)

    def test_a_page_of_this_machine_may_ask_and_another_may_not(self):
        answer = self.place.post(CODE, Origin="http://localhost:3000")
        self.assertEqual((answer.status, answer.headers["access-control-allow-origin"]),
                         (200, "http://localhost:3000"))
        self.assertEqual(self.place.post(CODE, Origin="https://evil.example").status, 403)
        preflight = self.place.ask("OPTIONS", "/api/execute", Origin="http://localhost:3000")
        self.assertEqual(preflight.status, 204)
        self.assertIn("DELETE", preflight.headers["access-control-allow-methods"])
        self.assertIn("Content-Type", preflight.headers["access-control-allow-headers"])


class Listeners(unittest.TestCase):
    def test_a_wrong_list_of_dependencies_does_not_start(self):
        for entry in ("numpy", "cobol:numpy"):
            with self.assertRaisesRegex(AssertionError, "dependencies"):
                Place(f"--dependencies={entry}").close()
