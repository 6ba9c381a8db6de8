# SPDX-License-Identifier: MIT
"""As much of Redis' protocol as a test needs."""

import socket
import urllib.parse


class RedisError(Exception):
    pass


class RedisClient:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), 20)
        self._socket.settimeout(20)
        self._input = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._input.close()
        self._socket.close()

    def _read(self):
        line = self._input.readline()
        if not line:
            raise ConnectionError("Redis is gone")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        count = int(rest)
        if count < 0:
            return None
        if kind == b"$":
            return self._input.read(count + 2)[:-2]
        return [self._read() for _ in range(count)]

    def __call__(self, *words):
        """redis("SET", key, value)"""
        data = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self._socket.sendall(b"*%d\r\n" % len(data) +
                             b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in data))
        return self._read()

    def hash(self, key):
        found = self("HGETALL", key)
        return {name.decode(): value for name, value in zip(found[::2], found[1::2])}

    def subscribe(self, channel):
        self("SUBSCRIBE", channel)

    def message(self, seconds=20):
        """The next one of a channel; None when none comes in time."""
        self._socket.settimeout(seconds)
        try:
            return self._read()[2]
        except TimeoutError:
            return None
        finally:
            self._socket.settimeout(20)
