# SPDX-License-Identifier: MIT
"""What a key opened ends with it: no run begins for one that is no longer good, and what is open
is closed."""

import json
import socket
import subprocess
import threading
import unittest

from contract import RUNNEL, Service, request, wait_until
from websocket import TEXT, WebSocket

ADMIN = "sk_admin_0123456789"
GRACE = "--shutdown-grace=0s"
ENV = {"API_KEYS": f"{ADMIN}:admin:1000000:1000000"}
PROGRAM = {"language": "bash", "code": "echo ran"}
LONG = {"language": "bash", "code": "sleep 100"}
JOB = {"language": "python", "source_code": "print('ran')"}
LIVE = "/socket.io/?EIO=4&transport=websocket"


def of(key):
    return {"Authorization": f"Bearer {key}"} if key else {}


def connect(port, key=None):
    """A client of Socket.IO that is connected."""
    client = WebSocket(port, LIVE, **of(key))
    assert client.message().startswith(b"0")
    client.send(TEXT, b"40")
    assert client.message().startswith(b"40")
    return client


def until_closed(client):
    """(what it was told before, the code)"""
    client.path = ""  # no event of /v1 that were to be looked at
    said = []
    while True:
        try:
            said.append(client.message())
        except Exception as end:  # pylint: disable=broad-exception-caught
            return said, getattr(end, "code", repr(end))


class Half:
    """A request whose head is in, and whose body is not."""

    def __init__(self, port, path, body, key=None):
        self.body = json.dumps(body).encode()
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        head = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json",
                f"Content-Length: {len(self.body)}", "Connection: close"]
        head += [f"{name}: {value}" for name, value in of(key).items()]
        self.socket.sendall("\r\n".join(head + ["", ""]).encode() + self.body[:1])

    def finish(self):
        """The status of the answer, and all of it."""
        self.socket.sendall(self.body[1:])
        answer = b""
        while piece := self.socket.recv(65536):
            answer += piece
        self.socket.close()
        return int(answer.split()[1]), answer


class Keys(unittest.TestCase):
    def create(self, service, label="guest", scopes="run,files"):
        made = subprocess.run([RUNNEL, "key", "create", "--json", f"--label={label}", "--rate=none",
                               f"--scopes={scopes}", f"--storage-dir={service.storage()}"],
                              capture_output=True, text=True, check=True)
        token = json.loads(made.stdout)["token"]
        wait_until("it counts", lambda: request(service.port, "GET", "/v1/me", key=token).json()
                   .get("key") == label)
        return token

    def revoke(self, service, token, label="guest"):
        subprocess.run([RUNNEL, "key", "revoke", label, f"--storage-dir={service.storage()}"],
                       capture_output=True, check=True)
        wait_until("it is refused", lambda: request(service.port, "GET", "/v1/runs",
                                                    key=token).status == 401)

    def run_live(self, client):
        client.send(TEXT, b"42" + json.dumps(["execute-interactive", PROGRAM]).encode())
        while True:
            said = client.message()
            if b"execution-complete" in said:
                return json.loads(said[2:])[1]["status"]


class ARunIsNotBegun(Keys):
    """Between the head of a request and its body a key may end, or the first one be made."""

    BODIES = {"/execute": PROGRAM, "/session": PROGRAM, "/api/execute": JOB, "/v1/runs": PROGRAM}

    def test_for_a_key_that_was_revoked_meanwhile(self):
        with Service(GRACE, env=ENV) as service:
            token = self.create(service)
            open_ones = {path: Half(service.port, path, body, token)
                         for path, body in self.BODIES.items()}
            mine = Half(service.port, "/execute", PROGRAM, ADMIN)
            self.revoke(service, token)
            for path, half in open_ones.items():
                status, answer = half.finish()
                self.assertEqual(status, 401, (path, answer))
            self.assertEqual(mine.finish()[0], 200)

    def test_without_a_key_where_there_are_some_by_now(self):
        with Service(GRACE, "--allow-anonymous=session") as service:
            open_ones = {path: Half(service.port, path, body)
                         for path, body in self.BODIES.items()}
            self.create(service)
            for path, half in open_ones.items():
                status, answer = half.finish()
                self.assertEqual(status, 200 if path == "/session" else 401, (path, answer))


