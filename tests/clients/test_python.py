# SPDX-License-Identifier: MIT
"""clients/python/runnel.py against a live service."""

import io
import os
import pathlib
import tempfile
import threading
import time
import unittest

from place import ASKS, KEY, Client, restart_front, wait_until

# pylint: disable=wrong-import-position
from runnel import Event, Runnel, RunnelError, WebhookError, verify_webhook


class Python(Client):
    def setUp(self):
        self.runnel = Runnel(self.url, key=KEY)

    def test_a_run_that_is_waited_for(self):
        run = self.runnel.run("python", "import sys; print(input(), sys.argv[1:])", stdin="in",
                              args=["a"], metadata={"a": "b"}, limits={"timeout_ms": 2000},
                              files=[{"path": "x.bin", "content": b"\xff"}])
        self.assertTrue(run.succeeded and run.has_ended)
        self.assertEqual((run.verdict, run.stdout, run.exit_code), ("succeeded", "in ['a']\n", 0))
        self.assertEqual((run.limits["timeout_ms"], run.metadata), (2000, {"a": "b"}))
        again = self.runnel.get(run.id)
        self.assertEqual((again.stdout, again.usage), (run.stdout, run.usage))

    def test_a_run_has_a_priority_and_one_attempt(self):
        run = self.runnel.run("bash", "true", priority="low")
        self.assertEqual((run.priority, run.attempt, run.worker), ("low", 1, None))
        self.assertEqual([row.priority for row in self.runnel.list() if row.id == run.id], ["low"])
        begun_again = Event.of({"n": 4, "t": 9, "type": "state", "state": "queued", "attempt": 2})
        self.assertEqual((begun_again.state, begun_again.attempt), ("queued", 2))

    def test_refusals_are_exceptions(self):
        rows = [(lambda: self.runnel.run("cobol", "x"), 400, "unknown_language", "language"),
                (lambda: self.runnel.get("run_000000000000"), 404, "not_found", None),
                (lambda: self.runnel.get("../files"), 404, "not_found", None),
                (lambda: list(self.runnel.events("run_000000000000")), 404, "not_found", None),
                (lambda: self.runnel.attach("run_000000000000"), 404, "not_found", None),
                (lambda: Runnel(self.url, key="wrong").languages(), 401, "unauthorized", None)]
        for call, status, code, field in rows:
            with self.assertRaises(RunnelError) as caught:
                call()
            error = caught.exception
            self.assertEqual((error.status, error.code, error.field), (status, code, field))
            self.assertTrue(error.message)
        with self.assertRaises(RunnelError) as caught:
            Runnel("http://127.0.0.1:1", retries=0).languages()
        self.assertEqual((caught.exception.status, caught.exception.code), (0, "no_answer"))
        with self.assertRaises(ValueError):
            Runnel("localhost:8080")

    def test_who_is_too_fast_waits_as_long_as_he_is_told(self):
        slow = Runnel(self.url, key="sk_slow", retries=3)
        began = time.monotonic()
        for _ in range(3):
            self.assertEqual(slow.run("bash", "true").verdict, "succeeded")
        self.assertGreater(time.monotonic() - began, 0.9)

    def test_an_idempotency_key(self):
        runs = {self.runnel.run("bash", "echo $RANDOM", idempotency_key="one").id for _ in range(3)}
        self.assertEqual(len(runs), 1)
        with self.assertRaises(RunnelError) as caught:
            self.runnel.run("bash", "echo other", idempotency_key="one")
        self.assertEqual(caught.exception.status, 422)

    def test_events_and_their_resumption(self):
        live = self.runnel.start("bash", "for i in 1 2 3; do echo $i; sleep 0.1; done")
        events = list(live.events())
        self.assertEqual([event.n for event in events], list(range(1, len(events) + 1)))
        self.assertEqual("".join(e.data for e in events if e.type == "stdout"), "1\n2\n3\n")
        self.assertIn("running", [event.state for event in events])
        self.assertEqual((events[-1].type, events[-1].record["verdict"]), ("end", "succeeded"))
        self.assertEqual([event.n for event in live.events(after=3)],
                         list(range(4, len(events) + 1)))

    def test_a_service_that_is_killed_meanwhile(self):
        """The stream is taken up again, and tells how it went on."""
        live = self.runnel.start("bash", "echo said; sleep 100", on_disconnect="continue")
        seen = []

        def read():
            for event in live.events():
                seen.append(event)
        reader = threading.Thread(target=read)
        reader.start()
        wait_until("it has said it", lambda: any(event.data for event in seen))
        restart_front(self.service)
        reader.join(20)
        self.assertEqual((seen[-1].type, seen[-1].record["verdict"]), ("end", "internal_error"))
        self.assertEqual(live.wait().verdict, "internal_error")

    def test_a_session(self):
        live = self.runnel.start("python", ASKS)
        with live.attach() as session:
            session.signal("nonsense")
            session.input("Ädä\n" * 1)
            events = list(session)
        self.assertEqual("".join(e.data for e in events if e.type == "stdout"),
                         "name? hello Ädä\n")
        errors = [event.record for event in events if event.type == "error"]
        self.assertEqual([error["field"] for error in errors], ["signal"])
        self.assertEqual(live.wait().verdict, "succeeded")

    def test_more_of_a_session(self):
        live = self.runnel.start("bash", "cat", disconnect_grace_ms=60000)
        with live.attach() as session:
            session.input("x" * 100000)
            session.eof()
            self.assertEqual(sum(len(e.data) for e in session if e.type == "stdout"), 100000)
        live = self.runnel.start("bash", "trap 'stty size' WINCH; while :; do sleep 0.05; done",
                                 tty=True)
        with live.attach() as session:
            time.sleep(0.3)
            session.resize(50, 20)
            for event in session:
                if "20 50" in event.data:
                    session.cancel()
                last = event
        self.assertEqual(last.record["verdict"], "cancelled")
        live = self.runnel.start("bash", "echo ready; sleep 100")
        with live.attach() as session:
            for event in session:
                if event.data:
                    session.signal("KILL")
            self.assertEqual((event.type, event.record["signal"]), ("end", 9))

    def test_lists_cancel_and_forget(self):
        made = [self.runnel.run("bash", "true", metadata={"of": "list"}).id for _ in range(5)]
        listed = [run.id for run in self.runnel.list(metadata={"of": "list"}, page=2)]
        self.assertEqual(listed, made[::-1])
        self.assertIsNone(self.runnel.forget(made[0]))
        self.assertEqual(len(list(self.runnel.list(metadata={"of": "list"}))), 4)
        live = self.runnel.start("bash", "sleep 100")
        self.assertEqual(live.cancel().id, live.id)
        self.assertEqual(live.wait().verdict, "cancelled")
        self.assertEqual(self.runnel.cancel(made[1]).verdict, "succeeded")
        self.assertEqual(self.runnel.get(made[1]).id, made[1])
        self.assertEqual(list(self.runnel.list(verdict="none")), [])

    def test_files(self):
        content = os.urandom(500000)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "a \"b\"\n.bin")
            path.write_bytes(content)
            made = [self.runnel.upload(path), self.runnel.upload(content, "x"),
                    self.runnel.upload(io.BytesIO(content), "y"), self.runnel.upload(Pipe(content))]
            self.assertEqual({file.size for file in made}, {500000})
            self.assertEqual(len({file.sha256 for file in made}), 1)
            self.assertEqual(self.runnel.download(made[0]), content)
            self.runnel.download(made[1].id, path)
            self.assertEqual(path.read_bytes(), content)
            self.assertEqual(os.listdir(folder), [path.name])
            with self.assertRaises(RunnelError):
                self.runnel.download("file_000000000000", path)
            self.assertEqual(os.listdir(folder), [path.name])
        run = self.runnel.run("bash", "tac inputs/in > outputs/out; echo x > outputs/y",
                              files=[{"id": made[0].id, "path": "in"}])
        self.assertEqual({artifact.name for artifact in run.artifacts}, {"out", "y"})
        small = next(artifact for artifact in run.artifacts if artifact.name == "y")
        self.assertEqual(self.runnel.download(small), b"x\n")
        keyless = Runnel(self.url)
        self.assertEqual(keyless.download(small), b"x\n")
        self.runnel.delete_file(made[0])
        with self.assertRaises(RunnelError):
            self.runnel.download(made[0])

    def test_a_file_that_is_too_large_is_refused_with_its_sentence(self):
        with self.assertRaises(RunnelError) as caught:
            self.runnel.upload(bytes(40 << 20))
        self.assertEqual((caught.exception.status, caught.exception.code), (413, "too_large"))

    def test_languages(self):
        python = next(item for item in self.runnel.languages() if item.name == "python")
        self.assertTrue(python.installed and python.sample)

    def test_webhooks_are_verified(self):
        receiver, secret = self.receiver(), self.runnel.webhook_secret()
        run = self.runnel.run("bash", "echo x", webhook_url=receiver.url)
        wait_until("it came", lambda: receiver.got)
        _, headers, body, *_ = receiver.got[0]
        self.assertEqual(verify_webhook(secret, headers, body).stdout, "x\n")
        self.assertEqual(verify_webhook(secret, headers, body).id, run.id)
        wrong = [(secret, headers, body + b" "), ("whsec_AAAA", headers, body), (secret, {}, body),
                 (secret, {**headers, "Webhook-Id": "x"}, body),
                 (secret, {**headers, "Webhook-Timestamp": "1"}, body),
                 (secret, {**headers, "Webhook-Timestamp": "x"}, body),
                 (secret, {**headers, "Webhook-Signature": "v1,AAAA v2,BBBB \xff"}, body)]
        for given in wrong:
            with self.assertRaises(WebhookError):
                verify_webhook(*given)
        with self.assertRaises(WebhookError):
            verify_webhook(secret, headers, body, tolerance_s=-1)
        old = {**headers, "Webhook-Signature": "v1,old " + headers["Webhook-Signature"]}
        self.assertEqual(verify_webhook(secret, old, body).id, run.id)


class Pipe(io.RawIOBase):
    """A file of which nobody knows the size."""

    def __init__(self, content):
        super().__init__()
        self.rest = io.BytesIO(content)

    def read(self, size=-1):
        return self.rest.read(size)


if __name__ == "__main__":
    unittest.main()
