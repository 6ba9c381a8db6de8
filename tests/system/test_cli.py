# SPDX-License-Identifier: MIT
"""The command line, as a person and a script use it."""

import json
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from service import BOUND_S, RUNNEL, Service, descendants, is_alive, read_until, wait_until

DOUBLE_C = '#include <stdio.h>\nint main(void){int x; scanf("%d",&x); printf("%d\\n", 2*x); return 3;}\n'

# Brings up a loopback that has no ::1, and becomes the command.
IPV4_ALONE = """
import fcntl, os, pathlib, socket, struct, sys
switch = pathlib.Path("/proc/sys/net/ipv6/conf/all/disable_ipv6")
if switch.exists():
    switch.write_text("1")
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING))
os.execv(sys.argv[1], sys.argv[1:])
"""


class Folder(unittest.TestCase):
    """Each test has a folder of its own and calls runnel in it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return name

    def runnel(self, *arguments, stdin="", timeout=120):
        return subprocess.run([RUNNEL, *arguments], input=stdin, capture_output=True, text=True,
                              cwd=self.folder, timeout=timeout, check=False)

    def result(self, *arguments, **more):
        return json.loads(self.runnel("run", "--json", *arguments, **more).stdout)


class Run(Folder):
    def test_the_language_is_told_by_the_file_s_ending(self):
        done = self.runnel("run", self.write("hello.py", "print('hello')"))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "hello\n", ""))

    def test_a_module_of_javascript_is_one(self):
        name = self.write("x.mjs", "console.log(import.meta.url.split('/').pop(), typeof require)\n")
        done = self.runnel("run", name)
        self.assertEqual((done.stdout, done.stderr), ("main.mjs undefined\n", ""))

    def test_stdin_goes_to_the_program_and_its_exit_status_comes_back(self):
        name = self.write("double.c", DOUBLE_C)
        done = self.runnel("run", "--language", "c", name, stdin="21\n")
        self.assertEqual((done.returncode, done.stdout), (3, "42\n"))

    def test_compile_errors_go_to_stderr(self):
        done = self.runnel("run", self.write("wrong.c", "int main(void) { return x; }"))
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")
        self.assertIn("'x' undeclared", done.stderr.replace("‘", "'").replace("’", "'"))

    def test_output_appears_as_it_is_made(self):
        name = self.write("slow.py", "import time; print('first'); time.sleep(30)")
        with subprocess.Popen([RUNNEL, "run", name], stdout=subprocess.PIPE, cwd=self.folder,
                              text=True) as child:
            began = time.monotonic()
            self.assertEqual(child.stdout.readline(), "first\n")
            self.assertLess(time.monotonic() - began, 9)
            child.send_signal(signal.SIGINT)
            self.assertEqual(child.wait(BOUND_S), 130)

    def test_an_answer_may_depend_on_what_was_read(self):
        name = self.write("ask.py", "print('name?'); print('hi', input())")
        with subprocess.Popen([RUNNEL, "run", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              cwd=self.folder, text=True) as child:
            self.assertEqual(child.stdout.readline(), "name?\n")
            child.stdin.write("Ada\n")
            child.stdin.flush()
            self.assertEqual(child.stdout.readline(), "hi Ada\n")
            child.stdin.close()
            self.assertEqual(child.wait(BOUND_S), 0)

    def test_arguments_variables_and_files_arrive(self):
        self.write("data.txt", "forty-two")
        name = self.write("all.py", "import os, sys\n"
                                    "print(sys.argv[1:], os.environ['GREETING'])\n"
                                    "print(open('data.txt').read(), open('sub/x').read())\n")
        done = self.runnel("run", "--env", "GREETING=hello you", "--file", "data.txt",
                           "--file=data.txt=sub/x", name, "--", "-v", "two words")
        self.assertEqual(done.stdout, "['-v', 'two words'] hello you\nforty-two forty-two\n")

    def test_the_program_may_come_from_stdin(self):
        done = self.runnel("run", "--language=python", "-", stdin="print(6 * 7)")
        self.assertEqual(done.stdout, "42\n")

    def test_megabytes_pass_through_unaltered(self):
        name = self.write("cat.py", "import sys, shutil\n"
                                    "shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)\n")
        data = os.urandom(5 << 20)
        done = subprocess.run([RUNNEL, "run", "--max-output", "16M", name], input=data,
                              capture_output=True, cwd=self.folder, timeout=120, check=False)
        self.assertEqual(done.stderr, b"")
        self.assertTrue(done.stdout == data, "bytes differ")

    def test_a_signal_of_the_program_is_told(self):
        name = self.write("abort.py", "import os; os.abort()")
        done = self.runnel("run", name)
        self.assertEqual(done.returncode, 128 + signal.SIGABRT)
        self.assertIn("killed_by_signal", done.stderr)

    def test_a_limit_of_time_is_told(self):
        done = self.runnel("run", "--timeout", "300ms", self.write("loop.py", "while True: pass"))
        self.assertEqual(done.returncode, 124)
        self.assertIn("timeout: ", done.stderr)

    def test_output_over_the_cap_ends_it_to_the_byte(self):
        name = self.write("flood.py", "import sys\nwhile True: sys.stdout.write('x' * 1000)")
        done = self.runnel("run", "--max-output", "5000", name)
        self.assertEqual((done.returncode, len(done.stdout)), (125, 5000))

    def test_a_reader_that_goes_away_ends_it(self):
        name = self.write("yes.py", "while True: print('y')")
        with subprocess.Popen([RUNNEL, "run", "--timeout=60s", "--max-output=1G", name],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              cwd=self.folder) as child:
            self.assertEqual(child.stdout.readline(), b"y\n")
            child.stdout.close()
            self.assertEqual((child.wait(BOUND_S), child.stderr.read()), (141, b""))

    def test_a_full_disk_behind_its_output_is_told(self):
        name = self.write("hello.sh", "echo hello")
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([RUNNEL, "run", name], stdin=subprocess.DEVNULL, stdout=full,
                                  stderr=subprocess.PIPE, text=True, cwd=self.folder, check=False)
        self.assertEqual(done.returncode, 74)
        self.assertIn("runnel: write the program's output: No space left on device", done.stderr)

    def test_killed_outright_it_leaves_no_process(self):
        name = self.write("sleep.sh", "sleep 300 & sleep 300")
        with subprocess.Popen([RUNNEL, "run", "--timeout=300s", name], cwd=self.folder) as child:
            wait_until("it runs", lambda: len(descendants(child.pid)) >= 4)
            family = descendants(child.pid)
            child.kill()
            child.wait()
        wait_until("all are gone", lambda: not any(is_alive(pid) for pid in family))

    def test_ctrl_c_at_a_terminal_cancels_the_run(self):
        name = self.write("sleep.py", "import time; print('first'); time.sleep(60)")
        pid, terminal = pty.fork()  # a session of its own: the key reaches all that is in it
        if pid == 0:
            os.chdir(self.folder)
            os.execv(RUNNEL, [RUNNEL, "run", "--timeout=60s", name])
        self.addCleanup(os.close, terminal)
        read_until(terminal, b"first")
        os.write(terminal, b"\x03")
        read_until(terminal, b"cancelled: it was interrupted")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 130)

    def test_a_second_signal_does_not_wait_for_the_run(self):
        name = self.write("slow.py", "import time; print('first'); time.sleep(60)")
        with subprocess.Popen([RUNNEL, "run", "--timeout=60s", name], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, cwd=self.folder) as child:
            self.assertEqual(child.stdout.readline(), b"first\n")
            family = descendants(child.pid)
            child.send_signal(signal.SIGTERM)
            child.send_signal(signal.SIGINT)
            # The second may come when the first has done all, and its handlers are gone.
            self.assertIn(child.wait(BOUND_S), (130, -signal.SIGINT))
        wait_until("all are gone", lambda: not any(is_alive(pid) for pid in family))

    def test_a_hangup_ends_it_unless_it_was_started_under_nohup(self):
        name = self.write("two.py", "print('first'); input(); print('second')")
        for ignored, ends in ((False, (130, b"")), (True, (0, b"second\n"))):
            before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
            try:
                child = subprocess.Popen([RUNNEL, "run", name], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                         cwd=self.folder)
            finally:
                signal.signal(signal.SIGHUP, before)
            with self.subTest(ignored=ignored), child:
                self.assertEqual(child.stdout.readline(), b"first\n")
                child.send_signal(signal.SIGHUP)
                if not ignored:
                    self.assertEqual(child.wait(BOUND_S), 130)
                rest, _ = child.communicate(b"\n" if ignored else None, timeout=BOUND_S)
                self.assertEqual((child.returncode, rest), ends)

    def test_it_works_without_standard_descriptors(self):
        name = self.write("hello.sh", "echo hello; cat")
        for closed, said in (("<&-", b"hello\n"), ("2>&-", b"hello\n"), (">&-", b""),
                             ("<&- >&- 2>&-", b"")):
            with self.subTest(closed):
                done = subprocess.run(["/bin/sh", "-c", f'exec "$0" run {name} {closed}', RUNNEL],
                                      stdin=subprocess.DEVNULL, capture_output=True,
                                      cwd=self.folder, timeout=60, check=False)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, said, b""))

    def test_without_descriptors_to_spare_it_says_so_and_ends(self):
        name = self.write("hello.sh", "echo hello")
        for limit in range(4, 40, 2):
            with self.subTest(limit=limit):
                done = subprocess.run(["/bin/sh", "-c", f'ulimit -n {limit}; exec "$0" run {name}',
                                       RUNNEL], stdin=subprocess.DEVNULL, capture_output=True,
                                      text=True, cwd=self.folder, timeout=60, check=False)
                self.assertLess(done.returncode, 128, done.stderr)
                if done.returncode != 0:
                    self.assertNotEqual(done.stderr, "")

    def test_a_compiler_that_a_signal_ended_is_told(self):
        self.write("x.lang", "name = x\ntitle = X\nextensions = x\nsource = main.x\n"
                             "compile = /usr/bin/bash {source}\nexecute = /usr/bin/bash {source}\n"
                             "requires = /usr/bin/bash\n")
        done = self.runnel("run", "--languages-dirs=.", self.write("a.x", "kill -SEGV $$"))
        self.assertEqual(done.returncode, 128 + signal.SIGSEGV)
        self.assertIn("compile_failed: ", done.stderr)

    def test_it_works_at_a_terminal_and_leaves_its_mode_alone(self):
        name = self.write("hello.py", "print('hello')")
        main, terminal = pty.openpty()
        try:
            child = subprocess.run([RUNNEL, "run", name], stdin=terminal, stdout=terminal,
                                   stderr=terminal, cwd=self.folder, timeout=60, check=False)
            self.assertEqual(child.returncode, 0)
            self.assertIn(b"hello", os.read(main, 1000))
            self.assertTrue(os.get_blocking(terminal))
        finally:
            os.close(main)
            os.close(terminal)


class Json(Folder):
    def test_one_object_tells_everything(self):
        result = self.result(self.write("both.py", "import sys\nprint('out')\n"
                                                   "print('err', file=sys.stderr)\nsys.exit(7)"))
        self.assertEqual(result["verdict"], "failed")
        self.assertEqual((result["stdout"], result["stderr"]), ("out\n", "err\n"))
        self.assertEqual((result["exit_code"], result["signal"]), (7, None))
        self.assertEqual(result["language"], "python")
        self.assertGreater(result["usage"]["memory_peak_bytes"], 1 << 20)

    def test_limits_in_force_are_shown(self):
        name = self.write("x.py", "")
        result = self.result("--memory", "64M", "--timeout", "2s", "--cpus", "0.5", name)
        limits = result["limits"]
        self.assertEqual((limits["memory_mb"], limits["timeout_ms"], limits["cpus"]),
                         (64, 2000, 0.5))

    def test_what_is_not_text_is_made_text(self):
        result = self.result(self.write("bytes.py", "import sys; sys.stdout.buffer.write(b'\\xff!')"))
        self.assertEqual(result["stdout"], "\ufffd!")


class Outputs(Folder):
    """Files that a program leaves in outputs/ are put where its user says."""

    LEAVES = """
