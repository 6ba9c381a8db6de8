# SPDX-License-Identifier: MIT
"""What one client of Socket.IO can take from the others."""

import http.client
import json
import unittest

from service import BOUND_S, Service

SEPARATOR = b"\x1e"


class Polling:
    """A client that polls, over one connection of its own."""

    def __init__(self, service, opened=True):
        self.connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=3 * BOUND_S)
        self.sid = self.open() if opened else None

    def ask(self, method, query="", body=None):
        self.connection.request(method, f"/socket.io/?EIO=4&transport=polling{query}", body)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def open(self):
        status, body = self.ask("GET")
        assert status == 200, body
        return json.loads(body[1:])["sid"]

    def post(self, *packets):
        return self.ask("POST", f"&sid={self.sid}", SEPARATOR.join(packets))

    def poll(self):
        return self.ask("GET", f"&sid={self.sid}")

    def close(self):
        self.connection.close()


class SocketIO(unittest.TestCase):
    def client(self, service, **how):
        client = Polling(service, **how)
        self.addCleanup(client.close)
        return client

    def test_one_that_starts_and_never_fetches_is_closed(self):
        with Service() as service:
            client = self.client(service)
            self.assertEqual(client.post(b"40")[0], 200)
            self.assertEqual(client.poll()[0], 200)
            for _ in range(3):
                self.assertEqual(client.post(*[b'42["execute-interactive"]'] * 30000)[0], 200)
            status, packets = client.poll()
            self.assertEqual((status, packets.split(SEPARATOR)[-1]), (200, b"41"))
            self.assertLess(len(packets), 300_000)


if __name__ == "__main__":
    unittest.main()
