# SPDX-License-Identifier: MIT
"""What the tests of this folder share: a service of their own with a listener of the dialect
`jobs`, and requests to it as clients of /api/execute make them."""

import http.client
import json
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "system"))

# pylint: disable=wrong-import-position,unused-import
from service import Service, free_port, wait_until
from websocket import Refused, WebSocket

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
ID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
TERMINAL = ("completed", "failed", "cancelled")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


def request(port, method, path, body=None, **headers):
    """A dict is sent as JSON, bytes as they are."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None and not isinstance(body, bytes):
        given.setdefault("Content-Type", "application/json")
        body = json.dumps(body).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, given)
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()},
                      answer.read())
    finally:
        connection.close()


class Place:
    """A service and its listener of this dialect."""

    def __init__(self, *flags, env=None):
        self.port = free_port()
        self.service = Service(f"--listen=127.0.0.1:{self.port}=jobs", *flags, env=env)

    def close(self):
        self.service.close()

    def ask(self, method, path, body=None, **headers):
        return request(self.port, method, path, body, **headers)

    def post(self, body=None, **headers):
        return self.ask("POST", "/api/execute", body, **headers)

    def submit(self, language, source, headers=None, **more):
        answer = self.post({"language": language, "source_code": source, **more}, **(headers or {}))
        assert answer.status == 200, answer
        return answer.json()["job_id"]

    def job(self, job_id, **headers):
        answer = self.ask("GET", f"/api/jobs/{job_id}", **headers)
        assert answer.status == 200, answer
        return answer.json()

    def ended(self, job_id, **headers):
        def found():
            job = self.job(job_id, **headers)
            return job if job["status"] in TERMINAL else None
        return wait_until(f"the end of {job_id}", found, 60)

    def run(self, language, source, **more):
        return self.ended(self.submit(language, source, **more))

    def until_state(self, job_id, *states):
        return wait_until(f"{job_id} is {states}",
                          lambda: self.job(job_id)["state"] in states, 30)

    def socket(self, path="/stream/x", **headers):
        return WebSocket(self.port, path, **headers)

    def follow(self, job_id, path=None):
        socket = self.socket(path or f"/stream/{job_id}")
        socket.send_json({"type": "subscribe", "job_id": job_id})
        return socket


class Jobs(unittest.TestCase):
    flags = ()
    env = None

    @classmethod
    def setUpClass(cls):
        cls.place = Place(*cls.flags, env=cls.env)

    @classmethod
    def tearDownClass(cls):
        cls.place.close()


def lines(socket, count):
    """[(stream, line)] of so many messages."""
    found = []
    for _ in range(count):
        message = json.loads(socket.message())
        assert list(message) == ["type", "data"] and message["type"] == "output", message
        data = message["data"]
        assert list(data) == ["job_id", "line", "stream", "timestamp"], data
        assert TIME.match(data["timestamp"]), data
        found.append((data["stream"], data["line"]))
    return found


def is_silent(socket, seconds=0.3):
    socket.socket.settimeout(seconds)
    try:
        return socket.message() and False
    except TimeoutError:
        return True
    finally:
        socket.socket.settimeout(20)


def seconds_since(start):
    return time.monotonic() - start