import os
os.makedirs("outputs/a/b")
open("outputs/a/b/deep.txt", "w").write("deep")
open("outputs/plot.svg", "wb").write(os.urandom(300000))
os.symlink("/etc/passwd", "outputs/link")
"""

    def setUp(self):
        super().setUp()
        self.name = self.write("leaves.py", self.LEAVES)

    def test_they_are_there_afterwards_and_what_is_refused_is_told(self):
        done = self.runnel("run", "--outputs", "kept", self.name)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertEqual(done.stderr,
                         'runnel: "link" of outputs/ was not kept: a symbolic link\n')
        kept = self.folder / "kept"
        self.assertEqual((kept / "a/b/deep.txt").read_text(), "deep")
        self.assertEqual((kept / "plot.svg").stat().st_size, 300000)
        self.assertFalse((kept / "link").is_symlink())

    def test_json_names_them(self):
        result = self.result("-o", "kept", "--artifact-files", "1", self.name)
        self.assertEqual(result["artifacts"], [{"name": "a/b/deep.txt", "size": 4}])
        self.assertEqual([(row["name"], row["reason"]) for row in result["artifacts_refused"]],
                         [("link", "a symbolic link"), ("plot.svg", "more than 1 files")])

    def test_none_is_put_in_place_of_another(self):
        """The program chooses the names: it must not choose a file of its user's."""
        kept, mine = self.folder / "kept", self.folder / "mine"
        kept.mkdir()
        mine.write_text("mine")
        for be_mine in ("symlink_to", "hardlink_to"):
            with self.subTest(be_mine):
                getattr(kept / "plot.svg", be_mine)(mine)
                done = self.runnel("run", "-o", "kept", self.name)
                self.assertEqual(done.returncode, 74)
                self.assertIn("outputs/plot.svg is not put in place of another (name an empty folder): "
                              "File exists", done.stderr)
                self.assertEqual(mine.read_text(), "mine")
                self.assertEqual((kept / "a/b/deep.txt").read_text(), "deep")
                (kept / "a/b/deep.txt").unlink()
                (kept / "plot.svg").unlink()

    def test_no_link_in_the_folder_is_followed(self):
        kept, other = self.folder / "kept", self.folder / "other"
        kept.mkdir()
        (other / "b").mkdir(parents=True)
        (kept / "a").symlink_to(other)
        done = self.runnel("run", "-o", "kept", self.name)
        self.assertEqual(done.returncode, 74)
        self.assertIn("outputs/a/b/deep.txt: Not a directory", done.stderr)
        self.assertEqual(list(other.rglob("*")), [other / "b"])
        self.assertEqual((kept / "plot.svg").stat().st_size, 300000)

    def test_where_they_cannot_be_kept_nothing_runs(self):
        done = self.runnel("run", "-o", "not/there", self.write("says.py", "print('ran')"))
        self.assertEqual((done.returncode, done.stdout), (74, ""))
        self.assertIn("--outputs not/there: No such file or directory", done.stderr)


