# SPDX-License-Identifier: MIT
"""Host, Origin, preflight, content types: what a web page can make a browser
send must not run code."""
import json
import unittest

import wire

RUN = json.dumps({"language": "cobol", "code": "x"}).encode()
ALLOWED = 400  # it came in: the language is unknown
FORBIDDEN = 403


def post(place, **headers):
    headers.setdefault("content_type", "application/json")
    return place.request("POST", "/execute", RUN, **headers)


class Host(unittest.TestCase):
    def check(self, place, hosts):
        for host, status in hosts.items():
            with self.subTest(host):
                self.assertEqual(place.get("/languages", host=host).status, status)
                self.assertEqual(post(place, host=host).status, ALLOWED if status == 200 else status)

    def test_loopback_listener_takes_loopback_names_only(self):
        self.check(wire.server().main, {
            "localhost": 200, "localhost:1": 200, "LocalHost:8080": 200, "127.0.0.1": 200,
            "127.0.0.1:99": 200, "[::1]": 200, "[::1]:80": 200,
            "evil.example": FORBIDDEN, "evil.example:8080": FORBIDDEN,
            "localhost.evil.example": FORBIDDEN, "127.0.0.1.evil.example": FORBIDDEN,
            "localhost@evil.example": FORBIDDEN, "localhost:80x": FORBIDDEN,
            "localhost:": FORBIDDEN, "localhost,evil.example": FORBIDDEN, "192.0.2.1": FORBIDDEN,
            "[::2]": FORBIDDEN, "[::1": FORBIDDEN, "[::1]x": FORBIDDEN, "": FORBIDDEN,
            "x" * 5000: FORBIDDEN,
        })

    def test_configured_name_is_taken_on_every_listener(self):
        server = wire.server()
        for place in (server.main, server.public):
            self.check(place, {"code.example.com": 200, "CODE.example.com:443": 200,
                               "code.example.com.evil.example": FORBIDDEN})

    def test_other_listeners_take_literal_addresses_too(self):
        self.check(wire.server().public, {"192.0.2.1:80": 200, "[2001:db8::1]": 200,
                                          "localhost": 200, "evil.example": FORBIDDEN})

    def test_ipv6_listener_serves(self):
        self.assertEqual(wire.server().ipv6.get("/health").status, 200)

    def test_refusal_is_json_and_says_what_to_do(self):
        answer = wire.server().main.get("/languages", host="evil.example")
        self.assertEqual(answer.json()["code"], "forbidden")
        self.assertIn("server_names", answer.json()["error"])


class Origin(unittest.TestCase):
    ALLOWED = ["http://localhost:5500", "http://127.0.0.1:5500", "https://localhost",
               "http://[::1]:3000"]
    FOREIGN = ["http://evil.example", "https://localhost.evil.example", "null", "file://", "",
               "http://localhost:80@evil.example", "http://localhost:x", "chrome-extension://abc",
               "http://127.0.0.1.evil.example", "http://192.0.2.1"]

    def test_loopback_origins_are_reflected(self):
        for origin in self.ALLOWED:
            with self.subTest(origin):
                answer = post(wire.server().main, origin=origin)
                self.assertEqual(answer.status, ALLOWED)
                self.assertEqual(answer.headers["access-control-allow-origin"], origin)
                self.assertEqual(answer.headers["vary"], "Origin")
                self.assertEqual(answer.headers["access-control-allow-credentials"], "true")
                self.assertEqual(answer.headers["access-control-expose-headers"],
                                 "RateLimit-Limit,RateLimit-Remaining,RateLimit-Reset,Retry-After")

    def test_foreign_origins_cannot_change_anything(self):
        for origin in self.FOREIGN:
            with self.subTest(origin):
                answer = post(wire.server().main, origin=origin)
                self.assertEqual(answer.status, FORBIDDEN)
                self.assertEqual(answer.json()["code"], "forbidden")
                self.assertFalse([name for name in answer.headers
                                  if name.startswith("access-control")])
                self.assertEqual(answer.headers["vary"], "Origin")

    def test_foreign_origins_may_read_nothing(self):
        for origin in self.FOREIGN:
            with self.subTest(origin):
                answer = wire.server().main.get("/languages", origin=origin)
                self.assertNotIn("access-control-allow-origin", answer.headers)

    def test_own_and_configured_origins_are_allowed(self):
        place = wire.server().public
        for origin in ("http://code.example.com", "https://app.example.com"):
            with self.subTest(origin):
                answer = post(place, host="code.example.com", origin=origin)
                self.assertEqual(answer.status, ALLOWED)
                self.assertEqual(answer.headers["access-control-allow-origin"], origin)
        for origin in ("https://code.example.com", "http://code.example.com:81",
                       "http://app.example.com"):
            with self.subTest(origin):
                answer = post(place, host="code.example.com", origin=origin)
                self.assertEqual(answer.status, FORBIDDEN)

    def test_scheme_counts_as_a_trusted_proxy_says(self):
        place = wire.server().public
        headers = {"host": "code.example.com", "origin": "https://code.example.com",
                   "x_forwarded_proto": "https"}
        self.assertEqual(post(place, **headers).status, FORBIDDEN)
        self.assertEqual(post(place, source="127.0.0.3", **headers).status, ALLOWED)

    def test_preflight_of_allowed_origin(self):
        answer = wire.server().main.request("OPTIONS", "/execute", origin="http://localhost:5500",
                                            access_control_request_method="POST",
                                            access_control_request_headers="content-type")
        self.assertEqual(answer.status, 204)
        self.assertEqual(answer.body, b"")
        self.assertEqual(answer.headers["access-control-allow-origin"], "http://localhost:5500")
        self.assertEqual(answer.headers["access-control-allow-methods"],
                         "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS")
        self.assertEqual(answer.headers["access-control-allow-headers"], "content-type")

    def test_preflight_of_foreign_origin_allows_nothing(self):
        answer = wire.server().main.request("OPTIONS", "/execute", origin="http://evil.example",
                                            access_control_request_method="POST")
        self.assertEqual(answer.status, 204)
        self.assertFalse([name for name in answer.headers if name.startswith("access-control")])


