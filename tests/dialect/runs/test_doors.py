# SPDX-License-Identifier: MIT
"""Who comes in, how often, and what he sees of others."""

import http.client
import json
import socket
import subprocess
import time
import unittest

from contract import KEY, OTHER, RUNNEL, WRITES, Contract, Service, request, wait_until

CODE = {"language": "bash", "code": "echo hi"}
PYTHON = {"language": "python", "code": "print()"}


class Tokens(Contract):
    def test_a_missing_or_wrong_one_is_401_in_known_words(self):
        rows = [(None, "missing bearer token"), ("", "missing bearer token"),
                (KEY, "missing bearer token"), (f"bearer {KEY}", "missing bearer token"),
                (f"Basic {KEY}", "missing bearer token"), ("Bearer wrong", "invalid token"),
                (f"Bearer {KEY}x", "invalid token"), (f"Bearer {KEY[:-1]}", "invalid token"),
                ("Bearer constructor", "invalid token"), ("Bearer __proto__", "invalid token"),
                ("Bearer toString", "invalid token"), (f"Bearer {KEY},{OTHER}", "invalid token"),
                (f"Bearer {KEY}:one", "invalid token"), ("Bearer " + "x" * 8000, "invalid token"),
                ("Bearer one", "invalid token"), ("Bearer \xff\xfe", "invalid token")]
        for header, sentence in rows:
            with self.subTest((header or "")[:40]):
                headers = {} if header is None else {"Authorization": header}
                answer = self.post(CODE, key=None, headers=headers)
                self.assertEqual((answer.status, answer.json()),
                                 (401, {"error": sentence, "data": None}))
                self.assertNotIn("www-authenticate", answer.headers)

    def test_the_rest_of_the_header_is_trimmed(self):
        for header in (f"Bearer {KEY}", f"Bearer   {KEY}  "):
            self.assertEqual(self.post(CODE, key=None, headers={"Authorization": header}).status, 200)

    def test_two_headers_are_none(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=20)
        connection.putrequest("GET", "/v1/runs")
        for _ in range(2):
            connection.putheader("Authorization", f"Bearer {KEY}")
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 401)
        connection.close()

    def test_everything_of_v1_wants_one(self):
        for method, path in (("POST", "/v1/runs"), ("GET", "/v1/runs"), ("GET", "/v1/runs/x"),
                             ("DELETE", "/v1/runs/x"), ("GET", "/v1/runs/x/events"),
                             ("GET", "/v1/runs/x/stream"), ("GET", "/v1/languages"),
                             ("POST", "/v1/files"), ("GET", "/v1/files"),
                             ("GET", "/v1/files/file_AAAAAAAAAAAA"), ("DELETE", "/v1/files/x"),
                             ("GET", "/v1/keys"), ("POST", "/v1/tickets")):
            with self.subTest(f"{method} {path}"):
                self.assertEqual(self.ask(method, path, key=None).status, 401)

    def test_what_tells_nothing_wants_none(self):
        rows = {"/v1/health": {"status": "ok"}, "/models": {"object": "list", "data": []},
                "/v1/models": {"object": "list", "data": []}}
        for path, said in rows.items():
            for key in (None, "wrong"):
                answer = self.ask("GET", path, key=key)
                self.assertEqual((answer.status, answer.json()), (200, said), path)
        described = self.ask("GET", "/openapi.json", key=None).json()
        paths = described["paths"]
        self.assertEqual(described["openapi"], "3.1.0")
        self.assertEqual((paths["/v1/health"]["get"]["operationId"],
                          paths["/v1/runs"]["post"]["operationId"]), ("health_check", "execute_code"))

    def test_it_is_asked_for_before_the_body_is_read(self):
        """Whoever has none cannot make us hold what he sends."""
        sock = socket.create_connection(("127.0.0.1", self.service.port), 20)
        sock.sendall(b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
                     b"Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n")
        self.assertIn(b" 401 ", sock.recv(1000))
        sock.close()


