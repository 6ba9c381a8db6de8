# SPDX-License-Identifier: MIT
"""Requests that two parsers could read differently are refused, and end their
connection: nothing behind them is taken for a second request."""
import socket
import time
import unittest

import wire

SECOND = b"GET /languages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def post(headers, body=b"", line=b"POST /execute HTTP/1.1"):
    return line + b"\r\n" + b"Host: localhost\r\n" + headers + b"\r\n" + body


REFUSED = {
    "content_length_twice_same": post(b"Content-Length: 2\r\nContent-Length: 2\r\n", b"{}"),
    "content_length_twice_other": post(b"Content-Length: 2\r\nContent-Length: 40\r\n", b"{}"),
    "content_length_list": post(b"Content-Length: 2, 2\r\n", b"{}"),
    "content_length_plus": post(b"Content-Length: +2\r\n", b"{}"),
    "content_length_minus": post(b"Content-Length: -2\r\n", b"{}"),
    "content_length_hex": post(b"Content-Length: 0x2\r\n", b"{}"),
    "content_length_letters": post(b"Content-Length: two\r\n", b"{}"),
    "content_length_empty": post(b"Content-Length: \r\n", b"{}"),
    "content_length_blank_inside": post(b"Content-Length: 1 2\r\n", b"{}"),
    "content_length_and_chunked":
        post(b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "chunked_and_content_length":
        post(b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", b"0\r\n\r\n"),
    "coding_unknown": post(b"Transfer-Encoding: gzip\r\n", b"{}"),
    "coding_list": post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    "coding_twice":
        post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "coding_identity": post(b"Transfer-Encoding: identity\r\n", b"{}"),
    "coding_with_blank_behind": post(b"Transfer-Encoding: chunked \r\n", b"0\r\n\r\n"),
    "coding_with_vertical_tab": post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
    "coding_in_http_1_0":
        post(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"POST /execute HTTP/1.0"),
    "blank_before_colon": post(b"Content-Length : 2\r\n", b"{}"),
    "tab_before_colon": post(b"Content-Length\t: 2\r\n", b"{}"),
    "no_colon": post(b"Content-Length 2\r\n", b"{}"),
    "empty_name": post(b": 2\r\n", b""),
    "folded_with_blank": post(b"X-A: a\r\n b\r\n"),
    "folded_with_tab": post(b"X-A: a\r\n\tb\r\n"),
    "folded_first": b"GET /languages HTTP/1.1\r\n X: y\r\nHost: localhost\r\n\r\n",
    "folded_length": post(b"Content-Length:\r\n 2\r\n", b"{}"),
    "bare_cr_in_value": post(b"X-A: a\rContent-Length: 40\r\n"),
    "bare_cr_in_name": post(b"X\r-A: a\r\n"),
    "bare_lf_ends_header": post(b"X-A: a\nX-B: b\r\n"),
    "bare_lf_ends_request_line": b"GET /languages HTTP/1.1\nHost: localhost\r\n\r\n",
    "bare_lf_ends_head": b"GET /languages HTTP/1.1\r\nHost: localhost\r\n\n",
    "only_bare_lf": b"GET /languages HTTP/1.1\nHost: localhost\n\n",
    "nul_in_value": post(b"X-A: a\x00b\r\n"),
    "nuls_in_value": post(b"X-A: a\x00\x00X-B\x00b\r\n"),
    "nul_in_name": post(b"X\x00A: a\r\n"),
    "nul_in_target": b"GET /languages\x00x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "encoded_nul_in_target": b"GET /languages%00x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "control_in_value": post(b"X-A: \x01\r\n"),
    "control_in_target": b"GET /lang\x01uages HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "bare_cr_in_target": b"GET /languages\rx HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "two_blanks_in_request_line": b"GET  /languages HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "tab_in_request_line": b"GET\t/languages HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "blank_behind_version": b"GET /languages HTTP/1.1 \r\nHost: localhost\r\n\r\n",
    "no_version": b"GET /languages\r\nHost: localhost\r\n\r\n",
    "version_unknown": b"GET /languages HTTP/1.x\r\nHost: localhost\r\n\r\n",
    "method_malformed": b"G(T /languages HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "absolute_target": b"GET http://localhost/languages HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "host_missing": b"GET /languages HTTP/1.1\r\nX: y\r\n\r\n",
    "host_twice": b"GET /languages HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    "no_headers": b"GET /languages HTTP/1.1\r\n\r\n",
}

CHUNKS_REFUSED = {
    "size_not_hex": b"x\r\n{}\r\n0\r\n\r\n",
    "size_with_prefix": b"0x2\r\n{}\r\n0\r\n\r\n",
    "size_negative": b"-2\r\n{}\r\n0\r\n\r\n",
    "size_with_plus": b"+2\r\n{}\r\n0\r\n\r\n",
    "size_with_blank": b" 2\r\n{}\r\n0\r\n\r\n",
    "size_overflow": b"10000000000000002\r\n{}\r\n0\r\n\r\n",
    "size_empty": b"\r\n{}\r\n0\r\n\r\n",
    "data_longer_than_size": b"2\r\n{}{}\r\n0\r\n\r\n",
}


class Framing(unittest.TestCase):
    def test_ambiguous_head_is_refused_and_its_connection_ends(self):
        place = wire.server().main
        for name, request in REFUSED.items():
            with self.subTest(name):
                raw = place.raw(request + SECOND)
                self.assertTrue(raw.startswith(b"HTTP/1.1 400 ") or raw == b"", raw[:300])
                self.assertEqual(raw.count(b"HTTP/1.1 "), 1 if raw else 0, raw)
                self.assertNotIn(b"python", raw)

    def test_malformed_chunks_are_refused_and_their_connection_ends(self):
        place = wire.server().main
        for name, body in CHUNKS_REFUSED.items():
            with self.subTest(name):
                head = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
                raw = place.raw(post(head, body + SECOND))
                status = wire.Response(raw).status
                self.assertIn(status, (400, 413), raw)
                self.assertEqual(raw.count(b"HTTP/1.1 "), 1, raw)

    def test_good_chunks_are_read_and_nothing_behind_them(self):
        place = wire.server().main
        head = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
        body = b"2\r\n{}\r\n0\r\nX-Trailer: a\r\n\r\n"
        raw = place.raw(post(head, body + SECOND))
        self.assertEqual(wire.Response(raw).json(), {"error": "Language and code are required"})
        self.assertEqual(raw.count(b"HTTP/1.1 "), 1, raw)

    def test_connection_serves_one_request_after_another(self):
        with wire.server().main.connect() as sock:
            for _ in range(3):
                sock.sendall(b"GET /languages HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertEqual(wire.read_response(sock).status, 200)
            body = b"{}"
            sock.sendall(post(b"Content-Type: application/json\r\nContent-Length: 2\r\n", body))
            self.assertEqual(wire.read_response(sock).status, 400)
            sock.sendall(SECOND)
            self.assertEqual(wire.read_response(sock).status, 200)

    def test_a_thousand_pipelined_requests_are_answered_in_order(self):
        request = b"GET /languages HTTP/1.1\r\nHost: localhost\r\n\r\n"
        raw = wire.server().main.raw(request * 999 + SECOND)
        self.assertEqual(raw.count(b"HTTP/1.1 200 OK"), 1000)

    def test_request_in_single_bytes_is_one_request(self):
        with wire.server().main.connect() as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            body = b'{"language":"cobol","code":"x"}'
            request = post(b"Content-Type: application/json\r\nConnection: close\r\n"
                           b"Content-Length: %d\r\n" % len(body), body)
            for at in range(len(request)):
                sock.sendall(request[at:at + 1])
                time.sleep(0.0005)
            answer = wire.Response(wire.read_all(sock))
        self.assertEqual(answer.json(), {"error": "Unsupported language: cobol"})

    def test_http_1_0_is_served_and_closed(self):
        raw = wire.server().main.raw(b"GET /languages HTTP/1.0\r\n\r\n")
        self.assertEqual(wire.Response(raw).status, 200)


class HeadLimits(unittest.TestCase):
    def test_long_url_gives_414(self):
        raw = wire.server().main.raw(b"GET /" + b"a" * 1000000 + b" HTTP/1.1\r\n\r\n")
        self.assertIn(wire.Response(raw).status, (414,))

    def test_long_header_gives_431(self):
        raw = wire.server().main.raw(post(b"X-A: " + b"a" * 200000 + b"\r\n"))
        self.assertEqual(wire.Response(raw).status, 431)

    def test_many_headers_give_431(self):
        for count in (101, 1000, 20000):
            with self.subTest(count):
                raw = wire.server().main.raw(post(b"X-A: a\r\n" * count))
                self.assertEqual(wire.Response(raw).status, 431)

    def test_hundred_headers_are_taken(self):
        raw = wire.server().main.raw(b"GET /languages HTTP/1.1\r\nHost: localhost\r\n"
                                     + b"X-A: a\r\n" * 98 + b"Connection: close\r\n\r\n")
        self.assertEqual(wire.Response(raw).status, 200)

    def test_heads_are_taken_up_to_the_limit_and_refused_over_it(self):
        """Far over it, where nothing is left for an answer, by the connection's end alone."""
        head = b"GET /languages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-A: "
        for size in list(range(16200, 16500, 7)) + list(range(16500, 34000, 97)):
            raw = wire.server().main.raw(head + b"a" * size + b"\r\n\r\n")
            if len(head) + size + 4 <= 16384:
                self.assertEqual(wire.Response(raw).status, 200, size)
            elif size < 30000 or raw:
                self.assertEqual(wire.Response(raw).status, 431, size)

    def test_cookies_of_any_size_are_taken_or_refused(self):
        head = b"GET /languages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: "
        for size in range(100, 9000, 50):
            raw = wire.server().main.raw(head + b"a=b;" * size + b"\r\n\r\n")
            if size > 250 and not raw:
                continue
            self.assertIn(wire.Response(raw).status, (200,) if size < 250 else (200, 400, 431))
            self.assertEqual(raw.count(b"HTTP/1.1 "), 1)
        self.assertEqual(wire.server().main.get("/languages").status, 200)


class Deadlines(unittest.TestCase):
    def test_slow_heads_and_bodies_end_at_the_deadline_and_others_are_served(self):
        place = wire.server("timeout_s=1").main
        slow = {
            "request_line": b"GET /" + b"a" * 200,
            "headers": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 200,
            "body": post(b"Content-Length: 1000\r\n", b"a" * 200),
            "chunks": post(b"Transfer-Encoding: chunked\r\n", b"1\r\na\r\n" * 100),
        }
        for name, request in slow.items():
            with self.subTest(name):
                start = request.find(b"\r\n\r\n") + 4 if b"\r\n\r\n" in request else 0
                with place.connect() as sock:
                    sock.sendall(request[:start])
                    sock.settimeout(0.1)
                    begun = time.monotonic()
                    answer = None
                    for at in range(start, len(request)):
                        try:
                            sock.sendall(request[at:at + 1])
                            answer = sock.recv(1000)
                            break
                        except TimeoutError:
                            self.assertEqual(place.get("/languages").status, 200)
                        except ConnectionError:
                            break
                    took = time.monotonic() - begun
                self.assertLess(took, 3.5)
                self.assertGreater(took, 0.5)
                if answer and name != "request_line":
                    self.assertEqual(wire.Response(answer).status, 408)

    def test_a_thousand_slow_ones_hold_nobody_up(self):
        """Half send a head, half a body, a byte now and then; all end soon after the deadline."""
        place = wire.fresh("timeout_s=2", "connections=1200")
        starts = (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ", post(b"Content-Length: 1000\r\n"))
        slow = [place.main.connect() for _ in range(1000)]
        begun = time.monotonic()
        for at, sock in enumerate(slow):
            sock.sendall(starts[at % 2])
        while slow and time.monotonic() - begun < 60:
            self.assertEqual(place.main.get("/languages").status, 200)
            slow = [sock for sock in slow if self.takes_a_byte(sock)]
            time.sleep(0.2)
        self.assertEqual(slow, [])
        self.assertGreater(time.monotonic() - begun, 1)
        self.assertEqual(place.main.get("/languages").status, 200)
        place.stop()

    @staticmethod
    def takes_a_byte(sock):
        """False when the other side has ended it."""
        try:
            sock.sendall(b"a")
            sock.setblocking(False)
            if sock.recv(1000, socket.MSG_PEEK) is not None:
                sock.close()
                return False
        except BlockingIOError:
            sock.setblocking(True)
            return True
        except OSError:
            sock.close()
            return False
        return True

    def test_silent_connections_end_at_the_deadline(self):
        with wire.server("timeout_s=1").main.connect() as sock:
            begun = time.monotonic()
            self.assertEqual(wire.read_all(sock), b"")
            self.assertLess(time.monotonic() - begun, 10)

    def test_client_that_does_not_take_its_answer_is_cut_off(self):
        server = wire.server("timeout_s=1")
        if wire.URL:
            self.skipTest("needs RUNNEL_FAKE")
        before = server.descriptors()
        body = b'{"language":"python","code":"bytes 4000000"}'
        with server.main.connect() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(post(b"Content-Type: application/json\r\nContent-Length: %d\r\n"
                              % len(body), body))
            time.sleep(0.5)
            self.assertEqual(server.descriptors(), before + 1)
            end = time.monotonic() + 10
            while server.descriptors() > before and time.monotonic() < end:
                time.sleep(0.05)
            self.assertEqual(server.descriptors(), before)

    def test_silent_connections_make_room_at_the_maximum(self):
        server = wire.server("connections=20", "timeout_s=10")
        held = [server.main.connect() for _ in range(60)]
        time.sleep(1.2)
        begun = time.monotonic()
        for _ in range(3):
            self.assertEqual(server.main.get("/languages").status, 200)
        self.assertLess(time.monotonic() - begun, 8)
        for sock in held:
            sock.close()

    def test_connections_over_the_maximum_wait_until_a_deadline(self):
        server = wire.server("connections=20", "timeout_s=2")
        held = [server.main.connect() for _ in range(20)]
        for sock in held:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: ")
        begun = time.monotonic()
        self.assertEqual(server.main.get("/languages").status, 200)
        self.assertGreater(time.monotonic() - begun, 1)
        self.assertLess(time.monotonic() - begun, 6)
        for sock in held:
            sock.close()
        begun = time.monotonic()
        self.assertEqual(server.main.get("/languages").status, 200)
        self.assertLess(time.monotonic() - begun, 1)


if __name__ == "__main__":
    unittest.main()
