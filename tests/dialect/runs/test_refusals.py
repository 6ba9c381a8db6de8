# SPDX-License-Identifier: MIT
"""What is refused, in which words and naming which field; and that no body at all makes a 5xx."""

import json
import random
import socket
import unittest

from contract import KEY, Contract, form

CODE = {"language": "python", "code": "print(1)"}
EDGES = (-1, 0, 1e18, 2 ** 63, 2 ** 64 + 1, "1", "NaN", [], {}, True, 1.5, -0.0)
LIMITS = {"timeout_ms": 10000, "memory_mb": 512, "cpu_ms": 20000, "max_output_bytes": 2097152,
          "max_artifact_bytes": 20971520, "max_artifact_files": 10}


class Messages(Contract):
    def refused(self, body, status, sentence, field):
        answer = self.post(body)
        self.assertEqual(answer.error(), (status, sentence, field), answer)
        self.assertIsNone(answer.json()["data"])

    def test_they_are_the_known_ones_in_the_known_order(self):
        rows = [
            ({}, "language is required", "language"),
            ({"code": ""}, "language is required", "language"),
            ({"language": ""}, "language is required", "language"),
            ({"language": None, "code": "x"}, "language is required", "language"),
            ({"language": "cobol"}, "unsupported language", "language"),
            ({"language": "cobol", "code": ""}, "unsupported language", "language"),
            ({"language": "python"}, "code is required", "code"),
            ({"language": "python", "code": ""}, "code is required", "code"),
            ({"language": "python", "code": "x" * 204801}, "code exceeds 200 KiB", "code"),
            ({"language": "python", "code": "é" * 102401}, "code exceeds 200 KiB", "code"),
        ]
        for body, sentence, field in rows:
            with self.subTest(sentence):
                self.refused(body, 400, sentence, field)
        for name, largest in LIMITS.items():
            with self.subTest(name):
                self.refused({**CODE, "limits": {name: largest + 1}}, 400,
                             f"{name} exceeds maximum", f"limits.{name}")

    def test_the_largest_code_is_taken(self):
        self.assertEqual(self.run_it("#" * 204800)["status"], "succeeded")

    def test_names_that_every_object_has_are_no_languages(self):
        for name in ("constructor", "__proto__", "toString", "hasOwnProperty", "python\0", "PYTHON "):
            with self.subTest(name):
                answer = self.post({"language": name, "code": "x"})
                self.assertEqual(answer.status, 400, answer)

    def test_a_language_of_a_megabyte_is_none(self):
        answer = self.post({"language": "x" * 1000000, "code": "x"})
        self.assertEqual(answer.error(), (400, "language is longer than 100 bytes", "language"))

    def test_their_languages_have_their_names(self):
        for name in ("python", "node", "ruby", "php", "go"):
            self.assertEqual(self.post({"language": name}).json()["error"], "code is required")

    def test_paths_that_leave_the_folder(self):
        for path in ("../x", "a/../../x", "/etc/passwd", "..", "a/..", "\\x", "a\\..\\x",
                     "/proc/self/fd/3", "/proc/1/root/x", "/work/../etc/x"):
            with self.subTest(path):
                self.refused({**CODE, "files": [{"path": path, "id": "file_000000000000"}]}, 400,
                             f"invalid file path: {path}", "files")
                self.refused({**CODE, "files": [{"path": path, "content": "x"}]}, 400,
                             f"invalid file path: {path}", "files")

    def test_paths_that_no_folder_has(self):
        rows = ["", ".", "./", "a//b", "a/", "x" * 5000, "/".join("a" * 3000), "a/./b", "a\nb",
                "outputs", "tmp", "inputs", "main.py/x"]
        for path in rows:
            with self.subTest(path[:40]):
                answer = self.post({**CODE, "files": [{"path": path, "content": "x"}]})
                if answer.status != 200:
                    self.assertEqual(answer.status, 400, answer)
                    self.assertTrue(answer.json()["field"].startswith("files"), answer)

    def test_uploads_that_are_not_there(self):
        for name in ("file_000000000000", "nothing", "../../etc/passwd", "run_000000000000", "",
                     "constructor"):
            with self.subTest(name):
                self.refused({**CODE, "files": [{"id": name, "path": "x"}]}, 404,
                             "uploaded file not found", None)

    def test_too_much_is_uploaded_for_one_run(self):
        """The service's own cap of an upload is 10 MiB, which is theirs of a run's file."""
        files = [self.upload(bytes(9 << 20), f"{n}.bin").json()["id"] for n in range(3)]
        self.refused({**CODE, "files": [{"id": name, "path": f"{n}.bin"}
                                        for n, name in enumerate(files)]}, 400,
                     "total file size exceeds 25 MiB", "files")

    def test_limits_are_numbers_in_their_range(self):
        for name in [*LIMITS, "processes", "idle_timeout_ms", "cpus"]:
            for value in EDGES:
                with self.subTest(f"{name}: {value!r}"):
                    answer = self.post({**CODE, "limits": {name: value}})
                    if answer.status != 200:
                        self.assertEqual((answer.status, answer.json()["field"]),
                                         (400, f"limits.{name}"), answer)
                    elif value != 0 or not name.startswith("max_artifact"):
                        self.assertTrue(value == 1.5 and name == "cpus", answer)
        for text in (b"NaN", b"Infinity", b"1e999", b"9" * 400, b"-" + b"9" * 400):
            body = b'{"language":"python","code":"1","limits":{"timeout_ms":%s}}' % text
            self.assertEqual(self.post(body).status, 400, text)

    def test_every_field_of_a_wrong_type_is_named(self):
        wrong = {"language": 5, "code": 5, "args": "x", "files": 5, "env": [], "limits": 5,
                 "stdin": {}, "entrypoint": 1, "compile_args": {}, "tty": "yes", "columns": "80",
                 "rows": -1, "on_disconnect": "stay", "disconnect_grace_ms": 1e12, "metadata": [],
                 "webhook_url": 1}
        for field, value in wrong.items():
            with self.subTest(field):
                answer = self.post({**CODE, field: value})
                self.assertEqual((answer.status, answer.json().get("field")), (400, field), answer)
        deeper = {"args": [1], "env": {"A": 1}, "metadata": {"a": 1}, "files": [5]}
        for field, value in deeper.items():
            with self.subTest(f"{field} {value}"):
                answer = self.post({**CODE, field: value})
                self.assertEqual((answer.status, answer.json()["field"].split("[")[0]), (400, field))

    def test_the_name_of_the_program_s_file_is_named_as_it_was_given(self):
        for name in ("../x", "-c", "tmp", "/x", "a//b"):
            answer = self.post({**CODE, "entrypoint": name})
            self.assertEqual((answer.status, answer.json()["field"]), (400, "entrypoint"), name)
        for name in ("-c.py", "a//b.py"):
            answer = self.post({"language": "python", "files": [{"path": name, "content": "1"}]})
            self.assertEqual((answer.status, answer.json()["field"][:5]), (400, "files"), name)

    def test_what_may_be_given_once_is_given_once(self):
        rows = [(["Idempotency-Key: a", "Idempotency-Key: b"], 400, "Idempotency-Key"),
                (["Origin: http://localhost", "Origin: https://evil.example"], 403, None),
                (["Origin: https://evil.example", "Origin: http://localhost"], 403, None)]
        body = json.dumps(CODE)
        for headers, status, field in rows:
            with self.subTest(headers), \
                    socket.create_connection(("127.0.0.1", self.service.port), 20) as connection:
                lines = ["POST /v1/runs HTTP/1.1", "Host: localhost", "Connection: close",
                         f"Authorization: Bearer {KEY}", "Content-Type: application/json", *headers,
                         f"Content-Length: {len(body)}", "", body]
                connection.sendall("\r\n".join(lines).encode())
                head, said = b"".join(iter(lambda: connection.recv(65536), b"")).split(b"\r\n\r\n")
                self.assertEqual((int(head.split()[1]), json.loads(said).get("field")),
                                 (status, field))

    def test_a_language_that_is_none_has_its_code(self):
        answer = self.post({"language": "cobol", "code": "1"})
        self.assertEqual((answer.status, answer.json()["code"]), (400, "unknown_language"))

    def test_too_much_of_everything_is_named(self):
        rows = {"args": ["x"] * 300, "env": {f"A{n}": "x" for n in range(100)},
                "metadata": {f"a{n}": "x" for n in range(20)},
                "files": [{"path": f"{n}.txt", "content": "x"} for n in range(300)],
                "stdin": None, "webhook_url": "http://example.com/" + "x" * 3000}
        for field, value in rows.items():
            if value:
                with self.subTest(field):
                    answer = self.post({**CODE, field: value})
                    self.assertEqual((answer.status, answer.json()["field"]), (400, field), answer)

    def test_metadata_that_is_too_long_is_named(self):
        answer = self.post({**CODE, "metadata": {"a": "x" * 300000}})
        self.assertEqual((answer.status, answer.json()["field"]), (413, "metadata"))

    def test_a_long_program_is_refused_at_once(self):
        answer = self.post(b'{"language":"python","code":"' + b"x" * (20 << 20) + b'"}')
        self.assertEqual((answer.status, answer.json()["code"]), (413, "too_large"))


