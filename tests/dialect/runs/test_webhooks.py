# SPDX-License-Identifier: MIT
"""Webhooks, to a server of the test's own: what they carry, that they come again, and where they
never go."""

import base64
import contextlib
import hashlib
import hmac
import json
import pathlib
import socket
import socketserver
import sqlite3
import threading
import time
import unittest
import urllib.request

from contract import API_KEYS, KEY, OTHER, Contract, Service, request, wait_until
from receiver import Receiver


class Silent(socketserver.ThreadingTCPServer):
    """Takes every connection and never answers."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Silent.Handler)
        self.open, self.most = set(), 0
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def end(self):
        """Nobody waits for it any more."""
        self.shutdown()
        self.server_close()
        with self.lock:
            for connection in self.open:
                with contextlib.suppress(OSError):  # it has gone meanwhile
                    connection.shutdown(socket.SHUT_RDWR)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with self.server.lock:
                self.server.open.add(self.request)
                self.server.most = max(self.server.most, len(self.server.open))
            try:
                while self.request.recv(65536):
                    pass
            finally:
                with self.server.lock:
                    self.server.open.remove(self.request)


class Webhooks(Contract):
    flags = (*Contract.flags, "--webhook-networks=127.0.0.0/8")

    def setUp(self):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.server_close)

    def secret(self, key=KEY):
        """As its owner hands it to the receivers."""
        told = self.ask("GET", "/v1/me", key=key).json()["webhook_secret"]
        self.assertTrue(told.startswith("whsec_"))
        return base64.b64decode(told[len("whsec_"):])

    def got(self, count=1):
        wait_until(f"{count} came", lambda: len(self.receiver.got) >= count)
        return self.receiver.got

    def test_the_end_is_told_and_signed(self):
        record = self.run_it("open('outputs/x.txt', 'w').write('x')\nprint('said')",
                             webhook_url=self.receiver.url + "/hook?a=b", metadata={"a": "b"})
        path, headers, body, came, _ = self.got()[0]
        self.assertEqual(path, "/hook?a=b")
        told = json.loads(body)
        for name in ("id", "status", "verdict", "exit_code", "stdout", "usage", "metadata"):
            self.assertEqual(told[name], record[name], name)
        self.assertEqual(told["artifacts"][0]["sha256"], record["artifacts"][0]["sha256"])
        self.assertEqual(headers["Webhook-Id"], record["id"])
        self.assertEqual(headers["Content-Type"], "application/json")
        sent = headers["Webhook-Timestamp"]
        self.assertLess(abs(int(sent) - came), 5)
        signed = f"{record['id']}.{sent}.".encode() + body
        digest = hmac.new(self.secret(), signed, hashlib.sha256).digest()
        self.assertEqual(headers["Webhook-Signature"], "v1," + base64.b64encode(digest).decode())
        self.assertNotEqual(self.secret(OTHER), self.secret())
        self.assertNotIn("Authorization", headers)
        self.assertNotIn(KEY, str(headers) + body.decode())
        time.sleep(1.5)
        self.assertEqual(len(self.receiver.got), 1)

    def test_its_links_are_whole_without_a_configured_address(self):
        """They begin with what the client called us, also for a run that nobody waited for."""
        host = f"localhost:{self.service.port}"
        body = {"language": "bash", "code": "echo hi > outputs/x", "webhook_url": self.receiver.url}
        for query in ("", "?wait=false"):
            with self.subTest(query):
                self.receiver.got.clear()
                self.post(body, query, headers={"Host": host})
                url = json.loads(self.got()[0].body)["artifacts"][0]["url"]
                self.assertTrue(url.startswith(f"http://{host}/v1/files/file_"), url)
                with urllib.request.urlopen(url, timeout=20) as answer:
                    self.assertEqual(answer.read(), b"hi\n")

    def test_what_was_not_taken_comes_again(self):
        self.receiver.answers[:] = [500]
        self.run_it(webhook_url=self.receiver.url)
        first, second = self.got(2)[:2]
        self.assertEqual(json.loads(first.body)["id"], json.loads(second.body)["id"])
        self.assertGreaterEqual(second.steady - first.steady, 0.9)
        self.assertEqual(first.headers["Webhook-Id"], second.headers["Webhook-Id"])

    def test_a_redirect_is_not_followed(self):
        self.receiver.answers[:] = [302, 307]
        self.run_it(webhook_url=self.receiver.url)
        self.assertEqual({path for path, *_ in self.got(2)}, {"/"})
        self.got(3)

    def test_of_one_that_was_not_waited_for_too(self):
        run = self.start("sleep 100", webhook_url=self.receiver.url)
        self.ask("DELETE", f"/v1/runs/{run}")
        self.assertEqual(json.loads(self.got()[0].body)["verdict"], "cancelled")

    def test_a_key_whose_receiver_is_silent_holds_nobody_up(self):
        silent = Silent()
        self.addCleanup(silent.end)
        for _ in range(24):
            self.run_it("true", "bash", webhook_url=silent.url)
        wait_until("its share is under way", lambda: len(silent.open) >= 4)
        self.post({"language": "bash", "code": "true", "webhook_url": self.receiver.url}, key=OTHER)
        self.got()
        # Four at once; what was given up here may not have been noticed there.
        self.assertLessEqual(silent.most, 8)

    def test_what_is_no_address_for_it_is_refused_at_once(self):
        for url in ("file:///etc/passwd", "ftp://127.0.0.1/", "http://", "127.0.0.1", "",
                    "http://user:secret@127.0.0.1/", "gopher://127.0.0.1/", "http://a b/",
                    "http://127.0.0.1:99999/", "javascript:alert(1)"):
            with self.subTest(url):
                answer = self.post({"language": "bash", "code": "true", "webhook_url": url})
                self.assertEqual((answer.status, answer.json()["field"]), (400, "webhook_url"))


HOUR_MS = 3600 * 1000


class Kept(unittest.TestCase):
    """What a service that was away finds when it starts again. The clock may have been set meanwhile."""

    def restarted(self, attempts, first_ms, next_ms):
        """(receiver, service) with a webhook that was tried so often; times from now on."""
        receiver = Receiver()
        self.addCleanup(receiver.server_close)
        receiver.answers[:] = [500] * 100
        service = Service("--webhook-networks=127.0.0.0/8", env={"API_KEYS": API_KEYS})
        self.addCleanup(service.close)
        answer = request(service.port, "POST", "/v1/runs", {
            "language": "bash", "code": "true", "webhook_url": receiver.url})
        self.assertEqual(answer.status, 200)
        wait_until("it came", lambda: receiver.got)
        service.process.terminate()
        service.process.wait(60)
        now_ms = int(time.time() * 1000)
        path = pathlib.Path(service.storage()) / "runnel.db"
        with sqlite3.connect(path) as db:
            db.execute("UPDATE webhooks SET attempts = ?, first_ms = ?, next_ms = ?",
                       (attempts, now_ms + first_ms, now_ms + next_ms))
        db.close()
        receiver.got.clear()
        service.restart()
        return receiver, service

    def test_one_whose_turn_comes_late_has_its_hour(self):
        receiver, _ = self.restarted(0, -2 * HOUR_MS, -2 * HOUR_MS)
        wait_until("it came again, and again", lambda: len(receiver.got) >= 2)

    def test_a_clock_that_was_set_ahead_gives_none_up(self):
        receiver, service = self.restarted(1, -2 * HOUR_MS, 1000 - 2 * HOUR_MS)
        wait_until("it came again, and again", lambda: len(receiver.got) >= 2)
        self.assertGreater(receiver.got[1].steady - receiver.got[0].steady, 4.9)
        self.assertNotIn("webhook_given_up", service.log())

    def test_a_clock_that_was_set_back_delays_none_beyond_its_pause(self):
        receiver, _ = self.restarted(1, 2 * HOUR_MS, 2 * HOUR_MS + 1000)
        wait_until("it came again", lambda: receiver.got)

    def test_after_the_last_pause_it_is_given_up(self):
        receiver, service = self.restarted(8, -HOUR_MS, -1)
        wait_until("it is given up", lambda: "webhook_given_up" in service.log())
        self.assertEqual(len(receiver.got), 1)


class Private(Webhooks):
    """Without the setting nothing of our own network is called: it is logged, and the run is
    as it would be."""

    flags = Contract.flags

    def test_private_addresses_are_never_called(self):
        port = self.receiver.server_port
        hosts = ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0",
                 "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::]", "[64:ff9b::7f00:1]"]
        for host in hosts:
            with self.subTest(host):
                answer = self.post({"language": "bash", "code": "true",
                                    "webhook_url": f"http://{host}:{port}/"})
                if answer.status == 200:
                    run = answer.json()["id"]
                    wait_until("it is logged", lambda one=run: any(
                        '"webhook_failed"' in line and one in line
                        for line in self.service.log().split("\n")))
                else:
                    self.assertEqual(answer.error()[2], "webhook_url")
        time.sleep(2)
        self.assertEqual(self.receiver.got, [])

    test_the_end_is_told_and_signed = test_what_was_not_taken_comes_again = None
    test_a_redirect_is_not_followed = test_of_one_that_was_not_waited_for_too = None
    test_what_is_no_address_for_it_is_refused_at_once = None
    test_its_links_are_whole_without_a_configured_address = None
    test_a_key_whose_receiver_is_silent_holds_nobody_up = None


if __name__ == "__main__":
    unittest.main()
