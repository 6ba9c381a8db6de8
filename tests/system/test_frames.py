# SPDX-License-Identifier: MIT
"""What is wrong on a WebSocket is answered as RFC 6455 says, and harms nobody."""

import json
import pathlib
import re
import socket
import unittest

from live import Live
from service import Service, descendants
from websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Closed, Refused, WebSocket


class Frames(Live):
    def closed_with(self, socket):
        return socket.until_closed()[1]

    def test_each_mistake_has_its_close_code(self):
        run = self.start()
        rows = {
            "unmasked": (1002, WebSocket.frame(TEXT, b"{}", masked=False)),
            "a reserved bit": (1002, WebSocket.frame(TEXT, b"{}", rsv=4)),
            "a reserved opcode": (1002, WebSocket.frame(3, b"{}")),
            "a long ping": (1002, WebSocket.frame(PING, b"x" * 126)),
            "a ping in pieces": (1002, WebSocket.frame(PING, b"x", fin=False)),
            "a continuation of nothing": (1002, WebSocket.frame(CONTINUATION, b"x")),
            "a close code that is none": (1002, WebSocket.frame(CLOSE, b"\x03\xed")),
            "not UTF-8": (1007, WebSocket.frame(TEXT, b"\xff\xfe")),
            "half a character": (1007, WebSocket.frame(TEXT, b"\xe2\x82")),
            "too long": (1009, WebSocket.frame(TEXT, b"x" * (1024 * 1024 + 1))),
            "said to be endless": (1009, b"\x81\xff\x7f" + b"\xff" * 7 + b"mask" + b"payload"),
            "bytes where text is due": (1003, WebSocket.frame(BINARY, b"x")),
        }
        for what, (code, frame) in rows.items():
            with self.subTest(what):
                socket = self.attach(run)
                socket.socket.sendall(frame)
                self.assertEqual(self.closed_with(socket), code)
        self.assertTrue(self.service.runs())

    def test_a_message_in_pieces_of_a_byte_is_one_message(self):
        socket = self.attach(self.start())
        message = json.dumps({"type": "input", "data": "pieces\n"}).encode()
        for at in range(len(message)):
            socket.send(CONTINUATION if at else TEXT, message[at:at + 1], fin=at == len(message) - 1)
            if at == 5:
                socket.send(PING, b"between")
        self.assertEqual(self.read_until(socket, "\n"), "pieces\n")

    def test_frames_that_come_with_the_handshake_are_read(self):
        run = self.start()
        early = WebSocket.frame(TEXT, json.dumps({"type": "input", "data": "early\n"}).encode())
        socket = self.attach(run, early=early)
        self.assertEqual(self.read_until(socket, "\n"), "early\n")

    def test_pings_are_answered_and_a_flood_of_them_harms_nobody(self):
        socket = self.attach(self.start())
        for _ in range(5000):
            socket.send(PING, b"p")
        pongs = 0
        while pongs < 5000:
            opcode, payload = socket.receive()
            if opcode == PONG:
                self.assertEqual(payload, b"p")
                pongs += 1
        self.assertTrue(self.service.runs())

    def test_one_that_makes_us_answer_and_never_reads_is_not_read_any_more(self):
        for frame in (WebSocket.frame(PING, b"p" * 100), WebSocket.frame(TEXT, b"{")):
            socket = self.attach(self.start())
            socket.socket.settimeout(2)
            sent = 0
            with self.assertRaises(TimeoutError):
                while sent < 200_000_000:
                    sent += socket.socket.send(frame * 1000)
            self.assertTrue(self.service.runs())

    def test_a_close_is_answered_with_its_code(self):
        socket = self.attach(self.start())
        socket.send(CLOSE, b"\x0b\xb8")
        self.assertEqual(self.closed_with(socket), 3000)

    def test_a_socket_that_is_idle_when_the_service_ends_is_told(self):
        with Service() as service:
            with WebSocket(service.port, "/socket.io/?EIO=4&transport=websocket") as socket:
                self.assertTrue(socket.message().startswith(b"0{"))
                service.process.terminate()
                with self.assertRaises(Closed) as closed:
                    socket.message()
                self.assertIn(closed.exception.code, (1001, 1005))

    def test_handshakes_that_are_wrong_are_told(self):
        run = self.start()
        rows = [
            (426, {"Sec_WebSocket_Version": "8"}), (426, {"Upgrade": "h2c"}),
            (426, {"Upgrade": None}), (400, {"Sec_WebSocket_Key": "short"}),
            (400, {"Sec_WebSocket_Key": None}), (403, {"Origin": "https://evil.example.com"}),
            (403, {"Host": "evil.example.com"}), (426, {"version": "1.0"}),
        ]
        for status, headers in rows:
            with self.assertRaises(Refused) as refused:
                self.attach(run, **headers)
            self.assertEqual(refused.exception.status, status, headers)
        self.attach(run, Origin="http://localhost:5173")

    def test_another_protocol_that_is_offered_is_ignored_where_there_is_more_than_a_socket(self):
        for path in ("/", "/languages", "/socket.io/?EIO=4&transport=polling"):
            status, _, body = self.service.request_raw(
                "GET", path, headers={"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings",
                                      "HTTP2-Settings": "AAMAAABkAAQAAP__"})
            self.assertEqual(status, 200, (path, body))


class Memory(Live):
    # A sanitizer keeps what is freed for a while, which is not to be measured.
    env = {"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}

    def memory(self):
        pids = [self.service.process.pid, *descendants(self.service.process.pid)]
        texts = [pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8") for pid in pids]
        return max(int(re.search(r"VmRSS:\s+(\d+)", text)[1]) for text in texts) * 1024

    def test_answers_that_are_never_read_take_little_memory(self):
        run = self.start()
        before = self.memory()
        for _ in range(20):
            opened = self.attach(run)
            opened.socket.settimeout(0.5)
            opened.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            try:
                opened.socket.sendall(WebSocket.frame(TEXT, b"{}") * 200_000)
            except TimeoutError:
                pass
        self.assertLess(self.memory() - before, 24 << 20)


if __name__ == "__main__":
    unittest.main()
