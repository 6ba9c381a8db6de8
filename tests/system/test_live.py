# SPDX-License-Identifier: MIT
"""Runs that are talked to while they run: /v1/runs over WebSocket and SSE."""

import http.client
import json
import os
import pathlib
import statistics
import time
import unittest

from live import ASKS, Live
from service import BOUND_S, Service, descendants, wait_until
from websocket import BINARY, TEXT, Closed, Refused, WebSocket


FORGER = """
import fcntl, os, select, termios
for name, number in (("STI", termios.TIOCSTI), ("CONS", termios.TIOCCONS), ("LINUX", 0x541C),
                     ("SCTTY", termios.TIOCSCTTY)):
    try:
        fcntl.ioctl(0, number, b"x" if name == "STI" else b"\\x03")
        print(name, "works")
    except OSError:
        print(name, "refused")
print("something" if select.select([0], [], [], 0.2)[0] else "nothing", "to read")
with open("/dev/tty", "wb", 0) as terminal:
    print("own" if os.isatty(0) and os.tcgetpgrp(terminal.fileno()) == os.getpgrp() else "foreign",
          "terminal")
print("done")
"""


class Runs(Live):
    def test_one_that_is_waited_for_tells_everything_at_once(self):
        status, record = self.service.request("POST", "/v1/runs", {
            "language": "python", "stdin": "in\n", "args": ["a", "b"], "env": {"X": "y"},
            "files": [{"path": "data/b.txt", "content": "from a file"}],
            "code": "import os, sys\nprint(sys.argv[1:], os.environ['X'], "
                    "open('data/b.txt').read(), input())\nsys.exit(3)"})
        self.assertEqual((status, record["status"], record["verdict"], record["exit_code"]),
                         (200, "failed", "failed", 3))
        self.assertEqual(record["stdout"], "['a', 'b'] y from a file in\n")
        self.assertEqual(self.record(record["id"])["stdout"], record["stdout"])

    def test_a_program_asks_and_is_answered(self):
        socket = self.attach(self.start("python", ASKS))
        self.assertEqual(self.read_until(socket, "? "), "name? ")
        socket.send_json({"type": "input", "data": "Ada\n"})
        events, code = socket.until_closed()
        self.assertEqual("".join(e["data"] for e in events if e["type"] == "stdout"), "hello Ada\n")
        self.assertEqual((events[-1]["type"], events[-1]["verdict"], code), ("end", "succeeded", 1000))

    def test_events_are_numbered_without_a_hole_and_may_be_read_again_from_any(self):
        run = self.start(code="echo one; echo two >&2; echo three")
        events, _ = self.attach(run).until_closed()
        self.assertEqual([event["n"] for event in events], list(range(1, len(events) + 1)))
        for first in (2, len(events)):
            again, code = self.attach(run, f"?from={first}").until_closed()
            self.assertEqual((again, code), (events[first - 1:], 1000))

    def test_readers_see_the_same_and_each_may_write(self):
        run = self.start()
        readers = [self.attach(run) for _ in range(3)]
        for number, reader in enumerate(readers):
            reader.send_json({"type": "input", "data": f"{number}\n"})
            for other in readers:
                self.assertEqual(self.read_until(other, "\n"), f"{number}\n")
        readers[0].send_json({"type": "eof"})
        ends = [reader.until_closed()[0][-1] for reader in readers]
        self.assertEqual({end["verdict"] for end in ends}, {"succeeded"})

    def test_server_sent_events_resume_behind_the_last_one(self):
        run = self.start(code="echo one; echo two")
        self.wait_for_attach(run)

        def events(**headers):
            _, head, body = self.service.request_raw("GET", f"/v1/runs/{run}/events",
                                                     headers=headers)
            self.assertEqual(head["Content-Type"], "text/event-stream")
            blocks = [dict(line.split(": ", 1) for line in block.split("\n"))
                      for block in body.decode().strip().split("\n\n")]
            for block in blocks:
                data = json.loads(block["data"])
                self.assertEqual((block["id"], block["event"]), (str(data["n"]), data["type"]))
            return [block["data"] for block in blocks]
        every = events()
        self.assertIn('"type":"end"', every[-1])
        self.assertEqual(events(**{"Last-Event-ID": "3"}), every[3:])

    def wait_for_attach(self, run):
        self.attach(run).until_closed()

    def test_server_sent_events_come_as_they_happen(self):
        run = self.start()
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=BOUND_S)
        connection.request("GET", f"/v1/runs/{run}/events")
        answer = connection.getresponse()
        socket = self.attach(run)

        def next_output():
            while True:
                line = answer.readline().decode()
                if line.startswith("data: ") and '"stdout"' in line:
                    return json.loads(line[6:])["data"]
        for text in ("one\n", "two\n"):
            socket.send_json({"type": "input", "data": text})
            self.assertEqual(next_output(), text)
        socket.send_json({"type": "cancel"})
        self.assertIn(b'"cancelled"', answer.read())
        connection.close()

    def test_bytes_pass_unaltered_by_the_subprotocol(self):
        socket = self.attach(self.start(code="cat"), Sec_WebSocket_Protocol="other, runnel.bytes")
        self.assertIn("Sec-WebSocket-Protocol: runnel.bytes", socket.head)
        every = bytes(range(256)) * 4
        socket.send(BINARY, every)
        got = b""
        while len(got) < len(every):
            opcode, payload = socket.receive()
            if opcode == BINARY:
                self.assertEqual(payload[0], 1)
                got += payload[9:]
        self.assertEqual(got, every)
        socket.send_json({"type": "eof"})
        self.assertEqual(self.last_of(socket)["verdict"], "succeeded")

    @staticmethod
    def last_of(socket):
        last = None
        try:
            while True:
                last = json.loads(socket.message())
        except Closed:
            return last

    def test_nul_and_half_a_character_are_typed_as_any_other(self):
        socket = self.attach(self.start(code="head -n 1 | od -An -tx1"))
        socket.send_json({"type": "input", "data": "\ud83d\0\n"})
        self.read_until(socket, "ef bf bd 00 0a")

    def test_a_key_is_echoed_at_once(self):
        """Not after an acknowledgement that comes 40 ms late: ten times less is usual."""
        socket = self.attach(self.start(code="stty raw -echo; echo ready; exec cat", tty=True))
        self.read_until(socket, "ready")
        took = []
        for _ in range(40):
            began = time.monotonic()
            socket.send_json({"type": "input", "data": "x"})
            self.read_until(socket, "x")
            took.append(time.monotonic() - began)
        self.assertLess(statistics.median(took), 0.02)

    def test_a_terminal_has_a_size_and_keys(self):
        socket = self.attach(self.start(
            code="trap 'stty size' WINCH; trap 'echo bye; exit 3' INT; stty size; "
                 "while :; do sleep 0.05; done", tty=True, columns=100, rows=30))
        self.assertEqual(self.read_until(socket, "\n"), "30 100\r\n")
        socket.send_json({"type": "resize", "columns": 40, "rows": 10})
        self.assertEqual(self.read_until(socket, "\n"), "10 40\r\n")
        socket.send_json({"type": "input", "data": "\x03"})
        self.read_until(socket, "bye")
        self.assertEqual(socket.until_closed()[0][-1]["exit_code"], 3)

    def test_a_program_cannot_type_into_its_own_terminal(self):
        """What it would type could be read by whoever has the terminal after it."""
        socket = self.attach(self.start("python", FORGER, tty=True))
        said = self.read_until(socket, "done")
        for call in ("STI", "SCTTY", "CONS", "LINUX"):
            self.assertIn(f"{call} refused", said)
        self.assertIn("nothing to read", said)
        self.assertIn("own terminal", said)
        self.assertEqual(socket.until_closed()[0][-1]["verdict"], "succeeded")

    def test_what_it_uses_is_told_while_it_runs(self):
        socket = self.attach(self.start("python", "x = 'x' * 30000000\nwhile True: pass"))
        seen = []
        while len(seen) < 2:
            event = socket.json()
            if event["type"] == "usage":
                seen.append(event)
        self.assertGreater(seen[-1]["cpu_ms"], seen[0]["cpu_ms"])
        self.assertGreater(seen[-1]["memory_bytes"], 25000000)

    def test_waiting_is_told_and_is_over_with_the_input(self):
        socket = self.attach(self.start("python", "import time\ntime.sleep(0.5)\nprint(input())\n"))
        states = []
        while "waiting" not in states:
            event = socket.json()
            states += [event["state"]] if event["type"] == "state" else []
        self.assertEqual(states, ["queued", "preparing", "running", "waiting"])
        socket.send_json({"type": "input", "data": "x\n"})
        events, _ = socket.until_closed()
        self.assertEqual([e["state"] for e in events if e["type"] == "state"], ["running", "finished"])

    def test_a_signal_reaches_the_program(self):
        socket = self.attach(self.start(
            code="trap 'echo got it; exit 4' TERM; echo ready; while :; do sleep 0.05; done"))
        self.read_until(socket, "ready\n")
        socket.send_json({"type": "signal", "signal": "TERM"})
        self.read_until(socket, "got it")
        self.assertEqual(socket.until_closed()[0][-1]["exit_code"], 4)

    def test_a_signal_to_a_program_that_has_just_started_is_not_lost(self):
        lost = []
        for turn in range(100):
            socket = self.attach(self.start(code="exec sleep 60"))
            while turn % 2 == 0 and socket.json().get("state") != "running":
                pass  # every other one is signalled before
            socket.send_json({"type": "signal", "signal": "TERM"})
            end = socket.until_closed()[0][-1]
            lost += [(turn, end)] if end["signal"] != 15 else []
        self.assertEqual(lost, [])

    def test_cancel_ends_it_now_for_everybody(self):
        run = self.start(code="while :; do :; done")
        sockets = [self.attach(run), self.attach(run)]
        sockets[0].send_json({"type": "cancel"})
        for socket in sockets:
            self.assertEqual(socket.until_closed()[0][-1]["verdict"], "cancelled")
        run = self.start(code="sleep 300")
        self.assertEqual(self.service.request("DELETE", f"/v1/runs/{run}")[0], 202)
        self.assertEqual(self.wait_for_end(run)["status"], "killed")

    def test_what_makes_no_sense_is_told_and_changes_nothing(self):
        socket = self.attach(self.start())
        rows = [
            ({"type": "bogus"}, "type"), ({"type": 5}, "type"), ({}, "type"),
            ({"type": "input", "data": 5}, "data"), ({"type": "signal", "signal": "SEGV"}, "signal"),
            ({"type": "resize", "columns": 0, "rows": 1}, "columns"),
            ({"type": "resize", "columns": 80, "rows": 100000}, "rows"),
        ]
        for message, field in rows:
            socket.send_json(message)
            self.assertEqual(self.next_error(socket)["field"], field, message)
        for text in (b"{", b"[]", b"\"input\"", b"{\"type\":\"input\",\"type\":\"eof\"}"):
            socket.send(TEXT, text)
            self.assertEqual(self.next_error(socket)["code"], "invalid_request")
        socket.send_json({"type": "input", "data": "still here\n"})
        self.assertEqual(self.read_until(socket, "\n"), "still here\n")

    @staticmethod
    def next_error(socket):
        while True:
            event = socket.json()
            if event["type"] == "error":
                return event

    def test_input_to_one_that_has_closed_its_input_is_told(self):
        socket = self.attach(self.start(code="cat; sleep 300"))
        socket.send_json({"type": "eof"})
        socket.send_json({"type": "input", "data": "late\n"})
        self.assertEqual(self.next_error(socket)["code"], "conflict")

    def test_ids_that_do_not_exist_are_not_found(self):
        for path in ("/v1/runs/x", "/v1/runs/x/events", "/v1/runs/x/stream"):
            self.assertEqual(self.service.request("GET", path)[0], 404)
        with self.assertRaises(Refused) as refused:
            self.attach("x")
        self.assertEqual(refused.exception.status, 404)

    def test_wrong_fields_are_named_and_nothing_runs(self):
        rows = {
            "language": {"code": "x"}, "code": {"language": "bash"},
            "tty": {"language": "bash", "code": "x", "tty": "yes"},
            "columns": {"language": "bash", "code": "x", "columns": 5000},
            "env": {"language": "bash", "code": "x", "env": {"A": 1}},
            "args": {"language": "bash", "code": "x", "args": [1]},
            "files": {"language": "bash", "code": "x", "files": [5]},
            "on_disconnect": {"language": "bash", "code": "x", "on_disconnect": "maybe"},
            "disconnect_grace_ms": {"language": "bash", "code": "x", "disconnect_grace_ms": -1},
        }
        for field, body in rows.items():
            for query in ("", "?wait=false"):
                status, answer = self.service.request("POST", "/v1/runs" + query, body)
                self.assertEqual((status, answer.get("field")), (400, field), answer)

    def test_languages_are_told_with_a_sample(self):
        languages = self.service.request("GET", "/v1/languages")[1]["languages"]
        python = next(one for one in languages if one["name"] == "python")
        self.assertTrue(python["installed"])
        self.assertIn("input(", python["sample"])

        def version():
            languages = self.service.request("GET", "/v1/languages")[1]["languages"]
            return next(one["version"] for one in languages if one["name"] == "python")
        self.assertRegex(wait_until("python's version is known", version), r"^3\.")


