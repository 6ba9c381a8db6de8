# SPDX-License-Identifier: MIT
"""clients/javascript/runnel.js: its types, and itself in Node.js against a live service."""

import json
import os
import subprocess
import unittest
import urllib.request

from place import KEY, ROOT, Client, wait_until

TESTS = 17


class JavaScript(Client):
    def test_its_types_fit(self):
        done = subprocess.run([ROOT / "web/node_modules/.bin/tsc", "-p", ROOT / "clients/javascript"],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_in_node(self):
        webhook = json.dumps(self.webhook())
        done = subprocess.run(
            ["node", ROOT / "tests/clients/in_node.mjs"], capture_output=True, text=True, timeout=120,
            env={**os.environ, "SERVICE_URL": self.url, "SERVICE_KEY": KEY, "WEBHOOK": webhook},
            check=False)
        lines = done.stdout.splitlines()
        for name in [line for line in lines if line.startswith("FAIL ")]:
            with self.subTest(name.split()[1]):
                self.fail(done.stdout[done.stdout.index(name):][:2000])
        self.assertEqual(len([line for line in lines if line.startswith("ok ")]), TESTS,
                         done.stdout + done.stderr)

    def webhook(self):
        receiver = self.receiver()
        body = {"language": "bash", "code": "true", "webhook_url": receiver.url}
        urllib.request.urlopen(urllib.request.Request(
            self.url + "/v1/runs", json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"})).close()
        wait_until("it came", lambda: receiver.got)
        _, headers, sent, *_ = receiver.got[0]
        return {"headers": headers, "body": sent.decode()}


if __name__ == "__main__":
    unittest.main()
