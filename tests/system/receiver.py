# SPDX-License-Identifier: MIT
"""A server of the test's own that webhooks are sent to.

    with Receiver() as receiver:
        … webhook_url=receiver.url …
        receiver.got[0].headers["Webhook-Id"]
"""

import collections
import http.server
import threading
import time

# When it came: since 1970, and by a clock that nobody sets.
Post = collections.namedtuple("Post", "path headers body time steady")


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps what it gets; answers in turn what it was told to, then `otherwise`."""

    def __init__(self, otherwise=204):
        super().__init__(("127.0.0.1", 0), Receiver.Handler)
        self.got, self.answers, self.otherwise = [], [], otherwise
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def server_close(self):
        self.shutdown()
        super().server_close()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.got.append(Post(self.path, dict(self.headers), body, time.time(),
                                        time.monotonic()))
            status = self.server.answers.pop(0) if self.server.answers else self.server.otherwise
            self.send_response(status)
            if status in (301, 302, 307, 308):
                self.send_header("Location", self.server.url + "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_):
            pass
