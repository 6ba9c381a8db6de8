# SPDX-License-Identifier: MIT
"""The WebSocket: lines of jobs, from the first one on, whenever somebody comes."""

import json
import time
import unittest

from place import Jobs, Place, Refused, WebSocket, is_silent, lines, seconds_since

ONE, TWO = "sk_one_0123456789", "sk_two_0123456789"


class Lines(Jobs):
    def test_both_streams_line_by_line_with_the_rest_at_the_end(self):
        job_id = self.place.submit("python", "import sys,time\nprint('one\\n\\ntwo')\n"
                                   "sys.stdout.flush()\nprint('bad', file=sys.stderr)\n"
                                   "print('no newline', end='')")
        with self.place.follow(job_id) as socket:
            self.assertEqual(lines(socket, 5),
                             [("stdout", "one"), ("stdout", ""), ("stdout", "two"),
                              ("stderr", "bad"), ("stdout", "no newline")])
            self.assertTrue(is_silent(socket), "nothing is said of the end, and nobody closes")

    def test_a_line_comes_when_it_is_printed(self):
        job_id = self.place.submit("bash", "echo first; sleep 3; echo second")
        with self.place.follow(job_id) as socket:
            start = time.monotonic()
            self.assertEqual(lines(socket, 1), [("stdout", "first")])
            self.assertLess(seconds_since(start), 2.5)
            self.assertEqual(self.place.job(job_id)["status"], "submitted")
            self.assertEqual(lines(socket, 1), [("stdout", "second")])

    def test_who_comes_late_gets_the_same_with_the_same_times(self):
        job_id = self.place.submit("bash", "for i in 1 2 3; do echo $i; sleep 0.1; done")
        with self.place.follow(job_id) as early:
            first = [json.loads(early.message()) for _ in range(3)]
        self.place.ended(job_id)
        with self.place.follow(job_id) as late:
            self.assertEqual([json.loads(late.message()) for _ in range(3)], first)
        self.assertEqual(len({message["data"]["timestamp"] for message in first}), 3)

    def test_the_path_says_nothing(self):
        job_id = self.place.run("bash", "echo x")["job_id"]
        for path in ("/", "/stream", "/stream/", "/stream/other", "/any/where?x=1", "/ws", "/health/x"):
            with self.subTest(path), self.place.follow(job_id, path) as socket:
                self.assertEqual(lines(socket, 1), [("stdout", "x")])

    def test_other_listeners_have_only_the_known_path(self):
        port = self.place.service.port
        job_id = self.place.run("bash", "echo x")["job_id"]
        with WebSocket(port, f"/stream/{job_id}") as socket:
            socket.send_json({"type": "subscribe", "job_id": job_id})
            self.assertEqual(lines(socket, 1), [("stdout", "x")])
        with self.assertRaises(Refused) as refused:
            WebSocket(port, "/any/where")
        self.assertEqual(refused.exception.status, 404)

    def test_other_dialects_keep_their_sockets_on_this_listener(self):
        _, run = self.place.service.request("POST", "/v1/runs?wait=false",
                                            {"language": "bash", "code": "echo x"})
        with WebSocket(self.place.port, f"/v1/runs/{run['id']}/stream") as socket:
            self.assertEqual(socket.until_closed()[0][-1]["type"], "end")
        with self.assertRaises(Refused) as refused:
            WebSocket(self.place.port, "/ws/session/nope")
        self.assertEqual(refused.exception.status, 404)

    def test_unsubscribe_and_subscribe_again(self):
        job_id = self.place.submit("bash", "echo one; sleep 1; echo two; sleep 1; echo three")
        with self.place.follow(job_id) as socket:
            self.assertEqual(lines(socket, 1), [("stdout", "one")])
            socket.send_json({"type": "unsubscribe", "job_id": job_id})
            self.place.ended(job_id)
            self.assertTrue(is_silent(socket))
            socket.send_json({"type": "subscribe", "job_id": job_id})
            self.assertEqual([line for _, line in lines(socket, 3)], ["one", "two", "three"])

    def test_twice_subscribed_is_once(self):
        job_id = self.place.submit("bash", "sleep 0.5; echo x")
        with self.place.follow(job_id) as socket:
            for _ in range(3):
                socket.send_json({"type": "subscribe", "job_id": job_id})
            self.assertEqual(lines(socket, 1), [("stdout", "x")])
            self.assertTrue(is_silent(socket))

    def test_several_jobs_over_one_socket(self):
        ids = [self.place.submit("bash", f"sleep 0.{number}; echo {number}") for number in range(3)]
        with self.place.socket() as socket:
            for job_id in ids:
                socket.send_json({"type": "subscribe", "job_id": job_id})
            said = [json.loads(socket.message())["data"] for _ in ids]
        self.assertEqual({data["job_id"]: data["line"] for data in said},
                         {job_id: str(number) for number, job_id in enumerate(ids)})

    def test_more_jobs_than_a_socket_may_follow_are_passed_over(self):
        ids = [self.place.submit("bash", f"sleep 2; echo {number}") for number in range(18)]
        with self.place.socket() as socket:
            for job_id in ids:
                socket.send_json({"type": "subscribe", "job_id": job_id})
            said = {json.loads(socket.message())["data"]["job_id"] for _ in range(16)}
            self.assertEqual(said, set(ids[:16]))
            self.assertTrue(is_silent(socket, 1))

    def test_what_is_not_understood_is_passed_over(self):
        job_id = self.place.submit("bash", "sleep 1; echo x")
        with self.place.socket() as socket:
            for text in (b"", b"x", b"{", b"5", b"[]", b"{}", b'{"type":5}', b'{"type":"subscribe"}',
                         b'{"type":"subscribe","job_id":5}', b'{"type":"subscribe","job_id":""}',
                         b'{"type":"subscribe","job_id":"../x"}', b'{"type":"ping","job_id":"x"}',
                         b'{"type":"subscribe","job_id":"' + b"x" * 1000 + b'"}',
                         b'{"type":"subscribe","job_id":"nope"}',
                         b'{"type":"unsubscribe","job_id":"nope"}', b"\x00"):
                socket.send(1, text)
            socket.send(2, b"\xff\x00")
            socket.send_json({"type": "subscribe", "job_id": job_id})
            self.assertEqual(lines(socket, 1), [("stdout", "x")])

    def test_a_message_that_is_too_long_ends_the_socket(self):
        with self.place.socket() as socket:
            socket.send(1, b"x" * (65 << 10))
            self.assertEqual(socket.until_closed()[1], 1009)

    def test_a_long_line_comes_in_several(self):
        job_id = self.place.submit("python", "print('€' * 60000)")
        with self.place.follow(job_id) as socket:
            said = lines(socket, 3)
            self.assertEqual("".join(line for _, line in said), "€" * 60000)
            self.assertTrue(all(len(line.encode()) <= 65536 for _, line in said))

    def test_returns_before_newlines_are_not_of_the_line(self):
        job_id = self.place.submit("bash", r"printf 'a\r\nb\rc\r\n'")
        with self.place.follow(job_id) as socket:
            self.assertEqual(lines(socket, 2), [("stdout", "a"), ("stdout", "b\rc")])

    def test_what_a_compiler_says_comes_too(self):
        job_id = self.place.submit("c", "int main(void) { return x; }")
        with self.place.follow(job_id) as socket:
            stream, line = lines(socket, 1)[0]
            self.assertEqual(stream, "stderr")
            self.assertIn("main.c", line)

    def test_a_page_from_elsewhere_is_refused(self):
        for path in ("/stream/x", "/any/where"):
            with self.assertRaises(Refused) as refused:
                self.place.socket(path, Origin="https://evil.example")
            self.assertEqual(refused.exception.status, 403)
        self.place.socket("/stream/x", Origin="http://localhost:3000").socket.close()

    def test_without_a_websocket_the_path_is_none(self):
        self.assertGreaterEqual(self.place.ask("GET", "/stream/x").status, 400)
        self.assertEqual(self.place.ask("GET", "/any/where").status, 404)