class Pages(Contract):
    """What a page of somebody else's can make a browser send."""

    def test_only_json_is_a_body(self):
        body = json.dumps(CODE).encode()
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = self.ask("POST", "/v1/runs", body, headers={"Content-Type": kind})
            self.assertEqual(answer.status, 415, kind)

    def test_foreign_hosts_and_origins_are_refused(self):
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"},
                        {"Origin": "null"}):
            answer = self.post(CODE, headers=headers)
            self.assertEqual(answer.status, 403, headers)
            self.assertNotIn("access-control-allow-origin", answer.headers)

    def test_a_preflight_of_a_foreign_page_allows_nothing(self):
        ask = {"Access-Control-Request-Method": "POST",
               "Access-Control-Request-Headers": "authorization,content-type"}
        answer = self.ask("OPTIONS", "/v1/runs", key=None,
                          headers={"Origin": "https://evil.example", **ask})
        self.assertNotIn("access-control-allow-origin", answer.headers)
        answer = self.ask("OPTIONS", "/v1/runs", key=None,
                          headers={"Origin": "http://localhost:3000", **ask})
        self.assertEqual((answer.status, answer.headers["access-control-allow-origin"]),
                         (204, "http://localhost:3000"))
        self.assertEqual(answer.headers["access-control-allow-headers"],
                         ask["Access-Control-Request-Headers"])

    def test_a_refusal_can_be_read_by_an_allowed_page(self):
        answer = self.post(CODE, key="wrong", headers={"Origin": "http://localhost:3000"})
        self.assertEqual((answer.status, answer.headers["access-control-allow-origin"]),
                         (401, "http://localhost:3000"))


class Tenants(Contract):
    def test_another_keys_run_is_not_there(self):
        live = self.start("sleep 100")
        ended = self.run_it(WRITES)
        for run in (live, ended["id"]):
            for method, path in (("GET", ""), ("GET", "/events"), ("GET", "/stream"), ("DELETE", "")):
                with self.subTest(f"{method} {path}"):
                    answer = self.ask(method, f"/v1/runs/{run}{path}", key=OTHER)
                    self.assertEqual(answer.error()[:2], (404, "run not found"), answer)
        nothing = self.ask("GET", "/v1/runs/run_000000000000", key=OTHER).json()
        self.assertEqual(self.ask("GET", f"/v1/runs/{live}", key=OTHER).json(), nothing)
        artifact = ended["artifacts"][0]["id"]
        for method in ("GET", "DELETE"):
            self.assertEqual(self.ask(method, f"/v1/files/{artifact}", key=OTHER).status, 404)
        listed = str(self.ask("GET", "/v1/runs", key=OTHER).json())
        self.assertNotIn(live, listed)
        self.assertEqual(self.record(live)["verdict"], None)
        self.assertEqual(self.ask("DELETE", f"/v1/runs/{live}").status, 202)

    def test_an_idempotency_key_is_a_tenants_own(self):
        headers = {"Idempotency-Key": "shared"}
        ids = {self.post(CODE, key=key, headers=headers).json()["id"] for key in (KEY, OTHER)}
        self.assertEqual(len(ids), 2)


