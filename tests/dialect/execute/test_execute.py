# SPDX-License-Identifier: MIT
"""POST /execute, GET /languages and GET /health as their clients know them."""
import json
import os
import socket
import time
import unittest

import wire

REQUIRED = {"error": "Language and code are required"}
KNOWN = ["python", "javascript", "java", "cpp", "c", "ruby", "go", "dart", "php", "rust", "csharp",
         "scala", "octave", "assembly"]


def run(**fields):
    fields.setdefault("language", "python")
    return wire.server().main.execute(**fields)


class Results(unittest.TestCase):
    def test_fields_come_in_their_order(self):
        answer = run(code=wire.code("out hi", "print('hi')"))
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["content-type"], "application/json; charset=utf-8")
        keys = list(json.loads(answer.body, object_pairs_hook=dict))
        self.assertEqual(keys, ["executionId", "status", "output", "exitCode", "verdict", "reason",
                                "stdout", "stderr", "usage", "limits", "isolation", "limits_hit"])
        result = answer.json()
        self.assertRegex(result["executionId"], r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-"
                                                r"[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertEqual((result["status"], result["output"], result["exitCode"]),
                         ("success", "hi\n", 0))
        self.assertEqual(list(result["usage"]), ["wall_ms", "cpu_ms", "compile_ms",
                                                 "memory_peak_bytes", "max_rss_mb", "queued_ms"])
        self.assertEqual(list(result["limits_hit"]), ["processes", "workspace", "file_size",
                                                      "open_files"])
        self.assertEqual(result["limits"]["memory_mb"], 256)

    def test_output_is_both_streams_in_order(self):
        result = run(code=wire.code("out a\nerr b\nout c", "import sys,time\nfor i, s in enumerate("
                                    "[sys.stdout, sys.stderr, sys.stdout]):\n"
                                    " print('abc'[i], file=s, flush=True)\n time.sleep(.2)")).json()
        self.assertEqual(result["output"], "a\nb\nc\n")
        self.assertEqual((result["stdout"], result["stderr"]), ("a\nc\n", "b\n"))

    def test_status_is_success_only_for_exit_status_0(self):
        result = run(code=wire.code("end failed 3 0", "raise SystemExit(3)")).json()
        self.assertEqual((result["status"], result["exitCode"], result["verdict"]),
                         ("error", 3, "failed"))

    def test_signal_is_128_and_its_number(self):
        result = run(code=wire.code("end killed_by_signal 0 6", "import os\nos.abort()")).json()
        self.assertEqual((result["status"], result["exitCode"]), ("error", 134))

    def test_time_limit_is_124(self):
        result = run(code=wire.code("end timeout 0 9", "while True: pass"),
                     limits={"timeout_ms": 300}).json()
        self.assertEqual((result["status"], result["exitCode"], result["verdict"]),
                         ("error", 124, "timeout"))

    def test_memory_limit_is_137(self):
        result = run(code=wire.code("end memory_limit 0 9", "a = bytearray(1 << 30)\n"
                                    "for i in range(0, len(a), 4096): a[i] = 1"),
                     limits={"memory_mb": 64}).json()
        self.assertEqual((result["status"], result["exitCode"], result["verdict"]),
                         ("error", 137, "memory_limit"))

    def test_output_limit_is_137(self):
        result = run(code=wire.code("end output_limit 0 9", "print('x' * 5000)"),
                     limits={"max_output_bytes": 1000}).json()
        self.assertEqual((result["status"], result["exitCode"], result["verdict"]),
                         ("error", 137, "output_limit"))

    def test_our_own_failure_is_500_and_says_so(self):
        if wire.URL:
            self.skipTest("needs RUNNEL_FAKE: a failure on request")
        answer = run(code="end internal_error 0 0")
        self.assertEqual(answer.status, 500)
        self.assertEqual(answer.json()["status"], "error")
        self.assertIn("error", answer.json())

    def test_input_reaches_stdin_and_its_line_is_ended(self):
        cat = wire.code("cat", "import sys\nprint(repr(sys.stdin.read()), end='')")
        for given, read in (("x", "x\n"), ("x\n", "x\n"), ("a\nb", "a\nb\n"), ("é", "é\n"),
                            ("", ""), (None, ""), (False, ""), (0, ""), (0.0, "")):
            with self.subTest(given):
                self.assertEqual(run(code=cat, input=given).json()["output"],
                                 wire.code(read, repr(read)))

    def test_args_reach_the_program(self):
        answer = run(code=wire.code("out x", "import sys\nprint(sys.argv[1:])"), args=["a", "b c"])
        self.assertEqual(answer.status, 200)
        if wire.URL:
            self.assertEqual(answer.json()["output"], "['a', 'b c']\n")

    def test_every_byte_of_output_gives_valid_json(self):
        result = run(code=wire.code("bytes 300000", "import sys\n"
                                    "sys.stdout.buffer.write(bytes(range(256)) * 1000)")).json()
        self.assertGreater(len(result["output"]), 200000)

    def test_requests_overlap(self):
        begun = time.monotonic()
        places = [wire.server().main.connect() for _ in range(4)]
        body = json.dumps({"language": "python",
                           "code": wire.code("wait 500", "import time\ntime.sleep(.5)")}).encode()
        for sock in places:
            sock.sendall(b"POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                         b"application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        for sock in places:
            self.assertEqual(wire.read_response(sock).json()["exitCode"], 0)
            sock.close()
        self.assertLess(time.monotonic() - begun, 1.9)


class Errors(unittest.TestCase):
    def check(self, value, status, expected=None, **parts):
        answer = wire.server().main.post_json("/execute", value)
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["content-type"], "application/json; charset=utf-8")
        if expected:
            self.assertEqual(answer.json(), expected)
        for key, part in parts.items():
            self.assertIn(part, answer.json()[key])
        return answer

    def test_language_and_code_are_required(self):
        for value in ({}, {"language": "python"}, {"code": "x"}, {"language": "", "code": "x"},
                      {"language": "python", "code": ""}, {"language": None, "code": "x"}, b""):
            with self.subTest(value):
                self.check(value, 400, REQUIRED)

    def test_unknown_language_is_named(self):
        for name in ("cobol", "PYTHON", "python;id", "../sh", "__proto__", "constructor", " python",
                     "\u202e<script>", "a\r\nX-Evil: 1", "\u001b[2J"):
            with self.subTest(name):
                self.check({"language": name, "code": "x"}, 400,
                           {"error": f"Unsupported language: {name}"})

    def test_long_language_is_shown_cut_off(self):
        answer = self.check({"language": "x" * 90000, "code": "x"}, 400)
        self.assertLess(len(answer.body), 200)
        answer = self.check({"language": "€" * 10000, "code": "x"}, 400)
        self.assertLess(len(answer.body), 300)
        self.check({"language": "x" * 1000000, "code": "x"}, 413)

    def test_language_that_is_not_installed_is_a_clear_400(self):
        if wire.URL:
            self.skipTest("needs RUNNEL_FAKE: a language that is surely missing")
        self.check({"language": "octave", "code": "x"}, 400, error="is not installed",
                   code="language_not_installed")

    def test_wrong_types_name_the_field(self):
        good = {"language": "python", "code": "out x"}
        for field, value in {"language": 5, "code": ["x"], "input": 5, "args": "x", "limits": 5,
                             "args ": None}.items():
            if field.endswith(" "):
                continue
            with self.subTest(field):
                self.check(good | {field: value}, 400, field=field, code="invalid_request")
        self.check(good | {"args": ["a", 1]}, 400, field="args")
        for value in (True, 1, -0.5, [], {}):
            self.check(good | {"input": value}, 400, field="input")

    def test_limits_out_of_range_or_of_the_wrong_type_are_refused(self):
        for value in (-1, 0, 1e18, 2 ** 64 + 1, "5", 1.5, True, [], {}):
            for name in ("timeout_ms", "memory_mb", "processes", "max_output_bytes"):
                with self.subTest(f"{name}={value}"):
                    self.check({"language": "python", "code": "x", "limits": {name: value}}, 400,
                               field="limits", code="invalid_request")
        self.check({"language": "python", "code": "x", "limits": {"nope": 1}}, 400, field="limits")

    def test_malformed_json_is_400(self):
        for body in (b"{", b"[]", b"5", b'"x"', b"null", b"{}x", b'{"a":1,"a":2}', b"\xef\xbb\xbf{}",
                     b'{"code":"\xff"}', b'{"code":"\\ud800"}', b'{"code":"\\u0000"}', b'{"a":NaN}',
                     b'{"a":1e999}', b"[" * 100000, b'{"a":' * 16000):
            with self.subTest(body[:20]):
                self.check(body, 400, code="invalid_request")

    def test_unknown_paths_are_404(self):
        for method, path in (("GET", "/nope"), ("GET", "/execute"), ("DELETE", "/languages"),
                             ("POST", "/execute/x"), ("BREW", "/execute"), ("GET", "/../etc"),
                             ("GET", "/%22%3Cb%3E%ff"), ("GET", "/languagesx"), ("GET", "//execute")):
            with self.subTest(f"{method} {path}"):
                answer = wire.server().main.request(method, path)
                self.assertEqual(answer.status, 404)
                self.assertTrue(answer.json()["error"].startswith(f"Cannot {method} /"))

    def test_slash_at_the_end_does_not_matter(self):
        answer = wire.server().main.post_json("/execute/", {})
        self.assertEqual(answer.json(), REQUIRED)

    def test_queue_full_is_503_at_once(self):
        begun = time.monotonic()
        answer = wire.server("full").main.execute(language="python", code="x")
        self.assertEqual((answer.status, answer.headers["retry-after"]), (503, "7"))
        self.assertIn("error", answer.json())
        self.assertLess(time.monotonic() - begun, 1)


