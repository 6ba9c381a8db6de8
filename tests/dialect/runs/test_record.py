# SPDX-License-Identifier: MIT
"""POST /v1/runs and what it answers, field by field."""

import base64
import hashlib
import time
import unittest

from contract import LINK, OTHER, SIGNING, STATUS_WORDS, TIME, WRITES, Contract, sign


class Record(Contract):
    def test_it_has_every_field(self):
        code = "import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(3)"
        record = self.run_it(code)
        self.assertRegex(record["id"], r"^run_[0-9A-Za-z]{12}$")
        self.assertEqual((record["status"], record["verdict"], record["exit_code"],
                          record["signal"]), ("failed", "failed", 3, None))
        self.assertEqual((record["stdout"], record["stderr"]), ("out\n", "err\n"))
        for name in ("wall_ms", "cpu_ms", "max_rss_mb"):
            self.assertIsInstance(record["usage"][name], int, name)
        self.assertGreaterEqual(record["usage"]["max_rss_mb"], 1)
        self.assertEqual(record["artifacts"], [])
        self.assertRegex(record["created_at"], TIME)
        self.assertEqual(record["language"], "python")
        self.assertEqual(record["code_sha256"], hashlib.sha256(code.encode()).hexdigest())
        self.assertEqual(record["metadata"], {})
        self.assertEqual(self.record(record["id"]), record)

    def test_a_run_finds_nothing_of_the_one_before(self):
        code = ("import glob, os\n"
                "folders = ['/work', '/work/outputs', '/tmp', '/dev/shm', '/var/tmp', '/run', '/']\n"
                "print([path for folder in folders for path in glob.glob(folder + '/*left*')])\n"
                "left = 0\n"
                "for folder in folders:\n"
                "    try:\n"
                "        os.makedirs(folder, exist_ok=True)\n"
                "        open(folder + '/left.py', 'w').close()\n"
                "        left += 1\n"
                "    except OSError:\n"
                "        pass\n"
                "print(left)\n")
        for _ in range(3):
            self.assertEqual(self.run_it(code)["stdout"], "[]\n4\n")

    def test_the_request_comes_back_when_asked_for_also_while_it_goes_on(self):
        run = self.start("sleep 100", args=["a"])
        sent = {"language": "bash", "code": "sleep 100", "args": ["a"]}
        asked = f"/v1/runs/{run}?request=true"
        self.assertEqual(self.ask("GET", asked).json()["request"], sent)
        self.assertNotIn("request", self.record(run))
        self.ask("DELETE", f"/v1/runs/{run}")
        self.wait_for_end(run)
        self.assertEqual(self.ask("GET", asked).json()["request"], sent)
        self.assertEqual(self.ask("GET", asked, key=OTHER).status, 404)

    def test_limits_are_told_as_they_hold(self):
        limits = self.run_it()["limits"]
        usual = {"timeout_ms": 5000, "memory_mb": 256, "cpu_ms": 5000,
                 "max_output_bytes": 1048576, "max_artifact_bytes": 5242880,
                 "max_artifact_files": 10}
        self.assertEqual({name: limits[name] for name in usual}, usual)
        asked = {"timeout_ms": 10000, "memory_mb": 512, "cpu_ms": 20000,
                 "max_output_bytes": 2097152, "max_artifact_bytes": 20971520,
                 "max_artifact_files": 1}
        limits = self.run_it(limits=asked)["limits"]
        self.assertEqual({name: limits[name] for name in asked}, asked)

    def test_each_end_has_its_words(self):
        hog = "x = bytearray(1 << 30)"
        rows = [
            ("print(1)", {}, "succeeded", "succeeded", 0),
            ("import os; os._exit(7)", {}, "failed", "failed", 7),
            ("import time; time.sleep(60)", {"timeout_ms": 300}, "timeout", "timeout", 124),
            ("while True: pass", {"cpu_ms": 100}, "timeout", "cpu_limit", 124),
            (hog, {"memory_mb": 64}, "oom", "memory_limit", 137),
            ("print('x' * 5000)", {"max_output_bytes": 1000}, "killed", "output_limit", 137),
            ("import os; os.abort()", {}, "failed", "killed_by_signal", 134),
        ]
        for code, limits, status, verdict, exit_code in rows:
            with self.subTest(verdict):
                record = self.run_it(code, limits=limits)
                self.assertEqual((record["status"], record["verdict"], record["exit_code"]),
                                 (status, verdict, exit_code))
                self.assertIn(record["status"], STATUS_WORDS)
                self.assertTrue(record["reason"])
        record = self.run_it("int main(void) { return x; }", "c")
        self.assertEqual((record["status"], record["verdict"]), ("failed", "compile_failed"))
        self.assertIn("undeclared", record["stderr"])

    def test_each_exit_code_is_told_as_it_is(self):
        """Also those that stand for an end by a limit elsewhere: 124, 137."""
        for code in range(256):
            record = self.run_it(f"exit {code}", "bash")
            self.assertEqual((record["exit_code"], record["verdict"], record["signal"]),
                             (code, "failed" if code else "succeeded", None))

    def test_output_before_the_timeout_is_kept(self):
        """The known service threw it away."""
        record = self.run_it("print('early', flush=True)\nimport time; time.sleep(60)",
                             limits={"timeout_ms": 500})
        self.assertEqual((record["stdout"], record["status"]), ("early\n", "timeout"))

    def test_a_grandchild_that_holds_the_pipe_holds_nobody(self):
        record = self.run_it("sleep 100 & echo done", "bash")
        self.assertEqual((record["status"], record["stdout"]), ("succeeded", "done\n"))

    def test_much_output_of_each_language_of_theirs_does_not_hang(self):
        """The known service's PHP read its pipes when the program had ended."""
        rows = {"php": "<?php echo str_repeat('x', 200000);", "node": "console.log('x'.repeat(200000))",
                "ruby": "print 'x' * 200000", "python": "print('x' * 200000, end='')"}
        for language, code in rows.items():
            with self.subTest(language):
                record = self.run_it(code, language)
                self.assertEqual((record["status"], len(record["stdout"].rstrip())),
                                 ("succeeded", 200000), record["stderr"][:300])

    def test_cut_output_is_whole_characters(self):
        record = self.run_it("print('é' * 1000)", limits={"max_output_bytes": 101})
        self.assertEqual(record["stdout"].rstrip("\ufffd"), "é" * 50)