class WhatIsOpenIsClosed(Keys):
    def sockets(self, service, token):
        """{what it is: a WebSocket of this key}"""
        port = service.port
        run = request(port, "POST", "/v1/runs?wait=false", LONG, key=token).json()["id"]
        session = request(port, "POST", "/session", LONG, key=token).json()["sessionId"]
        return {
            "live": connect(port, token),
            "run": WebSocket(port, f"/v1/runs/{run}/stream", **of(token)),
            "session": WebSocket(port, f"/ws/session/{session}", **of(token)),
            "jobs": WebSocket(port, "/", **of(token)),
        }

    def test_for_a_key_that_is_revoked_and_for_no_other(self):
        with Service(GRACE, "--concurrency=8", env=ENV) as service:
            token = self.create(service)
            theirs, mine = self.sockets(service, token), self.sockets(service, ADMIN)
            self.assertEqual(self.run_live(theirs["live"]), "success")
            self.revoke(service, token)
            for what, client in theirs.items():
                self.assertEqual(until_closed(client)[1], 1008, what)
            self.assertEqual(self.run_live(mine["live"]), "success")
            for what in ("run", "session", "jobs"):
                mine[what].send(9, b"there?")
                while (frame := mine[what].receive()) != (10, b"there?"):
                    self.assertNotEqual(frame[0], 8, what)

    def test_events_and_polls_end_too(self):
        with Service(GRACE, "--concurrency=4", env=ENV) as service:
            token = self.create(service)
            run = request(service.port, "POST", "/v1/runs?wait=false", LONG, key=token).json()["id"]
            said = {}

            def read(what, path):
                with socket.create_connection(("127.0.0.1", service.port), 60) as client:
                    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                   f"Authorization: Bearer {token}\r\n\r\n".encode())
                    answer = b""
                    while piece := client.recv(65536):
                        answer += piece
                    said[what] = answer

            line = "/socket.io/?EIO=4&transport=polling"
            opened = request(service.port, "GET", line, key=token)
            sid = json.loads(opened.body[1:])["sid"]
            readers = [threading.Thread(target=read, args=pair, daemon=True) for pair in
                       (("events", f"/v1/runs/{run}/events"), ("poll", f"{line}&sid={sid}"))]
            for reader in readers:
                reader.start()
            wait_until("the run is there", lambda: request(
                service.port, "GET", f"/v1/runs/{run}", key=token).json()["status"] == "running")
            self.revoke(service, token)
            for reader in readers:
                reader.join(20)
            self.assertEqual(sorted(said), ["events", "poll"])
            self.assertNotIn(b'"end"', said["events"])
            self.assertTrue(said["poll"].endswith(b"\r\n\r\n1"), said["poll"])

    def test_opened_without_a_key_before_there_was_one(self):
        with Service(GRACE, "--allow-anonymous=interactive") as service:
            live, jobs = connect(service.port), WebSocket(service.port, "/")
            self.create(service)
            self.assertEqual(until_closed(jobs)[1], 1008)
            self.assertEqual(self.run_live(live), "success")

    def test_who_stays_without_a_key_sees_no_more_than_he_would_now(self):
        with Service(GRACE, "--allow-anonymous=jobs") as service:
            jobs = WebSocket(service.port, "/")
            token = self.create(service)
            for key, lines in ((token, []), (None, ["ran"])):
                job = request(service.port, "POST", "/api/execute", JOB, key=key)
                jobs.send_json({"type": "subscribe", "job_id": job.json()["job_id"]})
                jobs.socket.settimeout(20 if lines else 2)
                said = []
                try:
                    said.append(json.loads(jobs.message())["data"]["line"])
                except TimeoutError:
                    pass
                self.assertEqual(said, lines)


if __name__ == "__main__":
    unittest.main()
