# SPDX-License-Identifier: MIT
"""What the tests of live runs share."""

import unittest

from service import Service, wait_until
from websocket import WebSocket

ASKS = 'name = input("name? ")\nprint("hello", name)\n'
ECHO = "while read -r line; do echo \"$line\"; done"


class Live(unittest.TestCase):
    """One service for the tests of a class."""

    flags = ("--concurrency=16", "--shutdown-grace=0s")
    env = None  # beyond ours

    @classmethod
    def setUpClass(cls):
        cls.service = Service(*cls.flags, env=cls.env)

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    def start(self, language="bash", code=ECHO, **fields):
        fields = {"language": language, "code": code, "disconnect_grace_ms": 1000, **fields}
        status, record = self.service.request("POST", "/v1/runs?wait=false", fields)
        self.assertEqual(status, 201, record)
        return record["id"]

    def attach(self, run, query="", **headers):
        socket = WebSocket(self.service.port, f"/v1/runs/{run}/stream{query}", **headers)
        self.addCleanup(socket.socket.close)
        return socket

    def record(self, run):
        return self.service.request("GET", f"/v1/runs/{run}")[1]

    def wait_for_end(self, run):
        wait_until("the run ends", lambda: self.record(run)["verdict"])
        return self.record(run)

    def read_until(self, socket, text):
        """Output up to and with `text`."""
        said = ""
        while text not in said:
            event = socket.json()
            if event["type"] in ("stdout", "stderr"):
                said += event["data"]
        return said
