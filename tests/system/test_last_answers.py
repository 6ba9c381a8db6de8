# SPDX-License-Identifier: MIT
"""What is decided when the service ends reaches its client, who need not be quick."""

import json
import socket
import time
import unittest

from service import BOUND_S, Service, wait_until
from websocket import CLOSE, WebSocket

MIB = 1024 * 1024
# A megabyte on each stream, of which each byte is six in JSON: more than the kernel holds.
LONG = f"head -c {MIB} /dev/zero | tr '\\0' '\\1'; head -c {MIB} /dev/zero | tr '\\0' '\\2' >&2"
# Longer than the service took to end when it did not look whether anybody still read.
PAUSE_S = 0.3


def ask(service, head, body=b""):
    """A connection with a request on it."""
    connection = socket.create_connection(("127.0.0.1", service.port), BOUND_S)
    connection.sendall(b"%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       b"Content-Length: %d\r\n\r\n%s" % (head, len(body), body))
    return connection


def ended_run(service):
    run = service.request("POST", "/v1/runs", {"language": "bash", "code": LONG})[1]
    assert run["verdict"] == "succeeded", run["verdict"]
    return run["id"]


def rest_of(connection):
    found = b""
    while True:
        piece = connection.recv(MIB)
        if not piece:
            return found
        found += piece


def end_while_it_comes(service, first):
    """first() returns when the answer has begun to come."""
    begun = first()
    service.process.terminate()
    time.sleep(PAUSE_S)
    return begun


class LastAnswers(unittest.TestCase):
    def test_of_a_run_that_was_waited_for(self):
        with Service("--shutdown-grace=30s") as service:
            body = json.dumps({"language": "bash", "code": LONG + "; sleep 1"}).encode()
            with ask(service, b"POST /execute", body) as connection:
                wait_until("it runs", lambda: service.request("GET", "/health")[1]["running"])
                service.process.terminate()
                found = connection.recv(1000)
                time.sleep(PAUSE_S)
                head, _, said = (found + rest_of(connection)).partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 200 "), head)
        answer = json.loads(said)
        self.assertGreater(len(said), 12 * MIB)
        self.assertEqual(answer["verdict"], "succeeded")

    def test_of_events(self):
        with Service() as service:
            run = ended_run(service)
            with ask(service, f"GET /v1/runs/{run}/events".encode()) as connection:
                found = end_while_it_comes(service, lambda: connection.recv(1000))
                found += rest_of(connection)
        self.assertIn(b"event: end", found[-2000:])
        self.assertTrue(found.endswith(b"\r\n0\r\n\r\n"), found[-100:])

    def test_of_a_websocket(self):
        with Service() as service:
            run = ended_run(service)
            with WebSocket(service.port, f"/v1/runs/{run}/stream") as connection:
                self.assertTrue(end_while_it_comes(service, connection.receive))
                opcode, last = 0, b""
                while opcode != CLOSE:
                    before, (opcode, last) = last, connection.receive()
        self.assertEqual(json.loads(before)["type"], "end")


if __name__ == "__main__":
    unittest.main()
