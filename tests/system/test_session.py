# SPDX-License-Identifier: MIT
"""Clients of POST /session, and their WebSocket."""

import http.client
import unittest

from live import ASKS, Live
from websocket import TEXT, Refused, WebSocket


class Sessions(Live):
    def begin(self, **fields):
        return self.service.request("POST", "/session", fields)

    def attach_to(self, session):
        socket = WebSocket(self.service.port, f"/ws/session/{session}")
        self.addCleanup(socket.socket.close)
        return socket

    def test_a_program_asks_and_is_answered_and_all_of_it_is_replayed(self):
        status, answer = self.begin(Language="python", CODE=ASKS + "import sys\n"
                                    "print('bad', file=sys.stderr)")
        self.assertEqual(status, 200)
        session = answer["sessionId"]
        socket = self.attach_to(session)
        self.assertEqual(socket.json()["type"], "state")
        said = ""
        while said != "name? ":
            said += socket.json().get("data", "")
        socket.send_json({"type": "other"})
        socket.send_json({"type": "input", "data": "Ada\n"})
        frames, code = socket.until_closed()
        self.assertEqual((frames[-1], code), ({"state": "finished", "type": "state"}, 1000))
        again, code = self.attach_to(session).until_closed()
        self.assertEqual("".join(f["data"] for f in again if f["type"] == "stdout"),
                         "name? hello Ada\n")
        self.assertEqual("".join(f["data"] for f in again if f["type"] == "stderr"), "bad\n")
        self.assertEqual((again[-1]["state"], code), ("finished", 1000))

    def test_a_compiler_s_word_is_stderr(self):
        session = self.begin(language="c", code="int main(")[1]["sessionId"]
        frames, _ = self.attach_to(session).until_closed()
        self.assertIn("error", "".join(f.get("data", "") for f in frames if f["type"] == "stderr"))
        self.assertEqual(frames[-1]["state"], "finished")

    def test_one_that_a_limit_ends_is_terminated(self):
        session = self.begin(language="bash", code="yes")[1]["sessionId"]
        frames, _ = self.attach_to(session).until_closed()
        self.assertEqual(frames[-1]["state"], "terminated")
        self.assertEqual(len("".join(f.get("data", "") for f in frames)), 1 << 20)

    def test_a_frame_that_is_no_json_deafens_and_output_goes_on(self):
        session = self.begin(language="bash", code="read -t 1 x; echo \"got $x\"")[1]["sessionId"]
        socket = self.attach_to(session)
        socket.send(TEXT, b"{not json")
        socket.send_json({"type": "input", "data": "late\n"})
        frames, _ = socket.until_closed()
        self.assertEqual("".join(f.get("data", "") for f in frames), "got \n")

    def test_nul_and_half_a_character_are_typed_as_any_other(self):
        """A page sends what a key or a cut emoji gave: JSON.stringify makes these of it."""
        for typed, seen in (("\0\n", "00 0a"), ("\ud83d\n", "ef bf bd 0a")):
            session = self.begin(language="bash", code="head -n 1 | od -An -tx1")[1]["sessionId"]
            socket = self.attach_to(session)
            socket.send_json({"type": "input", "data": typed})
            frames, _ = socket.until_closed()
            self.assertIn(seen, "".join(f.get("data", "") for f in frames))

    def test_errors_are_those_that_clients_know(self):
        for body in (b"", b"{", b"[]", b'{"language":5,"code":"x"}'):
            connection = http.client.HTTPConnection("127.0.0.1", self.service.port)
            connection.request("POST", "/session", body)
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.read()), (400, b'{"error":"invalid json"}'))
        self.assertEqual(self.begin(language="cobol", code="x")[0], 400)
        with self.assertRaises(Refused) as refused:
            self.attach_to("nobody")
        self.assertEqual((refused.exception.status, refused.exception.body),
                         (404, b'{"error":"session not found"}'))
        session = self.begin(language="bash", code="sleep 5")[1]["sessionId"]
        self.assertEqual(self.service.request_raw("GET", f"/ws/session/{session}")[::2],
                         (400, b"Bad Request\n"))

    def test_a_form_of_another_site_starts_nothing(self):
        body = {"language": "bash", "code": "echo x"}
        for headers, expected in (({"Sec-Fetch-Site": "cross-site", "content-type": "text/plain"}, 415),
                                  ({"Origin": "https://evil.example.com"}, 403),
                                  ({"content-type": "text/plain"}, 200)):
            status = self.service.request_raw("POST", "/session", body, headers)[0]
            self.assertEqual(status, expected, headers)


if __name__ == "__main__":
    unittest.main()