class Mistakes(Folder):
    """One line that names what is wrong, and how to put it right; nothing runs."""

    def check(self, status, pattern, *arguments):
        done = self.runnel(*arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertRegex(done.stderr, pattern)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_each_is_told_in_one_line(self):
        name = self.write("x.py", "print('ran')")
        self.write("x.unknown", "")
        storage = f"--storage-dir={self.folder}/storage"
        rows = [
            (64, r"which program\?", "run"),
            (64, r"did you mean 'python'", "run", "-l", "pyton", name),
            (64, r"no language 'constructor'", "run", "-l", "constructor", name),
            (64, r"its ending tells no language", "run", "x.unknown"),
            (66, r"nothere\.py: No such file", "run", "nothere.py"),
            (64, r"did you mean --memory", "run", "--memry", "1M", name),
            (64, r"options stand behind --", "run", name, "--verbose"),
            (64, r"did you mean 'nodejs'", "run", "-l", "nodjs", name),
            (64, r"choose one", "run", "-i", "--json", name),
            (64, r"did you mean 'listen'", "serve", "--lisen=127.0.0.1:1"),
            (64, r"--memory 64Q: write a size from 4 MiB to 1024 GiB, as in 512K", "run", "--memory", "64Q", name),
            (64, r"--memory 1K: write a size from 4 MiB to 1024 GiB", "run", "--memory", "1K", name),
            (64, r"--timeout -1", "run", "--timeout", "-1", name),
            (64, r"--timeout 99999999999999999999999", "run", "--timeout",
             "99999999999999999999999s", name),
            (64, r"--memory: a value is missing", "run", name, "--memory"),
            (64, r"NAME=VALUE", "run", "--env", "NOVALUE", name),
            (64, r"LD_PRELOAD may not be set", "run", "--env", "LD_PRELOAD=x", name),
            (66, r"gone\.txt", "run", "--file", "gone.txt", name),
            (64, r"did you mean 'serve'", "sevre"),
            (64, r"takes options only", "doctor", "now"),
            (64, r"extra: 'runnel help' tells of one verb", "help", "run", "extra"),
            (64, r"--label is for 'runnel key create' alone", "key", "list", "--label", "ci", storage),
            (64, r"--expires is for", "key", "revoke", "1", "--expires=1d", storage),
            (78, r"no layer 'landlok'", "run", "--allow-missing=landlok", name),
            (78, r"unknown key", "serve", "--config", self.write("bad.conf", "prot = 1\n")),
            (78, r"anybody who reaches this address", "serve", "--listen=0.0.0.0:1"),
            (78, r"no dialect 'soap'", "serve", "--listen=127.0.0.1:1=soap"),
            (78, r"ADDR:PORT", "serve", "--listen=8080"),
        ]
        for status, pattern, *arguments in rows:
            with self.subTest(" ".join(arguments)):
                self.check(status, pattern, *arguments)

    def test_a_mistake_in_the_configuration_is_told_with_its_line(self):
        self.check(78, r"bad\.conf:2: ", "serve", "--config",
                   self.write("bad.conf", "port = 8080\nmax_memory = lots\n"))

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to put a file into /etc that others may not read")
    def test_a_configuration_that_may_not_be_read_names_the_remedy(self):
        name = self.write("hello.sh", "echo hello")
        self.folder.chmod(0o755)
        alone = ("mount -t tmpfs none /etc && mkdir /etc/runnel && umask 077 &&"
                 " echo 'max_cpus = 1' >/etc/runnel/runnel.conf && exec setpriv --reuid=65534"
                 ' --regid=65534 --clear-groups -- "$@"')
        for options, status, says in (([], 78, r"; name another with --config \(/dev/null is an empty"),
                                      (["--config", "/dev/null"], 0, "^$")):
            done = subprocess.run(["unshare", "--mount", "sh", "-c", alone, "sh", RUNNEL, "run",
                                   "--allow-missing=cgroup", *options, name], capture_output=True,
                                  text=True, cwd=self.folder, check=False, timeout=60)
            self.assertRegex(done.stderr, says)
            self.assertEqual(done.returncode, status)

    def test_what_only_its_user_finds_wrong_is_told_with_its_line_too(self):
        rows = [
            ("run", "allow_missing = landlok", "there is no layer 'landlok' (they are cgroup, "),
            ("run", "languages_dirs = /absent", "cannot read '/absent'"),
            ("serve", "listen = 127.0.0.1:1=soap", "no dialect 'soap' (they are execute, "),
            ("serve", "listen = 0.0.0.0:1", "anybody who reaches this address"),
            ("serve", "cors_origins = https://a/b", "'https://a/b' is not an origin"),
            ("serve", "server_names = https://code.example.com", "is no name: write code.example"),
            ("serve", "server_names = code.example.com:80", "is no name: write code.example"),
            ("serve", "server_names = *.example.com", "is no name: write code.example"),
            ("serve", "public_base_url = code.example.com", "is no beginning of a link"),
            ("serve", "public_base_url = https://code.example.com/", "is no beginning of a link"),
            ("serve", "trusted_proxies = proxy", "'proxy' is neither an address"),
            ("serve", "allow_anonymous = soap", "there is no dialect 'soap' (they are execute,"),
            ("serve", "dependencies = numpy", "write LANGUAGE:NAME"),
            ("serve", "webhook_networks = lan", "'lan' is no network"),
            ("serve", "api_keys = a b", "entry 1 has no token"),
            ("serve", "broker = http://mq", "does not begin with amqp://"),
            ("worker", "broker = http://mq", "does not begin with amqp://"),
            ("workers", "stream = http://cache", "does not begin with redis://"),
        ]
        for verb, setting, says in rows:
            second = "stream = redis://x" if "broker" in setting else "max_cpus = 1"
            name = self.write("bad.conf", f"max_memory = 1G\n{second}\n{setting}\n")
            words = [self.write("x.py", "")] if verb == "run" else []
            if verb == "serve":
                words = [f"--storage-dir={self.folder}/storage", "--port=0"]
            with self.subTest(setting):
                self.check(78, rf"bad\.conf:3: .*{re.escape(says)}", verb, "--config", name, *words)

    def test_keys_that_cannot_be_read_are_not_told_as_missing(self):
        (self.folder / "storage").mkdir()
        self.write("storage/runnel.db", "no database\n" * 1000)
        self.check(78, "cannot use the storage folder .*: file is not a database", "serve",
                   f"--storage-dir={self.folder}/storage", "--listen=0.0.0.0:1")

    def test_an_address_that_is_not_free_or_not_there_is_worth_another_start(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            rows = [(f"127.0.0.1:{taken.getsockname()[1]}", "Address already in use"),
                    ("192.0.2.1:8080", "Cannot assign requested address")]
            for address, says in rows:
                with self.subTest(address):
                    self.check(75, rf"^runnel: cannot listen on {address}: {says}$", "serve",
                               f"--storage-dir={self.folder}/storage", f"--listen={address}",
                               "--api-keys=secret:me")

    def test_more_runs_than_there_are_open_files_for_are_refused_at_the_start(self):
        name = self.write("few.conf", f"concurrency = 40\nstorage_dir = {self.folder}/storage\n")
        done = subprocess.run(["prlimit", "--nofile=300:300", RUNNEL, "serve", "--config", name, "--port=0"],
                              capture_output=True, text=True, cwd=self.folder, check=False, timeout=60)
        self.assertEqual(done.returncode, 78, done)
        self.assertRegex(done.stderr, r"few\.conf:1: concurrency: the hard limit of open files is enough for 2 runs")

    @unittest.skipUnless(os.geteuid() == 0, "needs root, for host users")
    def test_more_runs_than_there_are_host_users_for_are_refused_at_the_start(self):
        name = self.write("many.conf", f"concurrency = 1023\nstorage_dir = {self.folder}/storage\n")
        self.check(78, r"many\.conf:1: concurrency: there are host users for 1022 runs at once",
                   "serve", "--config", name, "--port=0")

    def test_switches_of_other_services_are_not_ignored_silently(self):
        name = self.write("x.py", "print('ran')")
        for variable in ("DISABLE_SANDBOX_SECURITY", "SECCOMP_PROFILE", "APPARMOR_PROFILE"):
            done = subprocess.run([RUNNEL, "run", name], capture_output=True, text=True,
                                  cwd=self.folder, env={**os.environ, variable: "1"}, check=False)
            self.assertEqual(done.returncode, 78)
            self.assertIn(variable, done.stderr)
            self.assertEqual(done.stdout, "")


class Serve(Folder):
    def test_it_says_where_it_serves_and_ends_with_0(self):
        with Service("--listen=127.0.0.2:0=execute") as service:
            self.assertEqual(service.run("bash", "echo hello")["output"], "hello\n")
            self.assertRegex(service.log(),
                             rf"(?m)^runnel serves on http://localhost:{service.port}, "
                             r"http://127\.0\.0\.2:[1-9]\d* \(execute\)$")
            self.assertIn('"event":"started"', service.log())
            service.process.send_signal(signal.SIGTERM)
            self.assertEqual(service.process.wait(BOUND_S), 0)
            self.assertIn('"event":"stopped"', service.log())

    def test_a_finished_run_is_logged_without_what_it_said(self):
        with Service() as service:
            service.run("bash", "echo shibboleth # a secret")
            line = next(json.loads(line) for line in service.log().splitlines()
                        if '"run_finished"' in line)
            self.assertEqual((line["language"], line["verdict"]), ("bash", "succeeded"))
            self.assertNotIn("shibboleth", service.log())
            self.assertNotIn("secret", service.log())

    def test_while_it_ends_it_says_so_to_whoever_comes(self):
        with Service("--shutdown-grace=60s") as service:
            answers = []
            asking = threading.Thread(
                target=lambda: answers.append(service.run("bash", "echo up; sleep 3; echo done")))
            asking.start()
            wait_until("the run has started",
                       lambda: service.request("GET", "/health")[1]["running"] == 1)
            service.process.send_signal(signal.SIGTERM)
            wait_until("it ends", lambda: service.request("GET", "/health")[0] == 503)
            status, answer = service.request("POST", "/execute", {"language": "bash", "code": ":"})
            self.assertEqual((status, answer["code"]), (503, "shutting_down"))
            self.assertIsNone(service.process.poll())
            asking.join(BOUND_S)
            self.assertEqual(answers[0]["output"], "up\ndone\n")
            self.assertEqual(service.process.wait(BOUND_S), 0)

    @unittest.skipUnless(os.geteuid() == 0, "needs root, for a network of its own")
    def test_a_host_without_ipv6_is_served_on_ipv4_alone(self):
        command = ["unshare", "--net", "/usr/bin/python3", "-c", IPV4_ALONE, RUNNEL, "serve",
                   "--port=8080"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=self.folder) as child:
            self.assertEqual(child.stdout.readline(), "runnel serves on http://localhost:8080\n")
            child.terminate()
            _, log = child.communicate(timeout=BOUND_S)
            self.assertEqual(child.returncode, 0)
        self.assertIn('"event":"no_ipv6_loopback"', log)


class Others(Folder):
    def test_help_teaches_every_verb(self):
        overview = self.runnel("--help")
        self.assertEqual(overview.returncode, 0)
        for verb in ("run", "serve", "languages", "doctor"):
            self.assertIn(verb, overview.stdout)
            for arguments in ((verb, "--help"), ("help", verb)):
                text = self.runnel(*arguments)
                self.assertEqual(text.returncode, 0)
                self.assertIn("examples:", text.stdout)

    def test_version_is_told(self):
        self.assertRegex(self.runnel("--version").stdout, r"^runnel \d+\.\d+\.\d+\n$")

    def test_languages_are_listed_with_versions(self):
        listed = json.loads(self.runnel("languages", "--json").stdout)
        python = next(language for language in listed if language["name"] == "python")
        self.assertTrue(python["installed"])
        self.assertRegex(python["version"], r"^3\.\d+")

    def test_doctor_tells_each_layer(self):
        report = json.loads(self.runnel("doctor", "--json").stdout)
        names = [layer["name"] for layer in report["layers"]]
        self.assertEqual(names, ["cgroup", "namespaces", "network", "root", "identity", "rlimits",
                                 "descriptors", "landlock", "seccomp"])
        if report["usable"]:
            self.assertIsNone(report["refusal"])

    def test_a_full_disk_behind_stdout_is_an_error(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([RUNNEL, "version"], stdout=full, stderr=subprocess.PIPE,
                                  text=True, check=False)
        self.assertEqual(done.returncode, 74)
        self.assertEqual(done.stderr, "runnel: stdout cannot be written: No space left on device\n")

    def test_who_reads_no_further_is_told_nothing(self):
        for arguments in (["version"], ["serve", "--help"], ["selftest", "--list"]):
            with self.subTest(" ".join(arguments)):
                reader, writer = os.pipe()
                os.close(reader)
                with open(writer, "w", encoding="utf-8") as unread:
                    done = subprocess.run([RUNNEL, *arguments], stdout=unread,
                                          stderr=subprocess.PIPE, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (141, ""))


if __name__ == "__main__":
    unittest.main()
