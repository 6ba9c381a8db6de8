# SPDX-License-Identifier: MIT
"""What clients/python/runnel.py sends again, and what never, to a service that is played."""

import http.server
import json
import threading
import unittest

import place  # pylint: disable=unused-import
from runnel import Runnel, RunnelError

RECORD = {"id": "run_1", "status": "succeeded", "verdict": "succeeded"}
RUN_TAKES_S = 60 + 30 + 10  # in the queue, with the compiler, by itself: what is had without asking
CUT = None  # the connection ends without an answer


def refusal(status, code, retry_after="0"):
    return status, {"error": "no", "code": code}, {"Retry-After": retry_after} if retry_after else {}


class Played(http.server.ThreadingHTTPServer):
    """Answers one after the other as it is told, and keeps what was asked."""

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), Played.Handler)
        self.answers, self.asked = list(answers), []
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}"

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.server.asked.append(f"{self.command} {self.path}")
            given = self.server.answers.pop(0)
            if given is CUT:
                return
            status, body, headers = given
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, *_):
            pass


class Again(unittest.TestCase):
    def played(self, *answers):
        server = Played(answers)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server, Runnel(server.url, retries=2, timeout=5)

    def refused(self, call):
        with self.assertRaises(RunnelError) as caught:
            call()
        return caught.exception.status, caught.exception.code

    def test_a_run_that_was_not_begun_is_asked_for_again(self):
        for answer in (refusal(429, "rate_limited"), refusal(503, "queue_full"),
                       refusal(503, "shutting_down"), refusal(429, "")):
            server, runnel = self.played(answer, (200, RECORD, {}))
            self.assertEqual(runnel.run("bash", "true").id, "run_1")
            self.assertEqual(server.asked, ["POST /v1/runs"] * 2)

    def test_a_run_that_may_have_been_begun_is_not(self):
        for answer in (refusal(503, "broker_unavailable"), refusal(502, ""),
                       refusal(500, "internal_error"), CUT):
            server, runnel = self.played(answer, (200, RECORD, {}))
            self.refused(lambda client=runnel: client.run("bash", "true"))
            self.assertEqual(server.asked, ["POST /v1/runs"], answer)

    def test_with_an_idempotency_key_it_is(self):
        for answer in (refusal(503, "broker_unavailable"), refusal(502, ""), CUT):
            server, runnel = self.played(answer, (200, RECORD, {}))
            self.assertEqual(runnel.run("bash", "true", idempotency_key="k").id, "run_1")
            self.assertEqual(len(server.asked), 2)

    def test_cancelling_asks_for_no_more_than_that(self):
        server, runnel = self.played(CUT, (200, RECORD, {}))
        self.assertEqual(runnel.cancel("run_1").verdict, "succeeded")
        self.assertEqual(server.asked, ["DELETE /v1/runs/run_1?only=cancel"] * 2)
        server, runnel = self.played((201, RECORD, {}), (202, RECORD, {}))
        runnel.start("bash", "true").cancel()
        self.assertEqual(server.asked[1], "DELETE /v1/runs/run_1?only=cancel")

    def test_a_run_is_not_deleted_twice(self):
        for answer in (CUT, refusal(502, "")):
            for name in ("delete", "forget"):
                server, runnel = self.played(answer, (204, b"", {}))
                self.refused(lambda client=runnel, call=name: getattr(client, call)("run_1"))
                self.assertEqual(server.asked, ["DELETE /v1/runs/run_1"])

    def test_a_file_that_is_gone_the_second_time_was_deleted(self):
        server, runnel = self.played(CUT, refusal(404, "not_found", None))
        self.assertIsNone(runnel.delete_file("file_1"))
        self.assertEqual(len(server.asked), 2)
        for before in ((), (refusal(429, "rate_limited"),)):
            _, runnel = self.played(*before, refusal(404, "not_found", None))
            refused = self.refused(lambda client=runnel: client.delete_file("file_1"))
            self.assertEqual(refused, (404, "not_found"))

    def test_its_patience_is_longer_than_a_run_takes(self):
        self.assertGreater(Runnel().timeout, RUN_TAKES_S)

    def test_events_come_back_when_they_are_told_to_and_end_with_the_end(self):
        """Whatever number that end has: a run that was lost in a crash has no more than that one."""
        first = b'id: 4\ndata: {"n":4,"t":1,"type":"stdout","data":"x"}\n\n'
        last = b'id: 1\ndata: {"n":1,"t":1,"type":"end","verdict":"internal_error"}\n\n'
        server, runnel = self.played((200, first, {}), refusal(503, "queue_full"), (200, last, {}))
        self.assertEqual([(event.n, event.type) for event in runnel.events("run_1")],
                         [(4, "stdout"), (1, "end")])
        self.assertEqual(len(server.asked), 3)


if __name__ == "__main__":
    unittest.main()
