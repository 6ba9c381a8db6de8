# SPDX-License-Identifier: MIT
"""A WebSocket client down to its frames, so that wrong ones can be sent too."""

import base64
import hashlib
import json
import os
import pathlib
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
import openapi

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Refused(Exception):
    """The handshake was answered with something else than 101."""

    def __init__(self, head, body):
        super().__init__(head.split("\r\n")[0])
        self.status = int(head.split()[1])
        self.head, self.body = head, body


class Closed(Exception):
    """The other side sent a Close frame, or ended without one (code None)."""

    def __init__(self, code, reason=""):
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason


class WebSocket:
    def __init__(self, port, path, timeout=20, early=b"", address="127.0.0.1", source=None,
                 version="1.1", **headers):
        """source: the address that the client has, another one of loopback's."""
        self.socket = socket.create_connection((address, port), timeout, source and (source, 0))
        self.port, self.path, self.buffer = port, path, b""
        key = base64.b64encode(os.urandom(16))
        given = {"Host": f"{address}:{port}", "Upgrade": "websocket", "Connection": "Upgrade",
                 "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key.decode()}
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        lines = [f"GET {path} HTTP/{version}"]
        lines += [f"{name}: {value}" for name, value in given.items() if value is not None]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + early)
        head = self._head()
        if head.split()[1] != "101":
            raise Refused(head, self._rest())
        expected = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        assert expected in head, head
        self.head = head

    def _head(self):
        while b"\r\n\r\n" not in self.buffer:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError(self.buffer)
            self.buffer += piece
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head.decode("latin-1")

    def _rest(self):
        self.socket.settimeout(1)
        try:
            while piece := self.socket.recv(65536):
                self.buffer += piece
        except OSError:
            pass
        return self.buffer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @staticmethod
    def frame(opcode, payload=b"", fin=True, masked=True, rsv=0):
        head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
        bit = 0x80 if masked else 0
        if len(payload) < 126:
            head += bytes([bit | len(payload)])
        elif len(payload) < 65536:
            head += bytes([bit | 126]) + struct.pack(">H", len(payload))
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", len(payload))
        if not masked:
            return head + payload
        mask = os.urandom(4)
        return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))

    def send(self, opcode, payload=b"", **how):
        self.socket.sendall(self.frame(opcode, payload, **how))

    def send_json(self, value):
        self.send(TEXT, json.dumps(value).encode())

    def _read(self, count):
        while len(self.buffer) < count:
            piece = self.socket.recv(65536)
            if not piece:
                raise Closed(None)
            self.buffer += piece
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def receive(self):
        """(opcode, payload) of the next frame, whatever it is."""
        first, second = self._read(2)
        assert first & 0x70 == 0 and second & 0x80 == 0, "a server masks nothing"
        length = second & 0x7f
        if length == 126:
            length = struct.unpack(">H", self._read(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self._read(8))[0]
        return first & 15, self._read(length)

    def message(self):
        """The next message; pings are answered."""
        while True:
            opcode, payload = self.receive()
            if opcode == PING:
                self.send(PONG, payload)
            elif opcode == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if payload else 1005
                try:
                    self.send(CLOSE, payload)
                except OSError:
                    pass
                raise Closed(code, payload[2:].decode())
            elif opcode != PONG:
                return payload

    def json(self):
        """A message of /v1 must be as it is described."""
        message = json.loads(self.message())
        if self.path.startswith("/v1/"):
            openapi.check_event(self.port, message)
        return message

    def until_closed(self):
        """(messages, code)"""
        messages = []
        try:
            while True:
                messages.append(self.json())
        except Closed as closed:
            return messages, closed.code