class ContentType(unittest.TestCase):
    REQUIRED = {"error": "Language and code are required"}

    def test_what_a_form_can_send_runs_nothing(self):
        for kind in ("text/plain", "text/plain; application/json", "multipart/form-data; boundary=x",
                     "application/x-www-form-urlencoded", "application/jsonx", "application/",
                     "application/json-patch", "text/json", "", "x+json", None):
            with self.subTest(kind):
                answer = post(wire.server().main, content_type=kind)
                self.assertEqual((answer.status, answer.json()), (400, self.REQUIRED))

    def test_json_is_taken_with_any_parameters(self):
        for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON",
                     "application/json;x", "application/vnd.api+json"):
            with self.subTest(kind):
                answer = post(wire.server().main, content_type=kind)
                self.assertEqual(answer.json(), {"error": "Unsupported language: cobol"})

    def test_encoded_body_is_refused(self):
        self.assertEqual(post(wire.server().main, content_encoding="gzip").status, 415)
        self.assertEqual(post(wire.server().main, content_encoding="identity").status, ALLOWED)


class Forwarded(unittest.TestCase):
    def client(self, **headers):
        source = headers.pop("source", None)
        body = wire.server().public.request("GET", "/test/1/end", source=source, **headers).body
        _, _, client, where = body.decode().split("|")
        return client, where

    def test_header_of_an_untrusted_peer_is_ignored(self):
        self.assertEqual(self.client(x_forwarded_for="192.0.2.7"), ("127.0.0.1", "loopback"))
        self.assertEqual(self.client(x_forwarded_for="192.0.2.7", source="127.0.0.2"),
                         ("127.0.0.2", "loopback"))

    def test_nearest_untrusted_address_is_the_client(self):
        for header, client in {
                "192.0.2.7": "192.0.2.7",
                "127.0.0.1, 192.0.2.7": "192.0.2.7",
                "127.0.0.1,192.0.2.7 , 10.1.2.3": "192.0.2.7",
                "192.0.2.7:4567": "192.0.2.7",
                "[2001:db8::1]:4567": "2001:db8::1",
                "2001:db8::1": "2001:db8::1",
                "::ffff:192.0.2.7": "192.0.2.7",
                "10.0.0.1, 10.0.0.2": "10.0.0.1",
                "unknown": "127.0.0.3",
                "127.0.0.1, unknown": "127.0.0.3",
                "unknown, 10.0.0.9": "10.0.0.9",
                "": "127.0.0.3",
                ",": "127.0.0.3",
        }.items():
            with self.subTest(header):
                got = self.client(x_forwarded_for=header, source="127.0.0.3")
                self.assertEqual(got[0], client)
                self.assertEqual(got[1], "loopback" if client.startswith("127.") else "elsewhere")

    def test_a_client_cannot_put_a_line_before_the_proxys(self):
        request = (b"GET /test/1/end HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                   b"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n")
        raw = wire.server().public.raw(request, source="127.0.0.3")
        self.assertIn(b"|192.0.2.7|elsewhere", raw)


if __name__ == "__main__":
    unittest.main()