class Disconnect(Live):
    def test_one_whose_last_client_leaves_is_killed_after_the_grace(self):
        run = self.start(code="sleep 300", disconnect_grace_ms=300)
        first, second = self.attach(run), self.attach(run)
        first.socket.close()
        time.sleep(1)
        self.assertIsNone(self.record(run)["verdict"], "there is another client")
        second.socket.close()
        self.assertEqual(self.wait_for_end(run)["verdict"], "cancelled")

    def test_one_that_comes_back_in_time_finds_it_running(self):
        run = self.start(code="echo hello; sleep 300", disconnect_grace_ms=5000)
        self.attach(run).socket.close()
        time.sleep(0.3)
        socket = self.attach(run)
        self.assertEqual(self.read_until(socket, "\n"), "hello\n")
        socket.send_json({"type": "cancel"})
        socket.until_closed()

    def test_one_that_is_to_go_on_goes_on(self):
        run = self.start(code="sleep 1; echo done", on_disconnect="continue", disconnect_grace_ms=1)
        self.attach(run).socket.close()
        self.assertEqual(self.wait_for_end(run)["stdout"], "done\n")

    def test_a_client_that_waits_and_leaves_ends_its_run(self):
        before = set(descendants(self.service.spawner()))
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=BOUND_S)
        connection.request("POST", "/v1/runs", json.dumps({"language": "bash", "code": "sleep 300"}),
                           {"content-type": "application/json"})
        wait_until("it runs", lambda: len(set(descendants(self.service.spawner())) - before) >= 2)
        connection.close()
        wait_until("it is gone", lambda: not set(descendants(self.service.spawner())) - before)


