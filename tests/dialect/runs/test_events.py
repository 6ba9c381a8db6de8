# SPDX-License-Identifier: MIT
"""Runs that are not waited for: their events, also of runs that only the store knows, and DELETE
in each state."""

import os
import signal
import socket
import time
import unittest
from unittest import mock

from contract import KEY, OTHER, Contract, wait_until
from websocket import BINARY, CLOSE, WebSocket


def connect_small(address, timeout, _source=None):
    """A connection that takes little at a time."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.settimeout(timeout)
    small.connect(address)
    return small


class Events(Contract):
    CODE = "echo one; echo two >&2; read x; echo $x"

    def test_they_are_the_same_live_and_from_the_store(self):
        run = self.start(self.CODE, stdin="three\n")
        live = self.events(run)
        self.assertEqual([event["n"] for event in live], list(range(1, len(live) + 1)))
        self.assertEqual("".join(e["data"] for e in live if e["type"] == "stdout"), "one\nthree\n")
        self.assertEqual("".join(e["data"] for e in live if e["type"] == "stderr"), "two\n")
        end = live[-1]
        self.assertEqual((end["type"], end["verdict"], end["exit_code"]), ("end", "succeeded", 0))
        record = self.record(run)
        self.assertEqual(record["stdout"], "one\nthree\n")
        for name in ("verdict", "reason", "exit_code", "usage"):
            self.assertEqual(record[name], end[name])
        self.crash()
        stored = self.events(run)
        for event in live + stored:
            if event.get("state") == "finished" or event["type"] == "end":
                event["t"] = 0  # what was stored was stored before the end was told
        self.assertEqual(stored, [event for event in live if event["type"] != "usage"])
        self.assertEqual([event["n"] for event in self.events(run, after=3)],
                         [event["n"] for event in stored if event["n"] > 3])
        self.assertEqual([event["type"] for event in self.events(run, after=1000)], ["end"])
        events, code = self.attach(run, "?from=2").until_closed()
        self.assertEqual(([event["n"] for event in events], code),
                         ([event["n"] for event in stored[1:]], 1000))
        self.assertEqual(self.record(run), record)

    def test_a_nul_is_there_in_bytes_also_from_the_store(self):
        run = self.start(r"printf 'a\0b\xff'")
        self.wait_for_end(run)
        self.assertEqual(self.bytes_of(run), b"a\0b\xff")
        self.crash()
        self.assertEqual(self.bytes_of(run), b"a\0b" + "\ufffd".encode())

    def test_a_record_says_what_it_lacks(self):
        size = 5 << 20
        run = self.start(f"print('x' * {size}, end='')", "python")
        said = sum(len(event["data"]) for event in self.events(run) if event["type"] == "stdout")
        self.assertEqual(said, size)
        record = self.wait_for_end(run)
        self.assertLess(len(record["stdout"]), size)
        self.assertEqual(len(record["stdout"]) + record.get("lost_bytes", 0), size)
        self.assertNotIn("lost_bytes", self.run_it("print(1)"))

    def test_the_end_of_one_that_nobody_saw_end_is_behind_what_a_client_has(self):
        run = self.start("echo begun; sleep 100", on_disconnect="continue")
        last = self.peek(run)[-1]["n"]
        self.crash()
        ends = [self.events(run, after=last)[0], self.attach(run, f"?from={last + 1}").json()]
        self.assertEqual([(end["n"], end["type"], end["verdict"]) for end in ends],
                         [(last + 1, "end", "internal_error")] * 2)
        self.assertEqual([end["n"] for end in self.events(run)], [1])

    def test_they_resume_behind_the_last_one(self):
        run = self.start("for i in 1 2 3; do echo $i; sleep 0.1; done")
        every = self.events(run)
        for last in (1, 3, len(every) - 1):
            self.assertEqual(self.events(run, after=last), every[last:])

    def test_a_record_says_how_far_it_is(self):
        answer = self.post({"language": "bash", "code": "read x"}, "?wait=false")
        record = answer.json()
        self.assertEqual((answer.status, record["verdict"], record["exit_code"], record["reason"]),
                         (201, None, None, None))
        self.assertIn(record["status"], ("queued", "preparing", "running", "waiting"))
        wait_until("it runs", lambda: self.record(record["id"])["status"] == "running")
        self.ask("DELETE", f"/v1/runs/{record['id']}")
        self.assertEqual(self.wait_for_end(record["id"])["status"], "killed")

    def test_one_that_was_left_goes_on_if_it_is_told_to(self):
        run = self.start("sleep 2; echo done", on_disconnect="continue", disconnect_grace_ms=1)
        left = self.start("sleep 2; echo done", disconnect_grace_ms=1)
        for one in (run, left):
            self.attach(one).socket.close()
        self.assertEqual(self.wait_for_end(run)["verdict"], "succeeded")
        self.assertEqual(self.wait_for_end(left)["verdict"], "cancelled")

    def test_who_waits_and_leaves_ends_it(self):
        with self.assertRaises(OSError):
            self.post({"language": "bash", "code": "sleep 9", "metadata": {"who": "left"}},
                      timeout=0.5)

        def ended():
            found = self.ask("GET", "/v1/runs?metadata=who:left").json()["runs"]
            return found and found[0]["verdict"]
        self.assertEqual(wait_until("it ends", ended), "cancelled")

    def test_a_run_keeps_what_it_said_before_it_was_cancelled(self):
        run = self.start("echo said; sleep 100")
        wait_until("it has said it", lambda: "said" in str(self.peek(run)))
        self.ask("DELETE", f"/v1/runs/{run}")
        record = self.wait_for_end(run)
        self.assertEqual((record["stdout"], record["status"], record["verdict"]),
                         ("said\n", "killed", "cancelled"))

    def test_a_slow_reader_gets_all_of_it(self):
        """The Close of a WebSocket overtakes nothing."""
        run = self.start("import sys; sys.stdout.write('x' * 1500000)", "python")
        with mock.patch("websocket.socket.create_connection", connect_small):
            slow = self.attach(run)
        time.sleep(1)
        events, code = slow.until_closed()
        self.assertEqual((events[-1]["type"], code), ("end", 1000))
        said = sum(len(event["data"]) for event in events if event["type"] == "stdout")
        self.assertEqual(said + sum(event.get("lost_bytes", 0) for event in events), 1500000)

    def test_stored_ones_are_refused_only_when_they_are_long(self):
        """While slow clients hold as much as one key's may."""
        long = self.run_it("print('\\0' * 1000000)")["id"]  # six million bytes of JSON
        short = self.run_it("print(1)")["id"]
        self.crash()
        slow = [self.take_nothing_of(f"/v1/runs/{long}") for _ in range(12)]
        answer = self.ask("GET", f"/v1/runs/{long}/events")
        self.assertEqual((answer.status, answer.headers["retry-after"]), (503, "1"))
        self.assertEqual(self.events(short)[-1]["type"], "end")
        for one in slow:
            one.close()
        wait_until("there is room",
                   lambda: self.ask("GET", f"/v1/runs/{long}/events").status == 200)

    def take_nothing_of(self, path):
        slow = connect_small(("127.0.0.1", self.service.port), 60)
        slow.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
                     f"Authorization: Bearer {KEY}\r\n\r\n".encode())
        self.assertEqual(slow.recv(12), b"HTTP/1.1 200")
        return slow

    def peek(self, run):
        with self.attach(run) as stream:
            return [stream.json() for _ in range(4)]

    def attach(self, run, query="", **headers):
        return WebSocket(self.service.port, f"/v1/runs/{run}/stream{query}",
                         Authorization=f"Bearer {KEY}", **headers)

    def bytes_of(self, run):
        """All output, as the program wrote it."""
        said = b""
        with self.attach(run, Sec_WebSocket_Protocol="runnel.bytes") as stream:
            while True:
                opcode, payload = stream.receive()
                if opcode == CLOSE:
                    return said
                said += payload[9:] if opcode == BINARY else b""

    def crash(self):
        """What the store alone knows afterwards."""
        killed = self.service.front()
        os.kill(killed, signal.SIGKILL)
        wait_until("it serves again",
                   lambda: self.service.front() not in (None, killed) and self.service.answers())

    @classmethod
    def tearDownClass(cls):
        cls.service.close()  # a front was killed: its log says so