class Sizes(unittest.TestCase):
    LIMIT = 102400

    def body(self, size):
        shell = json.dumps({"language": "cobol", "code": ""})
        return json.dumps({"language": "cobol", "code": "x" * (size - len(shell))}).encode()

    def chunked(self, body, piece=5000):
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[at:at + piece]), body[at:at + piece])
                          for at in range(0, len(body), piece))
        return wire.server().main.raw(b"POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                                      b"application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                                      + chunks + b"0\r\n\r\n")

    def test_body_is_taken_up_to_the_limit(self):
        for size, status in ((self.LIMIT - 1, 400), (self.LIMIT, 400), (self.LIMIT + 1, 413)):
            with self.subTest(size):
                body = self.body(size)
                answer = wire.server().main.post_json("/execute", body)
                self.assertEqual(answer.status, status)
                self.assertEqual(wire.Response(self.chunked(body)).status, status)
                self.assertIn("error", answer.json())

    def test_announced_length_over_the_limit_is_refused_before_the_body(self):
        with wire.server().main.connect() as sock:
            sock.sendall(b"POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                         b"application/json\r\nContent-Length: 20000000\r\n\r\n")
            self.assertEqual(wire.Response(wire.read_all(sock)).status, 413)

    def test_client_that_sends_it_all_the_same_gets_its_answer(self):
        begun = time.monotonic()
        answer = wire.server().main.post_json("/execute", b"x" * 20000000)
        self.assertEqual(answer.status, 413)
        self.assertLess(time.monotonic() - begun, 3)

    def test_expect_100_continue_is_answered_with_413(self):
        with wire.server().main.connect() as sock:
            sock.sendall(b"POST /execute HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                         b"Content-Length: 200000\r\n\r\n")
            self.assertTrue(wire.read_all(sock).startswith(b"HTTP/1.1 413 "))

    def test_expect_100_continue_is_continued(self):
        with wire.server().main.connect() as sock:
            sock.sendall(b"POST /execute HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                         b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n")
            self.assertTrue(sock.recv(1000).startswith(b"HTTP/1.1 100 "))
            sock.sendall(b"{}")
            self.assertEqual(wire.read_response(sock).json(), REQUIRED)

    def test_many_bodies_at_once_are_bounded_together(self):
        server = wire.fresh()
        before = server.memory_kb()
        head = (b"POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n" % self.LIMIT)
        held = []
        for _ in range(750):
            sock = server.main.connect()
            sock.sendall(head + b"x" * (self.LIMIT - 1))
            held.append(sock)
        answer = server.main.post_json("/execute", self.body(self.LIMIT))
        self.assertEqual((answer.status, answer.headers["retry-after"]), (503, "1"))
        if not os.environ.get("RUNNEL_SANITIZED"):
            self.assertLess(server.memory_kb() - before, 150000)
        for sock in held:
            sock.close()
        answer = server.main.post_json("/execute", self.body(self.LIMIT))
        self.assertEqual(answer.status, 400)
        server.stop()

    def test_chunked_body_without_end_is_cut_off(self):
        with wire.server().main.connect() as sock:
            sock.sendall(b"POST /execute HTTP/1.1\r\nHost: localhost\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n")
            with self.assertRaises((ConnectionError, TimeoutError)):
                for _ in range(20000):
                    sock.sendall(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")


class Health(unittest.TestCase):
    def test_default_listener_tells_more(self):
        answer = wire.server().main.get("/health")
        self.assertEqual(answer.status, 200)
        self.assertEqual(list(answer.json()), ["status", "isolation", "version", "running", "queued",
                                               "languages"])
        self.assertEqual(answer.json()["status"], "UP")

    def test_listener_of_the_dialect_says_exactly_what_its_clients_compare(self):
        answer = wire.server().execute.get("/health")
        self.assertEqual((answer.status, answer.body), (200, b'{"status":"UP"}'))

    def test_draining_is_503(self):
        answer = wire.server("draining").main.get("/health")
        self.assertEqual((answer.status, answer.json()["status"]), (503, "DRAINING"))

    def test_head_is_get_without_a_body(self):
        answer = wire.server().main.request("HEAD", "/health")
        self.assertEqual((answer.status, answer.body), (200, b""))

    def test_languages_are_the_installed_ones_in_their_order(self):
        names = wire.server().main.get("/languages").json()
        self.assertIn("python", names)
        self.assertNotIn("octave" if not wire.URL else "", names)
        known = [name for name in names if name in KNOWN]
        self.assertEqual(known, [name for name in KNOWN if name in known])


class Rate(unittest.TestCase):
    HEADERS = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]

    def test_headers_stand_on_every_answer_under_execute(self):
        place = wire.server().main
        for answer in (place.execute(language="python", code="out x"), place.execute(),
                       place.get("/execute"), place.request("DELETE", "/execute/a/b"),
                       place.post_json("/execute", b"{"), place.post_json("/execute", b"x" * 200000)):
            self.assertTrue(set(self.HEADERS) <= set(answer.headers))
            self.assertEqual(answer.headers["x-ratelimit-limit"], "100")
        self.assertNotIn(self.HEADERS[0], place.get("/languages").headers)

    def test_over_the_limit_is_429_with_the_known_text(self):
        place = wire.fresh("rate=3").main
        self.assertEqual(place.post_json("/execute", b"{").status, 400)  # these two do not count
        self.assertEqual(place.post_json("/execute", b"x" * 200000).status, 413)
        for left in ("2", "1", "0"):
            answer = place.get("/execute") if left == "1" else place.execute()
            self.assertEqual(answer.headers["x-ratelimit-remaining"], left)
        answer = place.execute(language="python", code="out x")
        self.assertEqual(answer.status, 429)
        self.assertEqual(answer.body, b"Too many requests from this IP, please try again later")
        self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")
        self.assertIn(int(answer.headers["retry-after"]), range(50, 61))
        self.assertAlmostEqual(int(answer.headers["x-ratelimit-reset"]), time.time() + 60, delta=10)
        self.assertEqual(place.get("/languages").status, 200)

    def test_each_client_behind_a_trusted_proxy_has_its_own(self):
        place = wire.fresh("rate=1").public

        def status(client):
            return place.request("GET", "/execute", source="127.0.0.3",
                                 x_forwarded_for=client).status
        self.assertEqual([status("192.0.2.1"), status("192.0.2.1"), status("192.0.2.2")],
                         [404, 429, 404])
        self.assertEqual([status("2001:db8::1"), status("2001:db8::2"), status("2001:db8:0:1::1")],
                         [404, 429, 404])


class Clients(unittest.TestCase):
    def hang(self, server, more=b""):
        sock = server.main.connect()
        body = b'{"language":"python","code":"hang"}'
        sock.sendall(b"POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
                     b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body + more)
        return sock

    def running(self, server):
        return server.main.get("/health").json()["running"]

    def wait_until_none_runs(self, server):
        deadline = time.monotonic() + 5
        while self.running(server) > 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def test_run_of_a_client_that_leaves_is_cancelled(self):
        server = wire.fresh()
        for more in (b"", b"\r\n", b"GET /languages HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            for reset in (False, True):
                with self.subTest(f"{more} {reset}"):
                    sock = self.hang(server, more)
                    time.sleep(0.1)
                    self.assertEqual(self.running(server), 1)
                    if reset:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                        b"\x01\0\0\0\0\0\0\0")
                    sock.close()
                    self.wait_until_none_runs(server)
        self.assertIn("running 0 cancelled 6", server.stop())

    def test_server_ends_with_requests_open(self):
        server = wire.fresh()
        held = [self.hang(server) for _ in range(5)] + [server.main.connect() for _ in range(5)]
        held.append(server.main.connect())
        held[-1].sendall(b"POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{")
        time.sleep(0.2)
        self.assertEqual(self.running(server), 5)
        self.assertIn("running 0 cancelled 5", server.stop())
        for sock in held:
            self.assertEqual(wire.read_all(sock)[:10], b"")
            sock.close()

    def test_quiesced_server_accepts_nobody_and_answers_those_it_has(self):
        server = wire.fresh()
        with server.main.connect() as sock:
            sock.sendall(b"GET /languages HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertNotIn("connection", wire.read_response(sock).headers)
            server.quiesce()
            with self.assertRaises(ConnectionRefusedError):
                server.main.connect()
            sock.sendall(b"GET /languages HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(wire.Response(wire.read_all(sock)).headers["connection"], "close")
        server.stop()

    @unittest.skipIf(os.environ.get("RUNNEL_SANITIZED"), "a sanitizer keeps what is freed")
    def test_memory_and_descriptors_stay_flat(self):
        server = wire.fresh()
        bodies = [b'{"language":"python","code":"bytes 20000"}', b"{", b"{}", b"x" * 150000,
                  b'{"language":"%s","code":"x"}' % (b"y" * 50000)]

        def load(rounds):
            for _ in range(rounds):
                for body in bodies:
                    server.main.post_json("/execute", body)
                server.main.get("/nope" + "x" * 3000)
                self.hang(server).close()
            self.wait_until_none_runs(server)
        load(100)
        memory, descriptors = server.memory_kb(), server.descriptors()
        load(400)
        self.assertLess(server.memory_kb() - memory, 400)
        deadline = time.monotonic() + 5
        while server.descriptors() > descriptors:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        server.stop()

    def test_log_has_no_code_query_or_key(self):
        server = wire.fresh()
        server.main.execute(language="python", code="out secret-1", input="secret-2")
        server.main.execute(language="secret-3", code="x")
        server.main.get("/languages?key=secret-4", authorization="Bearer secret-5")
        server.main.get("/nope?secret-6", cookie="a=secret-7")
        server.main.raw(b"POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Length: secret-8\r\n\r\n")
        log = server.stop()
        self.assertEqual(log.count('"event":"http_request"'), 5)
        self.assertNotIn("secret", log)
        line = json.loads(next(line for line in log.split("\n") if "/languages" in line))
        self.assertEqual([line[key] for key in ("method", "path", "status", "client")],
                         ["GET", "/languages", 200, "127.0.0.1"])


if __name__ == "__main__":
    unittest.main()
