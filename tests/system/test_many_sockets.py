# SPDX-License-Identifier: MIT
"""Ten thousand WebSockets that say nothing: where they have room nobody notices
them, where they have none the rest wait, and either way all is well afterwards."""

import contextlib
import json
import os
import resource
import selectors
import socket
import time
import unittest

from live import ECHO
from service import Service, wait_until
from websocket import WebSocket

ALONE = True  # (tests/python_tests.py): it holds more than others could spare

SOCKETS = 10_000
SESSIONS = 4
SPARE = 1_000  # descriptors of everything else
BOUND_S = 240.0  # some twenty seconds, where nothing else runs


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Crowd:
    """Sockets that have sent their handshake, and never read more than its answer."""

    def __init__(self, port):
        self.port = port
        self.sockets = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()

    def leave(self):
        for one in self.sockets:
            one.close()
        self.sockets = []

    def join(self, run):
        """Not waiting for anything."""
        one = socket.socket()
        one.setblocking(False)
        self.sockets.append(one)
        one.connect_ex(("127.0.0.1", self.port))
        return one, (f"GET /v1/runs/{run}/stream HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
                     "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode()

    def attach(self, runs, seconds, at_once):
        """How many were let in, when all were or so much time has passed."""
        admitted = 0
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            while admitted < SOCKETS and time.monotonic() < end:
                while len(self.sockets) < SOCKETS and len(selector.get_map()) < at_once:
                    one, hello = self.join(runs[len(self.sockets) % len(runs)])
                    selector.register(one, selectors.EVENT_WRITE, hello)
                for key, ready in selector.select(0.2):
                    if ready & selectors.EVENT_WRITE:
                        with contextlib.suppress(OSError):
                            key.fileobj.send(key.data)
                        selector.modify(key.fileobj, selectors.EVENT_READ)
                        continue
                    selector.unregister(key.fileobj)
                    with contextlib.suppress(OSError):
                        admitted += key.fileobj.recv(12) == b"HTTP/1.1 101"
        return admitted


class ManySockets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < SOCKETS + SPARE:
            raise unittest.SkipTest("this machine allows a process too few descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, SOCKETS + SPARE), hard))
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def setUp(self):
        self.began = time.monotonic()

    def tearDown(self):
        self.assertLess(time.monotonic() - self.began, BOUND_S)

    def sessions(self, service, count):
        fields = {"language": "bash", "code": ECHO, "on_disconnect": "continue"}
        runs = []
        for _ in range(count):
            status, record = service.request("POST", "/v1/runs?wait=false", fields)
            self.assertEqual(status, 201, record)
            runs.append(record["id"])
        return runs

    def echoes(self, client, text):
        client.send_json({"type": "input", "data": text + "\n"})
        said = ""
        while text not in said:
            event = json.loads(client.message())
            said += event["data"] if event["type"] == "stdout" else ""

    def test_with_room_for_them_others_are_served_and_descriptors_come_back(self):
        with Service(f"--max-connections={SOCKETS + 200}", "--concurrency=8",
                     "--shutdown-grace=0s") as service:
            runs = self.sessions(service, SESSIONS)
            self.assertTrue(service.runs())
            front = service.front()
            before = open_files(front)
            with Crowd(service.port) as crowd:
                self.assertEqual(crowd.attach(runs, BOUND_S / 2, at_once=200), SOCKETS)
                self.assertGreaterEqual(open_files(front), before + SOCKETS)
                self.assertTrue(service.runs())
                with WebSocket(service.port, f"/v1/runs/{runs[0]}/stream", timeout=60) as client:
                    self.echoes(client, "beside all of them")
            wait_until("its descriptors are back", lambda: open_files(front) <= before, 60)
            self.assertEqual(service.front(), front, "it is the same process")
            with WebSocket(service.port, f"/v1/runs/{runs[1]}/stream?from=1") as client:
                self.echoes(client, "after them")
            self.assertTrue(service.runs())

    def test_without_room_for_them_the_rest_wait_and_the_service_recovers(self):
        with Service("--concurrency=8", "--shutdown-grace=0s") as service:
            runs = self.sessions(service, SESSIONS)
            front = service.front()
            before = open_files(front)
            with WebSocket(service.port, f"/v1/runs/{runs[0]}/stream", timeout=60) as client:
                with Crowd(service.port) as crowd:
                    admitted = crowd.attach(runs, 10, at_once=SOCKETS)
                    self.assertEqual(len(crowd.sockets), SOCKETS)
                    self.assertGreaterEqual(admitted, 900)
                    self.assertLess(admitted, 1024)  # max_connections, and the client's own
                    self.assertLessEqual(open_files(front), before + 1024 + 8)
                    self.echoes(client, "who was there before is served")
                    self.assertFalse(service.answers(), "who comes later waits")
                wait_until("it serves again", service.answers, 60)
                self.echoes(client, "and afterwards")
            wait_until("its descriptors are back", lambda: open_files(front) <= before, 60)
            self.assertEqual(service.front(), front, "it is the same process")
            self.assertTrue(service.runs())


if __name__ == "__main__":
    unittest.main()