class Load(Live):
    def memory_kib(self):
        text = pathlib.Path(f"/proc/{self.service.front()}/status").read_text(encoding="ascii")
        return int(text.split("VmRSS:")[1].split()[0])

    def test_a_reader_that_does_not_read_holds_its_program_and_nobody_else(self):
        run = self.start(code="yes")
        reader = self.attach(run)
        time.sleep(1)
        memory = self.memory_kib()
        for _ in range(5):
            self.assertTrue(self.service.runs())
            time.sleep(0.2)
        self.assertLess(self.memory_kib() - memory, 20 * 1024)
        reader.send_json({"type": "cancel"})
        self.assertEqual(reader.until_closed()[0][-1]["verdict"], "cancelled")

    def test_hundreds_of_idle_sockets_are_given_back(self):
        run = self.start(disconnect_grace_ms=600000)
        front = self.service.front()

        def descriptors():
            return len(os.listdir(f"/proc/{front}/fd"))
        before = descriptors()
        sockets = [self.attach(run) for _ in range(300)]
        held = descriptors()
        sockets[0].send_json({"type": "input", "data": "all\n"})
        for socket in sockets:
            self.assertEqual(self.read_until(socket, "\n"), "all\n")
        for socket in sockets:
            socket.socket.close()
        # The connection of the start may have been counted before, too.
        wait_until("the sockets are given back", lambda: descriptors() <= min(before, held - 300))

    def test_a_service_that_stops_tells_its_clients(self):
        with Service("--shutdown-grace=0s") as service:
            run = service.request("POST", "/v1/runs?wait=false",
                                  {"language": "bash", "code": "sleep 300"})[1]["id"]
            with WebSocket(service.port, f"/v1/runs/{run}/stream") as socket:
                while socket.json().get("state") != "running":
                    pass
                service.process.terminate()
                events, code = socket.until_closed()
                self.assertEqual((events[-1]["verdict"], code), ("cancelled", 1000))
                self.assertEqual(service.process.wait(BOUND_S), 0)


if __name__ == "__main__":
    unittest.main()
