# SPDX-License-Identifier: MIT
"""What one key may take of what all need: connections, and the time of the service."""

import json
import re
import socket
import unittest

from contract import API_KEYS, KEY, OTHER, Contract, form, wait_until

MOST = 40  # connections, all together
SHARE = 30


class Connections(Contract):
    flags = (*Contract.flags, f"--max-connections={MOST}")

    def setUp(self):
        self.held = []
        self.addCleanup(self.let_go)
        self.run_id = self.start("sleep 1000", on_disconnect="continue")

    def let_go(self):
        for one in self.held:
            one.close()
        self.held.clear()
        self.ask("DELETE", f"/v1/runs/{self.run_id}")

    def open(self, path, *headers, key=KEY):
        """The status of the answer; what was not refused is held."""
        connection = socket.create_connection(("127.0.0.1", self.service.port), 60)
        lines = [f"GET /v1/runs/{self.run_id}/{path} HTTP/1.1", "Host: localhost",
                 f"Authorization: Bearer {key}", *headers, "", ""]
        connection.sendall("\r\n".join(lines).encode())
        status = int(connection.recv(12).split()[1])
        if status == 429:
            connection.close()
        else:
            self.held.append(connection)
        return status

    def follow(self):
        return self.open("events") == 200

    def attach(self):
        return self.open("stream", "Upgrade: websocket", "Connection: Upgrade",
                         "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + "A" * 22 + "==") == 101

    def check(self, take):
        self.assertEqual([take() for _ in range(SHARE)], [True] * SHARE)
        self.assertEqual([take() for _ in range(MOST)], [False] * MOST)
        record = self.ask("GET", f"/v1/runs/{self.run_id}")
        self.assertEqual((record.status, record.json()["code"]), (429, "rate_limited"))
        self.assertEqual(record.headers["retry-after"], "1")
        answer = self.post({"language": "bash", "code": "echo hi"}, key=OTHER)
        self.assertEqual((answer.status, answer.json()["stdout"]), (200, "hi\n"))
        self.held.pop(0).close()
        wait_until("there is room for one",
                   lambda: self.ask("GET", f"/v1/runs/{self.run_id}").status == 200)

    def test_who_follows_by_events_leaves_some_to_others(self):
        self.check(self.follow)

    def test_who_attaches_leaves_some_to_others(self):
        self.check(self.attach)

    def test_both_count_together(self):
        take = [self.follow, self.attach]
        self.check(lambda: take[len(self.held) % 2]())


class Answers(Contract):
    def ask_slowly(self, run):
        """Asks for a record, and takes nothing of it."""
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(60)
        slow.connect(("127.0.0.1", self.service.port))
        lines = [f"GET /v1/runs/{run} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {KEY}"]
        slow.sendall("\r\n".join([*lines, "", ""]).encode())
        self.assertEqual(slow.recv(12), b"HTTP/1.1 200")
        return slow

    def test_an_end_that_has_no_room_is_not_to_be_run_again(self):
        long = self.run_it("print('\\0' * 1000000)")["id"]  # six million bytes of JSON
        slow = [self.ask_slowly(long) for _ in range(12)]
        code = {"language": "python", "code": "print('x' * 500000)"}
        answer = self.post(code)
        self.assertEqual((answer.status, answer.json()["code"]), (500, "answer_not_sent"), answer)
        self.assertNotIn("retry-after", answer.headers)
        run = re.search("run_[0-9A-Za-z]{12}", answer.json()["error"]).group()
        answer = self.ask("GET", f"/v1/runs/{run}")
        self.assertEqual((answer.status, answer.headers["retry-after"]), (503, "1"))
        answer = self.post(code, key=OTHER)
        self.assertEqual((answer.status, len(answer.json()["stdout"])), (200, 500001))
        for one in slow:
            one.close()
        wait_until("it can be fetched", lambda: self.ask("GET", f"/v1/runs/{run}").status == 200)
        self.assertEqual(len(self.record(run)["stdout"]), 500001)


class Requests(Contract):
    env = {"API_KEYS": f"{API_KEYS},sk_slow:slow:0.001:1"}

    def ask_often(self, *requests, body=""):
        """The statuses of the answers, and the last answer; they are asked for at once, so
        that a slow client is no matter."""
        with socket.create_connection(("127.0.0.1", self.service.port), 60) as connection:
            for number, line in enumerate(requests, 1):
                last = ["Connection: close"] if number == len(requests) else []
                more = body if "POST /v1/files" in line else ""
                kind = "multipart/form-data; boundary=edge" if more else "application/json"
                lines = [f"{line} HTTP/1.1", "Host: localhost", "Authorization: Bearer sk_slow",
                         f"Content-Type: {kind}", f"Content-Length: {len(more)}", *last, "", more]
                connection.sendall("\r\n".join(lines).encode())
            said = b"".join(iter(lambda: connection.recv(65536), b""))
        answers = [piece.partition(b"\r\n\r\n") for piece in said.split(b"HTTP/1.1 ")[1:]]
        return [int(head[:3]) for head, _, _ in answers], answers[-1][0].decode(), answers[-1][2]

    def test_what_makes_no_run_has_a_rate_of_its_own(self):
        for line in ("GET /v1/runs", "GET /v1/runs/x/events", "DELETE /v1/runs/x", "GET /v1/files/x",
                     "POST /v1/tickets"):
            with self.subTest(line):
                statuses, _, _ = self.ask_often(*[line] * 600)
                self.assertIn(429, statuses)
                self.assertEqual([status for status in statuses if status >= 500], [])
                method, path = line.split()
                self.assertNotEqual(self.ask(method, path, key=OTHER).status, 429)

    def test_a_refusal_says_when_to_come_again_and_runs_are_not_refused(self):
        statuses, head, body = self.ask_often(*["GET /v1/runs"] * 600)
        self.assertEqual(statuses[:100], [200] * 100)
        while statuses[-1] != 429:
            statuses, head, body = self.ask_often(*["GET /v1/runs"] * 600)
        for header in ("RateLimit-Limit: 200", "RateLimit-Remaining: 0", "Retry-After: 1"):
            self.assertIn(f"{header}\r\n", head)
        self.assertEqual(json.loads(body)["code"], "rate_limited")
        answer = self.post({"language": "bash", "code": "echo"}, key="sk_slow")
        self.assertEqual(answer.status, 200)
        wait_until("it is filled", lambda: self.ask("GET", "/v1/runs", key="sk_slow").status == 200)

    def test_uploads_are_among_them(self):
        body = form(b"x")[1].decode()
        for _ in range(20):
            statuses, _, _ = self.ask_often(*["GET /v1/runs"] * 600, *["POST /v1/files"] * 50,
                                            body=body)
            if len(statuses) < 650:  # who is refused before his body ends his connection
                break
        self.assertEqual(statuses[-1], 429)


if __name__ == "__main__":
    unittest.main()
