# SPDX-License-Identifier: MIT
"""What the tests of this folder share: raw requests, and the servers they go to.

SERVICE_URL names a running service; SERVICE_EXECUTE_URL its listener of the
dialect `execute`, if it has one. RUNNEL_FAKE names the program that serves the
dialect over an engine that runs nothing (tests/unit/dialect/serve_fake.c), and
is started with the options that a test asks for. A test that needs what neither
gives is skipped, and says so.

    SERVICE_URL=http://127.0.0.1:8080 /usr/bin/python3 -B -m unittest discover -s tests/dialect/execute
"""
import atexit
import json
import os
import re
import socket
import subprocess
import tempfile
import time
import unittest
from urllib.parse import urlsplit

FAKE = os.environ.get("RUNNEL_FAKE")
URL = os.environ.get("SERVICE_URL")
EXECUTE_URL = os.environ.get("SERVICE_EXECUTE_URL")


class Response:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()

    def json(self):
        return json.loads(self.body)


class Place:
    """An address where a server listens."""

    def __init__(self, host, port):
        self.host, self.port = host, port

    def connect(self, timeout=20, source=None):
        address = (source, 0) if source else None
        return socket.create_connection((self.host, self.port), timeout, address)

    def host_header(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def raw(self, request, source=None):
        """Everything that comes back until the server closes."""
        with self.connect(source=source) as sock:
            sock.sendall(request)
            return read_all(sock)

    def request(self, method, path, body=None, source=None, **headers):
        given = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        given.setdefault("host", self.host_header())
        given.setdefault("connection", "close")
        if body is not None:
            given.setdefault("content-length", str(len(body)))
        lines = [f"{method} {path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in given.items() if value is not None]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        return Response(self.raw(head + (body or b""), source))

    def get(self, path, **headers):
        return self.request("GET", path, **headers)

    def post_json(self, path, value, **headers):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        headers.setdefault("content_type", "application/json")
        return self.request("POST", path, body, **headers)

    def execute(self, **fields):
        return self.post_json("/execute", fields)


def read_all(sock):
    pieces = []
    try:
        while piece := sock.recv(65536):
            pieces.append(piece)
    except ConnectionResetError:
        pieces.append(b"\r\nRESET")
    return b"".join(pieces)


def read_response(sock):
    """One answer off a connection that stays open."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = sock.recv(65536)
        if not piece:
            raise EOFError(raw)
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    want = int(length.group(1)) if length else 0
    while len(body) < want:
        body += sock.recv(65536)
    return Response(head + b"\r\n\r\n" + body[:want])


class Fake:
    """A server of the fake program, as long as the tests run."""

    def __init__(self, options):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([FAKE, *options], stdin=subprocess.PIPE,
                                        stdout=self.log, text=True)
        ports = [int(port) for port in self.lines(4)]
        self.main = Place("127.0.0.1", ports[0])
        self.ipv6 = Place("::1", ports[1])
        self.execute = Place("127.0.0.1", ports[2])
        self.public = Place("127.0.0.1", ports[3])
        atexit.register(self.stop)

    def lines(self, count):
        """The first lines of its log, once they are there."""
        while True:
            self.log.seek(0)
            lines = self.log.read().split("\n")
            if len(lines) > count:
                return lines[:count]
            if self.process.poll() is not None:
                raise AssertionError("the server did not start")
            time.sleep(0.01)

    def quiesce(self):
        self.process.stdin.write("q\n")
        self.process.stdin.flush()
        time.sleep(0.3)

    def memory_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        """Ends it and returns its log, whose last line counts runs."""
        if self.process.stdin.closed:
            return None
        self.process.stdin.close()
        if self.process.wait(20) != 0:
            raise AssertionError(f"the server ended with {self.process.returncode}")
        self.log.seek(0)
        log = self.log.read()
        self.log.close()
        return log


class Live:
    """The service that SERVICE_URL names."""

    def __init__(self):
        self.main = self.place(URL)
        if EXECUTE_URL:
            self.execute = self.place(EXECUTE_URL)

    def __getattr__(self, name):
        raise unittest.SkipTest(f"needs RUNNEL_FAKE, or a listener for '{name}'")

    @staticmethod
    def place(url):
        parts = urlsplit(url)
        return Place(parts.hostname, parts.port or 80)


_servers = {}


def server(*options):
    """The server that was started with these options; one for each set of them."""
    if URL and not options:
        return _servers.setdefault("live", Live())
    if not FAKE:
        raise unittest.SkipTest("needs RUNNEL_FAKE: a server with options of its own")
    if options not in _servers:
        _servers[options] = Fake(options)
    return _servers[options]


def fresh(*options):
    """A server for one test alone, that may stop it."""
    if not FAKE:
        raise unittest.SkipTest("needs RUNNEL_FAKE: a server of its own")
    return Fake(options)


def code(script, python):
    """The program of a test: a script for the fake engine, or Python."""
    return python if URL else script