class Rates(Contract):
    # A sanitizer keeps what is freed for a while, which is not to be measured.
    env = {"API_KEYS": "dev_123:dev:1:3,sk_slow:slow:0.001:1,sk_other:other:0.001:1",
           "ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}

    def test_the_bucket_starts_full_and_tells_when_it_is_empty(self):
        answers = [self.post(CODE, key="dev_123") for _ in range(5)]
        statuses = [answer.status for answer in answers]
        self.assertEqual(statuses[:3], [200] * 3)
        self.assertIn(429, statuses)
        refused = answers[statuses.index(429)]
        self.assertEqual((refused.json()["error"], refused.json()["data"]),
                         ("rate limit exceeded", None))
        self.assertGreaterEqual(int(refused.headers["retry-after"]), 1)
        self.assertEqual(refused.headers["ratelimit-limit"], "3")
        self.assertEqual(refused.headers["ratelimit-remaining"], "0")
        wait_until("it is filled", lambda: self.post(CODE, key="dev_123").status == 200)

    def test_what_is_refused_costs_too_and_reading_does_not(self):
        self.assertEqual(self.post({}, key="sk_slow").status, 400)
        self.assertEqual(self.post(CODE, key="sk_slow").status, 429)
        for _ in range(5):
            self.assertEqual(self.ask("GET", "/v1/runs", key="sk_slow").status, 200)

    def test_other_dialects_say_when_to_come_again_too(self):
        self.post({}, key="sk_other")
        for path in ("/execute", "/session"):
            refused = self.ask("POST", path, PYTHON, key="sk_other")
            self.assertEqual((refused.status, refused.json()["code"]), (429, "rate_limited"), path)
            self.assertGreater(int(refused.headers["retry-after"]), 1, path)

    def test_wrong_tokens_take_no_place(self):
        memory = self.memory()
        for number in range(3000):
            self.assertEqual(self.post(CODE, key=f"random {number}").status, 401)
        self.assertLess(self.memory() - memory, 20 << 10)

    def memory(self):
        with open(f"/proc/{self.service.front()}/status", encoding="ascii") as status:
            return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


class Keys(unittest.TestCase):
    """Those that are made on the command line, while the service runs."""

    def create(self, service, *options):
        made = subprocess.run([RUNNEL, "key", "create", "--json",
                               f"--storage-dir={service.storage()}", *options],
                              capture_output=True, text=True, check=True)
        return json.loads(made.stdout)

    def test_one_is_made_bounds_its_holder_and_is_revoked(self):
        with Service("--concurrency=4") as service:
            port = service.port
            self.assertEqual(request(port, "POST", "/v1/runs", CODE, key=None).status, 200)
            admin = self.create(service, "--label=admin", "--scopes=run,files,admin", "--rate=none")
            key = self.create(service, "--label=ci", "--scopes=run", "--concurrency=1",
                              "--rate=none")
            wait_until("both count", lambda: request(port, "GET", "/v1/files",
                                                     key=key["token"]).status == 403)
            self.assertEqual(request(port, "POST", "/v1/runs", CODE, key=None).status, 401)
            slow = {"language": "bash", "code": "sleep 100", "on_disconnect": "continue"}
            run = request(port, "POST", "/v1/runs?wait=false", slow, key=key["token"])
            self.assertEqual(run.status, 201, run)
            second = request(port, "POST", "/v1/runs", CODE, key=key["token"])
            self.assertEqual((second.status, second.json()["code"]), (429, "rate_limited"), second)
            self.assertGreaterEqual(int(second.headers["retry-after"]), 1)
            run = run.json()["id"]
            self.assertEqual(request(port, "GET", f"/v1/runs/{run}", key=admin["token"]).status, 200)
            listed = request(port, "GET", "/v1/runs?all=true", key=admin["token"]).json()["runs"]
            self.assertIn(run, [item["id"] for item in listed])
            self.assertEqual(request(port, "GET", "/v1/runs?all=true", key=key["token"]).status, 403)
            self.assertEqual(request(port, "DELETE", f"/v1/runs/{run}", key=key["token"]).status, 202)
            wait_until("its place is free", lambda: request(port, "POST", "/v1/runs", CODE,
                                                            key=key["token"]).status == 200)
            subprocess.run([RUNNEL, "key", "revoke", "ci", f"--storage-dir={service.storage()}"],
                           check=True, capture_output=True)
            wait_until("it is revoked", lambda: request(port, "GET", "/v1/runs",
                                                        key=key["token"]).status == 401)
            self.assertNotIn(key["token"], service.log())

    def test_compilers_use_a_day_up_too(self):
        """Also when nothing comes of it."""
        with Service("--concurrency=4") as service:
            key = self.create(service, "--label=day", "--daily=50ms", "--rate=none")["token"]
            wait_until("it counts", lambda: request(service.port, "GET", "/v1/runs",
                                                    key=None).status == 401)
            broken = {"language": "cpp", "code": "#include <iostream>\n#error no\n"}
            answer = request(service.port, "POST", "/v1/runs", broken, key=key)
            self.assertEqual(answer.json()["verdict"], "compile_failed")
            self.assertEqual(request(service.port, "POST", "/v1/runs", CODE, key=key).status, 429)

    def test_a_day_of_runs_can_be_used_up(self):
        with Service("--concurrency=4") as service:
            key = self.create(service, "--label=day", "--daily=1s", "--rate=none")["token"]
            wait_until("it counts", lambda: request(service.port, "GET", "/v1/runs",
                                                    key=None).status == 401)
            longer = {"language": "bash", "code": "sleep 1.2"}
            self.assertEqual(request(service.port, "POST", "/v1/runs", longer, key=key).status, 200)
            now = time.time()
            for path in ("/v1/runs", "/v1/runs?wait=false", "/execute", "/session"):
                answer = request(service.port, "POST", path, CODE if "v1" in path else PYTHON, key=key)
                self.assertEqual((answer.status, answer.json()["code"]), (429, "rate_limited"), path)
                midnight = now + int(answer.headers["retry-after"])
                self.assertLess(min(midnight % 86400, -midnight % 86400), 120, path)


class Open(unittest.TestCase):
    def test_without_any_key_tokens_are_ignored(self):
        with Service() as service:
            for key in (None, "anything"):
                self.assertEqual(request(service.port, "POST", "/v1/runs", CODE, key=key).status, 200)


if __name__ == "__main__":
    unittest.main()