class Order(Jobs):
    """The status turns when the lines are there."""

    def test_a_status_that_is_terminal_comes_behind_the_last_line(self):
        """Whoever reads of the end, and looks at his socket then, has all of it there."""
        for round_ in range(30):
            job_id = self.place.submit("bash", "for i in 1 2 3 4 5 6 7 8 9; do echo $i; done; printf 10")
            with self.place.follow(job_id) as socket:
                while self.place.job(job_id)["status"] not in ("completed", "failed"):
                    pass
                socket.socket.settimeout(1)
                self.assertEqual([line for _, line in lines(socket, 10)],
                                 [str(number) for number in range(1, 11)], f"round {round_}")

    def test_one_who_takes_nothing_is_waited_for_a_while_and_not_for_ever(self):
        job_id = self.place.submit("bash", "seq 150000")
        socket = self.place.socket()
        socket.send_json({"type": "subscribe", "job_id": job_id})
        self.place.until_state(job_id, "running", "finished")
        time.sleep(1)
        job = self.place.job(job_id)
        self.assertEqual((job["status"], job["state"]), ("submitted", "running"))
        start = time.monotonic()
        self.assertEqual(self.place.ended(job_id)["status"], "completed")
        self.assertLess(seconds_since(start), 12)
        said = [line for _, line in lines(socket, 150000)]
        self.assertEqual(said, [str(number) for number in range(1, 150001)])
        socket.socket.close()

    def test_one_who_leaves_holds_nothing_up(self):
        job_id = self.place.submit("bash", "seq 150000")
        socket = self.place.socket()
        socket.send_json({"type": "subscribe", "job_id": job_id})
        self.place.until_state(job_id, "running", "finished")
        socket.socket.close()
        start = time.monotonic()
        self.place.ended(job_id)
        self.assertLess(seconds_since(start), 4)