class Request(Contract):
    def test_everything_that_may_be_said_reaches_the_program(self):
        code = ("import os, sys\nprint(sys.argv[-2:], os.environ['NAME'], sys.stdin.read(),"
                " open('data/b.txt').read(), open('raw.bin', 'rb').read())")
        record = self.run_it(
            code, args=["a", "b c"], env={"NAME": "value"}, stdin="typed",
            files=[{"path": "data/b.txt", "content": "inline"},
                   {"path": "raw.bin", "content": base64.b64encode(b"\xff\x00").decode(),
                    "encoding": "base64"}],
            metadata={"course": "c1", "task": "7"})
        self.assertEqual(record["stdout"], "['a', 'b c'] value typed inline b'\\xff\\x00'\n")
        self.assertEqual(record["metadata"], {"course": "c1", "task": "7"})

    def test_files_alone_may_be_the_program(self):
        rows = [
            ({"files": [{"path": "main.py", "content": "import other"},
                        {"path": "other.py", "content": "print('other')"}]}, "other\n"),
            ({"files": [{"path": "b.py", "content": "print('b')"},
                        {"path": "a.py", "content": "print('a')"}], "entrypoint": "a.py"}, "a\n"),
            ({"files": [{"path": "readme.txt", "content": "x"},
                        {"path": "go.py", "content": "print('go')"}]}, "go\n"),
        ]
        for fields, said in rows:
            answer = self.post({"language": "python", **fields})
            self.assertEqual((answer.status, answer.json().get("stdout")), (200, said), answer)

    def test_the_compiler_has_arguments_too(self):
        record = self.run_it('#include <stdio.h>\nint main(void) { printf("%d", N); }', "c",
                             compile_args=["-DN=42"])
        self.assertEqual(record["stdout"], "42", record)
        self.assertGreater(record["usage"]["compile_ms"], 0)

    def test_a_compiler_that_closes_the_workspace_is_the_programs_own_doing(self):
        record = self.run_it("int main(void) { return 0; }", "c",
                             compile_args=["-wrapper", "/bin/sh,-c,chmod 000 /work"])
        self.assertEqual((record["verdict"], record["exit_code"]), ("failed", 126), record)

    def test_what_a_terminal_is_given_ends(self):
        code = "import sys, time; time.sleep(0.5); print(len(sys.stdin.read()))"
        for given in ("", "abc", "abc\n", "a\nb", ("x" * 63 + "\n") * 1024):
            record = self.run_it(code, "python", tty=True, stdin=given)
            self.assertEqual((record["verdict"], record["stdout"].split()[-1][-5:].lstrip("abcx")),
                             ("succeeded", str(len(given))), record)

    def test_a_terminal(self):
        record = self.run_it("test -t 0 && stty size", "bash", tty=True, columns=90, rows=33)
        self.assertEqual(record["stdout"].strip(), "33 90")

    def test_the_folder_is_as_their_programs_know_it(self):
        code = ("import os\nprint(os.getcwd(), os.environ['HOME'], os.environ['TMPDIR'],"
                " sorted(os.listdir('.')))\nopen(os.environ['TMPDIR'] + '/x', 'w')")
        record = self.run_it(code)
        self.assertEqual(record["stdout"], "/work /work /work/tmp ['inputs', 'main.py', 'outputs', 'tmp']\n")

    def test_a_program_sees_what_is_documented_and_nothing_of_ours(self):
        lines = self.run_it("env", "bash")["stdout"].split("\n")
        names = {line.split("=")[0] for line in lines if "=" in line}
        self.assertLessEqual(names, {"HOME", "TMPDIR", "PATH", "PWD", "OLDPWD", "SHLVL", "_", "LANG",
                                     "LC_ALL", "USER", "LOGNAME", "TERM", "SHELL", "HOSTNAME"})
        self.assertNotIn(SIGNING, "\n".join(lines))
        found = self.run_it("cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -i -e key -e runnel",
                            "bash")
        self.assertEqual(found["stdout"], "")

    def test_variables_that_steer_a_loader_are_refused(self):
        for name in ("LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "PYTHONSTARTUP",
                     "NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "GLIBC_TUNABLES", "BASH_ENV", "", "A=B",
                     "A B", "É"):
            with self.subTest(name):
                answer = self.post({"language": "bash", "code": "env", "env": {name: "x"}})
                if answer.status == 200:  # taken off, as theirs did
                    self.assertNotIn(f"{name}=x", answer.json()["stdout"])
                else:
                    self.assertEqual((answer.status, answer.json()["field"]), (400, "env"), answer)


