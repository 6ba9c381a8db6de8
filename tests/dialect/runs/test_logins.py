# SPDX-License-Identifier: MIT
"""Logins of a browser, whose cookies are a host's and know no ports."""

import http.cookiejar
import json
import unittest
import urllib.request

from contract import Service

KEYS = {"API_KEYS": "sk_a_0123456789:a:1000000:1000000"}


class Logins(unittest.TestCase):
    def test_two_services_on_one_host_do_not_log_each_other_out(self):
        browser = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

        def ask(service, path, body=None):
            request = urllib.request.Request(
                f"http://127.0.0.1:{service.port}{path}", body and json.dumps(body).encode(),
                {"Content-Type": "application/json"})
            with browser.open(request, timeout=20) as answer:
                return json.loads(answer.read() or b"null")

        def who(service):
            return ask(service, "/v1/me")["key"]

        with Service(env=KEYS) as one, Service(env=KEYS) as other:
            for service in (one, other):
                ask(service, "/v1/login", {"key": "sk_a_0123456789"})
            self.assertEqual((who(one), who(other)), ("a", "a"))
            ask(other, "/v1/logout", {})
            self.assertEqual((who(one), who(other)), ("a", None))


if __name__ == "__main__":
    unittest.main()