class Owners(Jobs):
    env = {"API_KEYS": f"{ONE}:one:1000:1000,{TWO}:two:1000:1000"}

    def test_a_socket_needs_a_key_whatever_its_path(self):
        for path in ("/", "/stream/x", "/any/where"):
            with self.assertRaises(Refused) as refused:
                self.place.socket(path)
            self.assertEqual(refused.exception.status, 401)

    def test_nobody_hears_anothers_lines(self):
        job_id = self.place.submit("bash", "echo secret",
                                   headers={"Authorization": f"Bearer {ONE}"})
        for key, hears in ((TWO, False), (ONE, True)):
            with self.place.socket("/", Authorization=f"Bearer {key}") as socket:
                socket.send_json({"type": "subscribe", "job_id": job_id})
                if hears:
                    self.assertEqual(lines(socket, 1), [("stdout", "secret")])
                else:
                    self.assertTrue(is_silent(socket, 1))


class Component:
    """The page's component: it submits, follows, and polls each second, for a minute at most; it
    closes its socket as soon as it reads of the end."""

    def __init__(self, place):
        self.place, self.shown = place, []

    def run(self, language, code, period_s=1.0):
        answer = self.place.post({"language": language, "source_code": code,
                                  "workspace_id": "web-editor"}, Origin="http://localhost:3000")
        if not 200 <= answer.status < 300:
            return f"Error: HTTP {answer.status}"
        job_id = answer.json()["job_id"]
        socket = self.place.socket(f"/stream/{job_id}", Origin="http://localhost:3000")
        socket.send_json({"type": "subscribe", "job_id": job_id})
        try:
            end = time.monotonic() + 60
            while time.monotonic() < end:
                time.sleep(period_s)
                job = self.place.job(job_id)
                if job["status"] in ("completed", "failed") and job.get("result"):
                    return job["result"]
        finally:
            self._drain(socket)
        return None

    def _drain(self, socket):
        """What had come by the time it looks."""
        socket.socket.settimeout(0.05)
        try:
            while True:
                self.shown.append(json.loads(socket.message())["data"]["line"])
        except (OSError, TimeoutError):
            socket.socket.close()


class Page(Jobs):
    def test_it_shows_every_line_and_the_result(self):
        for language, code in (("python", "import time\nfor i in range(3):\n"
                                          "    print(i, flush=True); time.sleep(0.3)\nprint('last')"),
                               ("javascript", "for (let i = 0; i < 3; i++) console.log(i);"
                                              "process.stdout.write('last')")):
            with self.subTest(language):
                page = Component(self.place)
                result = page.run(language, code)
                self.assertEqual((result["exit_code"], page.shown), (0, ["0", "1", "2", "last"]))
                self.assertGreater(result["duration"], 0)
                self.assertEqual(result["output"].split(), page.shown)

    def test_a_line_right_before_the_end_is_not_lost(self):
        """Polled as fast as can be, so that some poll falls right behind the end."""
        for _ in range(10):
            page = Component(self.place)
            page.run("bash", "echo first; sleep 0.05; echo last; exit 4", period_s=0.002)
            self.assertEqual(page.shown, ["first", "last"])

    def test_a_refusal_has_its_status(self):
        self.assertEqual(Component(self.place).run("cobol", "x"), "Error: HTTP 400")


class Ends(unittest.TestCase):
    def test_a_service_ends_with_sockets_open(self):
        place = Place()
        job_id = place.submit("bash", "echo x; sleep 30")
        socket = place.follow(job_id)
        lines(socket, 1)
        start = time.monotonic()
        place.service.process.terminate()
        place.service.process.terminate()
        self.assertEqual(place.service.process.wait(30), 0)
        self.assertLess(seconds_since(start), 25)
        socket.socket.close()
        place.close()