class Delete(Contract):
    flags = ("--concurrency=1", "--shutdown-grace=0s")

    def test_in_each_state(self):
        running = self.start("sleep 100")
        queued = self.start("sleep 100")
        wait_until("it runs", lambda: self.record(running)["status"] == "running")
        self.assertEqual(self.record(queued)["status"], "queued")
        for run in (queued, running):
            answer = self.ask("DELETE", f"/v1/runs/{run}")
            self.assertEqual(answer.status, 202, answer)
            self.assertEqual(answer.json()["id"], run)
            self.assertEqual(self.wait_for_end(run)["verdict"], "cancelled")
        compiling = self.start("int main(void) { return 0; }", "c")
        self.assertIn(self.ask("DELETE", f"/v1/runs/{compiling}").status, (202, 204))
        for run in (queued, running):
            self.assertEqual(self.ask("DELETE", f"/v1/runs/{run}").status, 204)
            for method, path in (("GET", ""), ("GET", "/events"), ("DELETE", "")):
                self.assertEqual(self.ask(method, f"/v1/runs/{run}{path}").error()[:2],
                                 (404, "run not found"))
        listed = [run["id"] for run in self.ask("GET", "/v1/runs").json()["runs"]]
        self.assertFalse({queued, running} & set(listed))

    def test_a_cancel_alone_forgets_nothing(self):
        run = self.start("echo said; sleep 100")
        path = f"/v1/runs/{run}?only=cancel"
        wait_until("it runs", lambda: self.record(run)["status"] == "running")
        for key in (OTHER, "nobody's"):
            self.assertIn(self.ask("DELETE", path, key=key).status, (401, 404))
        self.assertEqual(self.ask("DELETE", path).status, 202)
        record = self.wait_for_end(run)
        for _ in range(3):
            answer = self.ask("DELETE", path)
            self.assertEqual((answer.status, answer.json()), (200, record))
        self.assertEqual(self.ask("DELETE", path, key=OTHER).status, 404)
        self.assertEqual(self.ask("DELETE", f"/v1/runs/{run}?only=x").error(),
                         (400, "only must be cancel", "only"))
        self.assertEqual(self.record(run), record)
        self.assertEqual(self.ask("DELETE", f"/v1/runs/{run}").status, 204)
        self.assertEqual(self.ask("DELETE", path).status, 404)
        self.assertEqual(self.ask("DELETE", "/v1/runs/run_0?only=cancel").status, 404)

    def test_twice_at_once_ends_it_once(self):
        run = self.start("sleep 100")
        statuses = [self.ask("DELETE", f"/v1/runs/{run}").status for _ in range(2)]
        self.assertEqual(statuses[0], 202)
        self.assertIn(statuses[1], (202, 204))

    def test_what_a_forgotten_run_left_goes_with_it(self):
        record = self.run_it("open('outputs/x', 'w').write('x')")
        artifact = record["artifacts"][0]
        link = artifact["url"][artifact["url"].index("/v1"):]
        self.assertEqual(self.ask("GET", link, key=None).status, 200)
        self.assertEqual(self.ask("DELETE", f"/v1/runs/{record['id']}").status, 204)
        self.assertEqual(self.ask("GET", link, key=None).error()[:2], (404, "artifact not found"))
        wait_until("its content goes", lambda: artifact["id"] not in os.listdir(
            os.path.join(self.service.storage(), "files")))


if __name__ == "__main__":
    unittest.main()
