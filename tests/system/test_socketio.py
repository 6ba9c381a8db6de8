# SPDX-License-Identifier: MIT
"""What one client of Socket.IO can take from the others."""

import http.client
import json
import unittest

from service import BOUND_S, Service
from websocket import TEXT, Closed, WebSocket

SEPARATOR = b"\x1e"


class Polling:
    """A client that polls, over one connection of its own."""

    def __init__(self, service, key=None):
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=3 * BOUND_S)
        self.sid = self.open()

    def ask(self, method, query="", body=None):
        self.connection.request(method, f"/socket.io/?EIO=4&transport=polling{query}", body,
                                self.headers)
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

    def test_a_websocket_whose_session_ends_is_closed(self):
        """At once; cut off it would be when it is pinged, after 25 s."""
        with Service() as service:
            for packets in ([b"1"], [b"x"], [b"40", b"1"]):
                with self.subTest(packets), WebSocket(
                        service.port, "/socket.io/?EIO=4&transport=websocket") as client:
                    self.assertEqual(client.message()[:1], b"0")
                    for packet in packets:
                        client.send(TEXT, packet)
                    with self.assertRaises(Closed) as ended:
                        while True:
                            client.message()
                    self.assertEqual(ended.exception.code, 1005)  # none
                    self.assertEqual(client.socket.recv(1), b"")

    def test_nul_and_half_a_character_are_typed_as_any_other(self):
        with Service() as service:
            client = self.client(service)
            client.post(b"40")
            client.poll()
            self.emit(client, "execute-interactive", language="bash",
                      code="head -n 1 | od -An -tx1")
            run = self.until(client, "execution-start")["executionId"]
            self.emit(client, "input", data="\ud83d\0", executionId=run)
            self.assertEqual(self.until(client, "output")["data"].split(), "ef bf bd 00 0a".split())

    def test_a_timeout_is_told_in_whole_minutes_or_as_it_is(self):
        with Service("--max-timeout=1500ms") as service:
            client = self.client(service)
            client.post(b"40")
            client.poll()
            self.emit(client, "execute-interactive", language="bash", code="sleep 9")
            self.until(client, "execution-start")
            self.assertEqual(self.until(client, "output"),
                             {"data": "\n⏱️ Execution timeout (1500 ms)\n", "type": "error"})

    def emit(self, client, name, **argument):
        self.assertEqual(client.post(b"42" + json.dumps([name, argument]).encode())[0], 200)

    @staticmethod
    def until(client, name):
        """The argument of the next event of this name; others are passed over."""
        while True:
            for packet in client.poll()[1].split(SEPARATOR):
                event = json.loads(packet[2:]) if packet.startswith(b"42") else [None]
                if event[0] == name:
                    return event[1]

    def test_sessions_that_never_connect_leave_places_for_others(self):
        with Service("--max-connections=64") as service:
            flood = self.client(service)
            for _ in range(200):
                flood.open()
            other = self.client(service)
            self.assertEqual(other.post(b"40")[0], 200)
            self.assertTrue(other.poll()[1].startswith(b"40{"))

    def test_one_key_leaves_sessions_for_another(self):
        keys = ["bob-with-many-letters", "eve-with-many-letters"]
        with Service("--max-connections=16", env={"API_KEYS": ",".join(keys)}) as service:
            eve = self.client(service, key=keys[1])
            for _ in range(12):
                eve.sid = eve.open()
                self.assertEqual(eve.post(b"40")[0], 200)
            self.assertEqual(eve.ask("GET")[0], 503)
            bob = self.client(service, key=keys[0])
            self.assertEqual(bob.post(b"40")[0], 200)


if __name__ == "__main__":
    unittest.main()
