# SPDX-License-Identifier: MIT
"""Two fronts behind nginx, with deploy/nginx.conf: a client comes back to where it began, whatever
it speaks. Clients are told apart by their addresses, of which loopback has many."""

import contextlib
import http.client
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from fleet import ANSWER_S, Fleet, wait_until
from service import ROOT, free_port
from websocket import WebSocket

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
CLIENTS = [f"127.0.0.{number}" for number in range(2, 12)]
AROUND = """
daemon off;
pid {folder}/pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {ours}
}}
"""


def configuration(folder, port, fronts):
    ours = (ROOT / "deploy" / "nginx.conf").read_text()
    for number, front in enumerate(fronts, 1):
        ours = ours.replace(f"server front-{number}:8080;", f"server 127.0.0.1:{front.port};")
    ours = ours.replace("listen 8000;", f"listen 127.0.0.1:{port};")
    assert "8080" not in re.sub("#.*", "", ours), "another front stands there"
    return AROUND.format(folder=folder, ours=ours)


@unittest.skipUnless(NGINX, "there is no nginx")
class Sticky(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(fronts=2, workers=1, slots=4)
        cls.addClassCleanup(cls.fleet.close)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.port = free_port()
        path = pathlib.Path(folder.name) / "nginx.conf"
        path.write_text(configuration(folder.name, cls.port, cls.fleet.fronts))
        cls.process = subprocess.Popen([NGINX, "-p", folder.name, "-c", str(path)],
                                       stdin=subprocess.DEVNULL)
        cls.addClassCleanup(cls.stop)
        wait_until("nginx passes on", lambda: cls.is_there(CLIENTS[0]))

    @classmethod
    def stop(cls):
        cls.process.terminate()
        cls.process.wait(20)

    @classmethod
    def is_there(cls, client):
        with contextlib.suppress(OSError):
            return cls.ask(client, "GET", "/health")[0] == 200
        return False

    @classmethod
    def ask(cls, client, method, path, body=None, kind="application/json"):
        connection = http.client.HTTPConnection("127.0.0.1", cls.port, timeout=60,
                                                source_address=(client, 0))
        with contextlib.closing(connection):
            connection.request(method, path, body, {"content-type": kind})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def attach(self, client, path):
        socket = WebSocket(self.port, path, source=client)
        self.addCleanup(socket.socket.close)
        return socket

    def start(self, client, code):
        status, answer = self.ask(client, "POST", "/v1/runs?wait=false",
                                  json.dumps({"language": "bash", "code": code}))
        self.assertEqual(status, 201, answer)
        return json.loads(answer)["id"]

    def finish(self, client):
        """A run that has ended."""
        status, answer = self.ask(client, "POST", "/v1/runs",
                                  json.dumps({"language": "bash", "code": "true"}))
        self.assertEqual(status, 200, answer)
        return json.loads(answer)["id"]

    def who_has(self, run):
        """The number of the one front that knows it."""
        knows = [front.request_raw("GET", f"/v1/runs/{run}")[0] == 200
                 for front in self.fleet.fronts]
        self.assertEqual(sum(knows), 1)
        return knows.index(True)

    def test_runs_and_their_streams(self):
        had = set()
        for client in CLIENTS:
            run = self.start(client, "read -r line; echo got $line")
            had.add(self.who_has(run))
            self.assertEqual(self.ask(client, "GET", f"/v1/runs/{run}")[0], 200)
            socket = self.attach(client, f"/v1/runs/{run}/stream")
            socket.send_json({"type": "input", "data": "word\n"})
            messages, _ = socket.until_closed()
            self.assertIn("got word\n", [message.get("data") for message in messages])
            status, events = self.ask(client, "GET", f"/v1/runs/{run}/events")
            self.assertEqual((status, events.count(b"event: end")), (200, 1), events)
        self.assertEqual(had, {0, 1})

    def test_sessions(self):
        for client in CLIENTS:
            status, answer = self.ask(client, "POST", "/session", json.dumps(
                {"language": "bash", "code": "read -r line; echo hello $line"}))
            self.assertEqual(status, 200, answer)
            socket = self.attach(client, f"/ws/session/{json.loads(answer)['sessionId']}")
            socket.send_json({"type": "input", "data": "Ada\n"})
            said = ""
            while "hello Ada" not in said:
                said += socket.json().get("data", "")

    def test_socket_io_by_polling(self):
        path = "/socket.io/?EIO=4&transport=polling"
        for client in CLIENTS:
            status, opened = self.ask(client, "GET", path)
            self.assertEqual(status, 200, opened)
            path_of = f"{path}&sid={json.loads(opened[1:])['sid']}"
            self.assertEqual(self.ask(client, "POST", path_of, "40", "text/plain"), (200, b"ok"))
            status, connected = self.ask(client, "GET", path_of)
            self.assertEqual((status, connected[:2]), (200, b"40"), connected)

    def test_a_front_that_is_gone_is_passed_over(self):
        front = self.fleet.fronts[1]
        front.kill()
        try:
            self.assertEqual({self.ask(client, "GET", "/health")[0] for client in CLIENTS}, {200})
        finally:
            front.restart()
        # It is asked again after a while: ten seconds, as nginx has it.
        wait_until("it has clients again", lambda: any(
            self.who_has(self.finish(client)) == 1 for client in CLIENTS), ANSWER_S)


if __name__ == "__main__":
    unittest.main()
