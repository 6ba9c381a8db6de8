# SPDX-License-Identifier: MIT
"""What the tests of this folder share: a service of their own with keys, and requests to it
that know nothing of Runnel's own clients."""

import base64
import hashlib
import hmac
import http.client
import json
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "system"))

# pylint: disable=wrong-import-position
from service import RUNNEL, Service, wait_until
from openapi import check_answer

KEY, OTHER, SIGNING = "sk_one_0123456789", "sk_two_0123456789", "the key that signs links"
# Without a rate: what is tested here is something else.
API_KEYS = f"{KEY}:one:1000000:1000000,{OTHER}:two:1000000:1000000"
STATUS_WORDS = {"succeeded", "failed", "timeout", "oom", "killed"}
LINK = re.compile(r"^(?P<base>https?://[^/]+)(?P<path>/v1/files/file_[0-9A-Za-z]{12})"
                  r"\?payload=(?P<payload>[-\w]+)&sig=(?P<sig>[0-9a-f]{64})$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
WRITES = ("import os\nos.makedirs('outputs/deep', exist_ok=True)\n"
          "open('outputs/plot.svg', 'w').write('<svg/>')\n"
          "open('outputs/deep/data.csv', 'w').write('a,b\\n')\n")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def error(self):
        """(status, sentence, field)"""
        said = self.json()
        return self.status, said["error"], said.get("field")

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


def request(port, method, path, body=None, key=KEY, headers=None, timeout=60):
    """A dict is sent as JSON, bytes as they are. The answer must be as it is described."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    given = dict(headers or {})
    if key:
        given.setdefault("Authorization", f"Bearer {key}")
    if body is not None:
        given.setdefault("Content-Type", "application/json")
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        connection.request(method, path, body, given)
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        found = Answer(answer.status, names, answer.read())
    finally:
        connection.close()
    if method != "OPTIONS":  # a preflight is of HTTP, not of the API
        check_answer(port, method, path, found.status, names, found.body)
    return found


def form(content, name="data.bin", field="file", boundary="edge"):
    """(headers, body) of a form with one file."""
    quoted = name.encode("utf-8")
    body = (b"--" + boundary.encode() + b"\r\nContent-Disposition: form-data; name=\""
            + field.encode() + b"\"; filename=\"" + quoted + b"\"\r\n\r\n" + content
            + b"\r\n--" + boundary.encode() + b"--\r\n")
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body


def sign(text, key=SIGNING):
    """payload and sig of a signed text, as the known service's own code makes them."""
    data = text if isinstance(text, bytes) else text.encode()
    payload = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    return payload, hmac.new(key.encode(), data, hashlib.sha256).hexdigest()


def signed_text(path, exp=None, method="GET"):
    exp = int(time.time()) + 60 if exp is None else exp
    return json.dumps({"path": path, "exp": exp, "method": method}, separators=(",", ":"))


class Contract(unittest.TestCase):
    """One service for the tests of a class."""

    flags = ("--concurrency=8", "--shutdown-grace=0s")
    env = {}

    @classmethod
    def setUpClass(cls):
        env = {"API_KEYS": API_KEYS, "SIGNING_KEY": SIGNING, **cls.env}
        cls.service = Service(*cls.flags, env=env)

    @classmethod
    def tearDownClass(cls):
        # Nothing that a test sent may have ended it: the spawner would have replaced it.
        log = cls.service.log()
        cls.service.close()
        assert '"event":"front_died"' not in log and "runtime error" not in log, log[-3000:]

    def ask(self, method, path, body=None, **more):
        return request(self.service.port, method, path, body, **more)

    def post(self, body, query="", **more):
        return self.ask("POST", f"/v1/runs{query}", body, **more)

    def run_it(self, code="print('hi')", language="python", **fields):
        """The record of a run that is waited for."""
        answer = self.post({"language": language, "code": code, **fields})
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def start(self, code="sleep 100", language="bash", key=KEY, headers=None, **fields):
        answer = self.post({"language": language, "code": code, **fields}, "?wait=false", key=key,
                           headers=headers)
        self.assertEqual(answer.status, 201, answer)
        return answer.json()["id"]

    def record(self, run, key=KEY):
        return self.ask("GET", f"/v1/runs/{run}", key=key).json()

    def wait_for_end(self, run, key=KEY):
        def ended():
            record = self.record(run, key)
            return record if record["verdict"] else None
        return wait_until("the run ends", ended)

    def upload(self, content, name="data.bin", key=KEY, **more):
        headers, body = form(content, name, **more)
        return self.ask("POST", "/v1/files", body, key=key, headers=headers)

    def events(self, run, after=0, key=KEY):
        headers = {"Last-Event-ID": str(after)} if after else {}
        answer = self.ask("GET", f"/v1/runs/{run}/events", key=key, headers=headers)
        self.assertEqual(answer.headers["content-type"], "text/event-stream")
        return [json.loads(line[6:]) for line in answer.body.decode().split("\n")
                if line.startswith("data: ")]
