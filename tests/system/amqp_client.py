# SPDX-License-Identifier: MIT
"""As much of AMQP 0-9-1 as a test needs that plays somebody else at the broker."""

import socket
import struct
import urllib.parse

METHOD, HEADER, BODY, HEARTBEAT, FRAME_END = 1, 2, 3, 8, 0xCE
PROPERTIES = [("content_type", 15), ("headers", 13), ("delivery_mode", 12), ("correlation_id", 10),
              ("reply_to", 9), ("message_id", 7), ("timestamp", 6)]


def short_text(text):
    data = text.encode()
    return struct.pack(">B", len(data)) + data


def long_bytes(data):
    return struct.pack(">I", len(data)) + data


def table(values):
    data = b""
    for name, value in values.items():
        data += short_text(name)
        data += b"l" + struct.pack(">q", value) if isinstance(value, int) else \
            b"S" + long_bytes(value.encode())
    return long_bytes(data)


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, form):
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values[0] if len(values) == 1 else values

    def bytes(self, count):
        self.at += count
        return self.data[self.at - count:self.at]

    def short_text(self):
        return self.bytes(self.take("B")).decode()

    def long_bytes(self):
        return self.bytes(self.take("I"))


class Refused(Exception):
    """The broker closed the channel or the connection, and says why."""


class Amqp:
    """One connection with one channel that confirms what is published."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), 20)
        self._socket.settimeout(20)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input = self._socket.makefile("rb")
        self._socket.sendall(b"AMQP\0\0\x09\x01")
        self._wait(10, 10)
        self._call(0, 10, 11, table({}) + short_text("PLAIN") + long_bytes(
            f"\0{parts.username}\0{parts.password}".encode()) + short_text("en_US"))
        tune = self._wait(10, 30)
        self._call(0, 10, 31, struct.pack(">HIH", *tune.take("HI"), 0))
        self._ask(0, 10, 40, short_text("/") + b"\0\0", 41)
        self._ask(1, 20, 10, b"\0", 11)
        self._ask(1, 85, 10, b"\0", 11)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._input.close()
        self._socket.close()

    # --- frames ---

    def _send(self, kind, channel, data):
        self._socket.sendall(struct.pack(">BHI", kind, channel, len(data)) + data +
                             bytes([FRAME_END]))

    def _call(self, channel, group, method, data):
        self._send(METHOD, channel, struct.pack(">HH", group, method) + data)

    def _frame(self):
        kind, _, size = struct.unpack(">BHI", self._input.read(7))
        data = self._input.read(size + 1)
        return kind, data[:-1]

    def _next(self):
        """The next method: its two numbers, and what it says."""
        while True:
            kind, data = self._frame()
            if kind == METHOD:
                reader = Reader(data)
                found = reader.take("HH")
                if found in ((10, 50), (20, 40)):
                    raise Refused(f"{reader.take('H')} {reader.short_text()}")
                return found, reader

    def _wait(self, group, *methods):
        while True:
            found, reader = self._next()
            if found[0] == group and found[1] in methods:
                reader.method = found[1]
                return reader

    def _ask(self, channel, group, method, data, *answers):
        self._call(channel, group, method, data)
        return self._wait(group, *answers)

    def _content(self):
        _, header = self._frame()
        reader = Reader(header)
        _, _, size, flags = reader.take("HHQH")
        found = {}
        for name, bit in PROPERTIES:
            if flags & 1 << bit:
                found[name] = {"headers": reader.long_bytes, "delivery_mode": lambda: reader.take("B"),
                               "timestamp": lambda: reader.take("Q")}.get(name, reader.short_text)()
        body = b""
        while len(body) < size:
            body += self._frame()[1]
        return body, found

    # --- what tests do ---

    def declare(self, queue, durable=False, passive=False, arguments=None):
        """How many messages wait in it."""
        answer = self._ask(1, 50, 10, struct.pack(">H", 0) + short_text(queue) +
                           bytes([passive | durable << 1]) + table(arguments or {}), 11)
        answer.short_text()
        return answer.take("I")

    def count(self, queue):
        return self.declare(queue, passive=True)

    def consumers(self, queue):
        """How many there are."""
        answer = self._ask(1, 50, 10, struct.pack(">H", 0) + short_text(queue) + b"\1" + table({}), 11)
        answer.short_text()
        return answer.take("II")[1]

    def purge(self, queue):
        self._ask(1, 50, 30, struct.pack(">H", 0) + short_text(queue) + b"\0", 31)

    def delete(self, queue):
        self._ask(1, 50, 40, struct.pack(">H", 0) + short_text(queue) + b"\0", 41)

    def declare_exchange(self, name, kind):
        self._ask(1, 40, 10, struct.pack(">H", 0) + short_text(name) + short_text(kind) + b"\x02" +
                  table({}), 11)

    def bind(self, queue, exchange, key):
        self._ask(1, 50, 20, struct.pack(">H", 0) + short_text(queue) + short_text(exchange) +
                  short_text(key) + b"\0" + table({}), 21)

    def unbind(self, queue, exchange, key):
        self._ask(1, 50, 50, struct.pack(">H", 0) + short_text(queue) + short_text(exchange) +
                  short_text(key) + table({}), 51)

    def publish(self, exchange, key, body, **properties):
        """True when the broker has it: somewhere, if it must be (mandatory)."""
        self._call(1, 60, 40, struct.pack(">H", 0) + short_text(exchange) + short_text(key) + b"\x01")
        flags, data = 0, b""
        for name, bit in PROPERTIES:
            if name not in properties:
                continue
            flags |= 1 << bit
            value = properties[name]
            data += {"delivery_mode": lambda v: struct.pack(">B", v),
                     "timestamp": lambda v: struct.pack(">Q", v),
                     "headers": table}.get(name, short_text)(value)
        self._send(HEADER, 1, struct.pack(">HHQH", 60, 0, len(body), flags) + data)
        for at in range(0, len(body), 100000):
            self._send(BODY, 1, body[at:at + 100000])
        answer = self._wait(60, 50, 80, 120)
        if answer.method == 50:
            self._content()
            self._wait(60, 80)
            return False
        return answer.method == 80

    def get(self, queue, ack=True):
        """(body, properties) of the first message, or None when it is empty."""
        answer = self._ask(1, 60, 70, struct.pack(">H", 0) + short_text(queue) + bytes([ack]), 71, 72)
        return None if answer.method == 72 else self._content()
