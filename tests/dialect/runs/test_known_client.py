# SPDX-License-Identifier: MIT
"""A client as those of the known service are written, with curl, which knows neither of us: run, upload,
use the upload, download by link, and what its admin page and its tool for Open WebUI read."""

import hashlib
import json
import os
import subprocess
import tempfile
import unittest

from contract import KEY, Contract


class Client(Contract):
    def curl(self, path, *options, key=KEY):
        """(status, bytes)"""
        url = path if path.startswith("http") else f"http://127.0.0.1:{self.service.port}{path}"
        told = subprocess.run(
            ["curl", "-s", "-w", "\n%{http_code}", "-H", f"Authorization: Bearer {key}", *options, url],
            stdout=subprocess.PIPE, check=True, timeout=60).stdout
        body, _, status = told.rpartition(b"\n")
        return int(status), body

    def execute(self, **fields):
        """As its tool for Open WebUI posts it: every field, also those it has nothing for."""
        body = {"args": [], "files": [], "env": {}, "limits": {}, **fields}
        status, text = self.curl("/v1/runs", "-X", "POST", "-H", "Content-Type: application/json",
                                 "--data-binary", json.dumps(body))
        return status, json.loads(text)

    def test_each_of_its_languages_says_hello(self):
        rows = {"python": "print('hello from sandbox')", "node": "console.log('hello from sandbox')",
                "ruby": "puts 'hello from sandbox'", "php": "<?php echo \"hello from sandbox\\n\";",
                "go": 'package main\nimport "fmt"\nfunc main() { fmt.Println("hello from sandbox") }'}
        for language, code in rows.items():
            with self.subTest(language):
                limits = {"timeout_ms": 10000, "memory_mb": 512}
                status, run = self.execute(language=language, code=code, limits=limits)
                self.assertEqual((status, run["status"], run["exit_code"], run["stdout"]),
                                 (200, "succeeded", 0, "hello from sandbox\n"), run)

    def test_its_expectations_of_go(self):
        status, run = self.execute(language="go", code="package main\nfunc main() { fmt.Println() }")
        self.assertEqual((status, run["status"], run["exit_code"]), (200, "failed", 1))
        self.assertIn("undefined: fmt", run["stderr"])
        status, run = self.execute(
            language="go", code='package main\nimport "os"\nfunc main() { os.Exit(1) }')
        self.assertEqual((run["status"], run["exit_code"]), ("failed", 1))
        code = ('package main\nimport ("fmt"; "os")\nfunc main() { for i, a := range os.Args[1:] '
                '{ fmt.Printf("Arg %d: %s\\n", i, a) } }')
        status, run = self.execute(language="go", code=code, args=["hello", "world", "test"])
        self.assertEqual(run["stdout"], "Arg 0: hello\nArg 1: world\nArg 2: test\n")

    def test_its_timeout(self):
        status, run = self.execute(language="python", code="import time; time.sleep(10)",
                                   limits={"timeout_ms": 1000})
        self.assertEqual((status, run["status"]), (200, "timeout"))
        self.assertGreaterEqual(run["usage"]["wall_ms"], 1000)

    def test_the_way_of_a_file(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(os.urandom(100000))
            file.flush()
            status, text = self.curl("/v1/files", "-F", f"file=@{file.name};filename=data.bin")
            content = open(file.name, "rb").read()
        upload = json.loads(text)
        self.assertEqual((status, upload["name"], upload["size"], upload["sha256"]),
                         (200, "data.bin", 100000, hashlib.sha256(content).hexdigest()))
        code = ("d = open('inputs/data.bin', 'rb').read()\n"
                "open('outputs/copy.bin', 'wb').write(d[::-1])")
        status, run = self.execute(language="python", code=code,
                                   files=[{"id": upload["id"], "path": "data.bin"}])
        self.assertEqual(run["status"], "succeeded", run)
        artifact = run["artifacts"][0]
        self.assertEqual((artifact["name"], artifact["size"]), ("copy.bin", 100000))
        for key in (KEY, ""):  # theirs wanted both; a browser has only the link
            status, body = self.curl(artifact["url"], key=key)
            self.assertEqual((status, body), (200, content[::-1]))
        self.assertTrue({"wall_ms", "cpu_ms", "max_rss_mb"} <= set(run["usage"]))

    def test_errors_are_where_it_looks_for_them(self):
        status, answer = self.execute(language="cobol", code="x")
        self.assertEqual((status, answer["error"], answer["data"]),
                         (400, "unsupported language", None))
        status, text = self.curl("/v1/runs/run_unknown")
        self.assertEqual((status, json.loads(text)["error"]), (404, "run not found"))
        status, text = self.curl("/v1/runs", "-d", "{}", key="nobody")
        self.assertEqual((status, json.loads(text)), (401, {"error": "invalid token", "data": None}))

    def test_a_run_is_read_again_by_its_id(self):
        _, run = self.execute(language="python", code="print(1)")
        status, text = self.curl(f"/v1/runs/{run['id']}")
        self.assertEqual((status, json.loads(text)), (200, run))


if __name__ == "__main__":
    unittest.main()