class Artifacts(Contract):
    def test_each_has_its_fields_and_a_link_that_needs_no_key(self):
        before = time.time()
        record = self.run_it(WRITES)
        found = {artifact["name"]: artifact for artifact in record["artifacts"]}
        self.assertEqual(set(found), {"plot.svg", "deep/data.csv"})
        svg = found["plot.svg"]
        self.assertEqual((svg["size"], svg["sha256"], svg["content_type"]),
                         (6, hashlib.sha256(b"<svg/>").hexdigest(), "image/svg+xml"))
        self.assertRegex(svg["expires_at"], TIME)
        link = LINK.match(svg["url"])
        self.assertTrue(link, svg["url"])
        payload, sig = link["payload"], link["sig"]
        text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
        self.assertRegex(text, r'^\{"path":"%s","exp":\d+,"method":"GET"\}$' % link["path"])
        self.assertEqual(sign(text), (payload, sig))
        expires = int(text.split('"exp":')[1].split(",")[0])
        self.assertTrue(before + 590 < expires < time.time() + 610, expires)
        answer = self.ask("GET", svg["url"][len(link["base"]):], key=None)
        self.assertEqual((answer.status, answer.body), (200, b"<svg/>"))
        self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
        self.assertTrue(answer.headers["content-disposition"].startswith("attachment;"))
        self.assertEqual(answer.headers["accept-ranges"], "bytes")
        self.assertTrue(answer.headers["etag"])

    def test_what_is_no_plain_file_is_refused_with_a_reason(self):
        code = ("import os, socket\nos.chdir('outputs')\nos.symlink('/etc/passwd', 'absolute')\n"
                "os.symlink('../main.py', 'relative')\nos.symlink('loop', 'loop')\n"
                "os.symlink('..', 'folder')\nos.mkfifo('fifo')\nos.link('../main.py', 'hard')\n"
                "socket.socket(socket.AF_UNIX).bind('socket')\n"
                "open('good', 'w').write('good')\n")
        record = self.run_it(code)
        self.assertEqual([artifact["name"] for artifact in record["artifacts"]], ["good"])
        refused = {item["name"]: item["reason"] for item in record["artifacts_refused"]}
        self.assertEqual(set(refused), {"absolute", "relative", "loop", "folder", "fifo", "hard",
                                        "socket"})
        self.assertTrue(all(refused.values()))

    def test_a_replaced_folder_gives_nothing_of_the_host(self):
        """The known service gave the host's files out, and removed them there."""
        for target in ("/etc", "/", "/proc/self", "..", "/work/outputs", "/dev/null"):
            with self.subTest(target):
                record = self.run_it("import os, shutil, sys\nshutil.rmtree('outputs')\n"
                                     f"os.symlink({target!r}, 'outputs')\n")
                self.assertEqual((record["status"], record["artifacts"]), ("succeeded", []))

    def test_a_planted_usage_file_is_a_file(self):
        record = self.run_it("import os, time\nos.symlink('/etc/passwd', 'usage.json')\ntime.sleep(9)",
                             limits={"timeout_ms": 300})
        self.assertEqual(record["status"], "timeout")
        self.assertIsInstance(record["usage"]["wall_ms"], int)

    def test_names_of_the_programs_choice(self):
        names = ["meta.json", ".hidden", "..two", "a b", "ümlaut", "x" * 255, "q\"uote", "new\nline",
                 "rtl\u202eexe.txt", "back\\slash"]
        code = f"for n in {names!r}:\n    open('outputs/' + n, 'w').write('content of ' + n)\n"
        record = self.run_it(code)
        self.assertEqual(len(record["artifacts"]) + len(record["artifacts_refused"]), len(names))
        taken = {artifact["name"]: artifact for artifact in record["artifacts"]}
        for name in ("meta.json", ".hidden", "a b", "ümlaut"):
            self.assertIn(name, taken)
        for name, artifact in taken.items():
            answer = self.ask("GET", artifact["url"][artifact["url"].index("/v1"):], key=None)
            self.assertEqual(answer.status, 200, name)
            self.assertEqual(hashlib.sha256(answer.body).hexdigest(), artifact["sha256"])
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
            disposition = answer.headers["content-disposition"]
            self.assertRegex(disposition, r"^attachment; filename=\"[^\"]*\"; filename\*=UTF-8''\S+$")
        self.assertEqual(self.ask("GET", taken["meta.json"]["url"][
            taken["meta.json"]["url"].index("/v1"):]).body, b"content of meta.json")

    def test_bytes_that_are_no_text_in_a_name_do_no_harm(self):
        record = self.run_it("open(b'outputs/\\xff\\xfe', 'w').write('x')")
        self.assertEqual(len(record["artifacts"]) + len(record["artifacts_refused"]), 1)

    def test_caps_hold_and_tell(self):
        many = "for i in range(12): open(f'outputs/{i}', 'w').write('x')"
        record = self.run_it(many)
        self.assertEqual(len(record["artifacts"]), 10)
        self.assertEqual(len(record["artifacts_refused"]) + record["artifacts_unlisted"], 2)
        record = self.run_it("open('outputs/big', 'wb').write(bytes(2000))\n"
                             "open('outputs/small', 'wb').write(bytes(10))",
                             limits={"max_artifact_bytes": 1000})
        self.assertEqual([item["name"] for item in record["artifacts"]], ["small"])
        self.assertEqual([item["name"] for item in record["artifacts_refused"]], ["big"])
        for none in ({"max_artifact_files": 0}, {"max_artifact_bytes": 0}):
            self.assertEqual(self.run_it(WRITES, limits=none)["artifacts"], [])

    def test_setuid_and_unreadable_files_are_bytes(self):
        record = self.run_it("import os\nopen('outputs/suid', 'w').write('x')\n"
                             "os.chmod('outputs/suid', 0o4755)\n"
                             "open('outputs/none', 'w').write('y')\nos.chmod('outputs/none', 0)")
        self.assertEqual({item["name"] for item in record["artifacts"]}, {"suid", "none"})


if __name__ == "__main__":
    unittest.main()