class Hostile(Contract):
    BODIES = [
        b"", b"{", b"null", b"5", b"[]", b'"x"', b"true", b"{}x", b"\xff\xfe", b"\0" * 100,
        b'{"language":"python","code":"\\u0000"}', b'{"language":"python","code":"\\ud800"}',
        b'{"language":"python","code":"1","code":"2"}', b'{"language":"python\\u0000","code":"1"}',
        b"[" * 100000, b'{"a":' * 1000, b'{"language":"python","code":"1","__proto__":{"x":1}}',
        b'{"language":"python","code":"1","files":[null]}',
        b'{"language":"python","code":"1","files":[{"path":null}]}',
        b'{"language":"python","code":"1","files":[{"path":"x","content":"!","encoding":"base64"}]}',
        b'{"language":"python","code":"1","files":[{"path":"x","content":"a","encoding":"rot13"}]}',
        b'{"language":"python","code":"1","files":[{"path":"x"},{"path":"x"}]}',
        b'{"language":"python","code":"1","files":[{"path":"a","content":""},{"path":"a","content":""}]}',
        b'{"language":"python","code":"1","files":[{"path":"a","content":""},{"path":"a/b","content":""}]}',
        b'{"language":"python","files":[{"path":"x.txt","content":"a"}]}',
        b'{"language":"python","code":"1","entrypoint":"../x"}',
        b'{"language":"python","code":"1","entrypoint":"outputs/x.py"}',
        b'{"language":"python","code":"1","entrypoint":"inputs"}',
        b'{"language":"python","code":"1","args":["\\u0000"]}',
        b'{"language":"python","code":"1","env":{"":""}}',
        b'{"language":"python","code":"1","metadata":{"":""}}',
        b'{"language":"python","code":"1","webhook_url":"file:///etc/passwd"}',
        b'{"language":"python","code":"1","webhook_url":"http://"}',
        b'{"language":"python","code":"1","limits":{"timeout_ms":null}}',
        b'{"language":"python","code":"1","limits":{"nonsense":1}}',
    ]

    def fine(self, answer, what):
        self.assertLess(answer.status, 500, (what, answer))
        if answer.status >= 400:
            self.assertTrue(answer.json()["error"], (what, answer))

    def test_bodies(self):
        for body in self.BODIES:
            with self.subTest(body[:60]):
                self.fine(self.post(body), body[:60])

    def test_mutations(self):
        """One byte, or some, of a good request changed, left out or doubled."""
        dice = random.Random(4)
        good = json.dumps({
            "language": "python", "code": "print(1)", "args": ["a"], "env": {"A": "b"},
            "files": [{"path": "a/b.txt", "content": "x"}], "stdin": "in",
            "limits": {"timeout_ms": 2000, "memory_mb": 64}, "metadata": {"a": "b"},
            "tty": False, "entrypoint": "main.py"}).encode()
        interesting = b'{}[]":,\\\0\xff0-9.eE/. u'
        for _ in range(400):
            body = bytearray(good)
            for _ in range(dice.choice((1, 1, 2, 5))):
                at = dice.randrange(len(body))
                what = dice.randrange(4)
                if what == 0:
                    body[at] = dice.choice(interesting)
                elif what == 1:
                    del body[at:at + dice.randrange(1, 9)]
                elif what == 2:
                    body[at:at] = body[at:at + dice.randrange(1, 40)]
                else:
                    body[at] = dice.randrange(256)
            self.fine(self.post(bytes(body)), bytes(body))

    def test_paths_and_queries(self):
        long = "x" * 4000
        for method, path in (
                ("GET", "/v1/runs/"), ("GET", "/v1/runs/" + long), ("GET", "/v1/runs/..%2f..%2fetc"),
                ("GET", "/v1/runs/%00"), ("GET", "/v1/runs/%ff%fe"), ("GET", "/v1/runs/a/b/c"),
                ("DELETE", "/v1/runs/constructor"), ("DELETE", "/v1/runs/" + long),
                ("GET", "/v1/runs?limit=0"), ("GET", "/v1/runs?limit=-1"),
                ("GET", "/v1/runs?limit=1e9"), ("GET", "/v1/runs?before=" + long),
                ("GET", "/v1/runs?before=%00"), ("GET", "/v1/runs?verdict=x"),
                ("GET", "/v1/runs?language=constructor"), ("GET", "/v1/runs?since=now"),
                ("GET", "/v1/runs?until=9999999-99-99"), ("GET", "/v1/runs?metadata=x"),
                ("GET", "/v1/runs?metadata=:x"), ("GET", "/v1/runs?metadata=" + "a:b," * 40),
                ("GET", "/v1/runs?metadata=a:" + "b" * 600), ("GET", "/v1/runs?all=true"),
                ("GET", "/v1/runs/run_000000000000/events?from=-1"),
                ("GET", "/v1/runs/run_000000000000/events?from=99999999999999999999999"),
                ("GET", "/v1/runs/run_000000000000/stream"), ("PUT", "/v1/runs"),
                ("PATCH", "/v1/runs/x"), ("DELETE", "/v1/runs"), ("POST", "/v1/runs/x"),
                ("GET", "/v1/files/"), ("GET", "/v1/files/../runs"), ("GET", "/v1/files/%2e%2e"),
                ("GET", "/v1/files/" + long), ("DELETE", "/v1/files/" + long),
                ("GET", "/v1/files?before=" + long), ("PUT", "/v1/files"), ("GET", "/v1"),
                ("GET", "/v1/nothing"), ("GET", "/v1/runs/x/y")):
            with self.subTest(f"{method} {path[:60]}"):
                self.fine(self.ask(method, path), path[:60])

    def test_headers(self):
        rows = [{"Content-Type": "text/plain"}, {"Content-Type": ""}, {"Content-Type": "x" * 5000},
                {"Content-Encoding": "gzip"}, {"Idempotency-Key": ""}, {"Idempotency-Key": "x" * 300},
                {"Idempotency-Key": "\xff"}, {"Last-Event-ID": "x"}, {"Range": "bytes=9-1"},
                {"Accept": "*/" * 1000}, {"Content-Type": "multipart/form-data"}]
        for headers in rows:
            with self.subTest(headers):
                self.fine(self.post(CODE, headers=headers), headers)
                self.fine(self.ask("POST", "/v1/files", b"x", headers=headers), headers)

    def test_forms(self):
        head, good = form(b"content")
        bodies = [b"", b"--", b"--edge", b"--edge\r\n", b"--edge--", good[:-4], good[:30],
                  good.replace(b"filename", b"filenome"), good.replace(b"form-data", b"x"),
                  good.replace(b'name="file"', b'name="other"'), good.replace(b"\r\n", b"\n"),
                  good + good, b"x" * 100000, b"--edge\r\n" + b"A: b\r\n" * 10000 + good,
                  good.replace(b"data.bin", b"../../etc/passwd"), good.replace(b"data.bin", b"\0"),
                  good.replace(b"data.bin", b"x" * 10000), good.replace(b"data.bin", b"\xff\xfe")]
        for body in bodies:
            with self.subTest(body[:60]):
                self.fine(self.ask("POST", "/v1/files", body, headers=head), body[:60])
        dice = random.Random(5)
        for _ in range(300):
            body = bytearray(good)
            for _ in range(dice.choice((1, 2, 4))):
                at = dice.randrange(len(body))
                if dice.random() < 0.5:
                    body[at] = dice.choice(b'\r\n-";= \0\xffx')
                else:
                    del body[at:at + dice.randrange(1, 9)]
            self.fine(self.ask("POST", "/v1/files", bytes(body), headers=head), bytes(body))

    def test_whatever_is_sent_a_record_of_the_log_is_a_line(self):
        injected = '\n{"level":"error","event":"injected"}\u001b[2J${jndi:ldap://x/}'
        quoted = "%0a%7b%22event%22%3a%22injected%22%7d%1b%5b2J$%7bjndi:x%7d%7f"
        self.post({"language": "python" + injected, "code": injected})
        self.run_it(f"# {injected}", files=[{"path": "a.txt", "content": injected}])
        head, body = form(b"x", "a.txt" + injected.replace('"', "%22").replace("\n", "%0A"))
        self.ask("POST", "/v1/files", body, headers=head)
        for method, path in (("GET", f"/v1/runs/{quoted}"), ("DELETE", f"/v1/files/{quoted}"),
                             ("GET", f"/{quoted}?{quoted}")):
            self.ask(method, path, headers={"User-Agent": "x\x1b[2J${jndi:x}", "Referer": quoted,
                                            "X-Forwarded-For": quoted})
        records = [line for line in self.service.log().split("\n") if "http_request" in line]
        self.assertGreaterEqual(len(records), 5)
        for line in records:
            self.assertEqual(json.loads(line)["event"], "http_request", line)
            self.assertNotRegex(line, "[\\0-\\x1f]")
        self.assertNotIn('"event":"injected"', self.service.log())

    def test_it_still_serves(self):
        self.assertEqual(self.run_it()["stdout"], "hi\n")

    def test_nothing_of_it_is_in_the_log(self):
        secret = "a-secret-in-the-code"
        self.post(b'{"language":"python","code":"' + secret.encode())
        self.post({"language": "python", "code": secret, "limits": {"timeout_ms": -1}})
        self.run_it(f"# {secret}")
        self.ask("GET", "/v1/runs", key=secret)
        log = self.service.log()
        self.assertNotIn(secret, log)
        self.assertNotIn(KEY, log)


if __name__ == "__main__":
    unittest.main()
