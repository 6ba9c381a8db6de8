# SPDX-License-Identifier: MIT
"""The attack corpus in the program itself: what held, what did not, and what was not tried."""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

from service import RUNNEL

WITHOUT = ["/usr/bin/python3", "-B", str(pathlib.Path(__file__).with_name("without.py"))]
TIMEOUT_S = 300
ROOT_ONLY = unittest.skipUnless(os.geteuid() == 0, "needs root, to be root and another user")


def selftest(*arguments, under=(), environment=None):
    return subprocess.run([*under, RUNNEL, "selftest", *arguments], capture_output=True, text=True,
                          env={**os.environ, **(environment or {})}, timeout=TIMEOUT_S,
                          check=False)


class Selftest(unittest.TestCase):
    def report(self, *arguments, status=0, **how):
        done = selftest("--json", *arguments, **how)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["exit_status"], status)
        return report

    @ROOT_ONLY
    def test_quick_holds_as_root(self):
        report = self.report("--quick")
        self.assertEqual((report["isolation"], report["left"]), ("full", None))
        self.assertEqual({row["held"] for row in report["rows"]}, {"yes"})
        self.assertEqual(sorted(row["layers"][0] for row in report["rows"]),
                         sorted(layer["name"] for layer in report["layers"]))

    @ROOT_ONLY
    def test_quick_holds_as_an_ordinary_user(self):
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        report = self.report("--quick", "--allow-missing=cgroup", under=nobody)
        self.assertFalse(report["privileged"])
        self.assertEqual(report["configuration"]["allow_missing"], ["cgroup"])
        for row in report["rows"]:
            with self.subTest(row["name"]):
                self.assertIn(row["held"], ("yes", "skipped"))
                self.assertEqual(row["held"] == "skipped", row["reason"] == "no cgroup here")

    @ROOT_ONLY
    def test_a_row_that_does_not_hold_is_told(self):
        """On a host where a call answers otherwise than the row must see."""
        host = [*WITHOUT, "ftruncate", "EPERM"]
        report = self.report("--only", "017,055", under=host, status=1)
        held = {row["number"]: row["held"] for row in report["rows"]}
        self.assertEqual(held, {"17": "no", "55": "yes"})
        self.assertIn("expected ^ftruncate: EFBIG$, seen 'ftruncate: EPERM",
                      report["rows"][0]["reason"])
        done = selftest("--only", "017", under=host)
        self.assertEqual(done.returncode, 1)
        self.assertIn("017_sparse_1T (c; rlimits)", done.stdout)
        self.assertIn("it does not hold: 0 held, 1 did not hold", done.stdout.splitlines()[-1])

    @ROOT_ONLY
    def test_a_layer_that_is_missing_skips_its_rows_by_its_name(self):
        host = [*WITHOUT, "landlock_create_ruleset", "ENOSYS"]
        done = selftest("--quick", under=host)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("'landlock' does not hold", done.stderr)
        report = self.report("--only", "041_read_top", "--allow-missing=landlock", under=host, status=2)
        self.assertEqual([row["reason"] for row in report["rows"]], ["no landlock here"])

    @ROOT_ONLY
    def test_a_lower_ceiling_is_used_and_told(self):
        report = self.report("--only", "019,054", environment={"RUNNEL_MAX_OPEN_FILES": "32"})
        self.assertEqual(report["configuration"]["ceiling"], {"open_files": 32})
        held = {row["number"]: (row["held"], row["reason"]) for row in report["rows"]}
        self.assertEqual(held["19"],
                         ("undecided", "a ceiling is lower than what it needs (open-files)"))
        self.assertEqual((held["54"][0], report["undecided"]), ("yes", 1))

    @ROOT_ONLY
    def test_a_ceiling_of_something_else_excuses_no_failure(self):
        report = self.report("--only", "017", under=[*WITHOUT, "ftruncate", "EPERM"], status=1,
                             environment={"RUNNEL_MAX_QUEUE_TIMEOUT": "5s",
                                          "RUNNEL_MAX_ARTIFACT_FILES": "1"})
        self.assertEqual(report["rows"][0]["held"], "no")

    @ROOT_ONLY
    def test_the_report_is_whole_and_80_columns_wide(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "report.txt"
            done = selftest("--only", "identity", "--report", str(path))
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            text = path.read_text(encoding="utf-8")
        for line in (done.stdout + text).splitlines():
            self.assertLessEqual(len(line), 80, line)
        self.assertRegex(text, re.compile(r"^host: .*Linux", re.M))
        self.assertRegex(text, re.compile(r"^runnel selftest \S+: \d+ rows, \d{4}-", re.M))
        self.assertRegex(text, re.compile(r"^054_setids +c +identity +held +\d+$", re.M))
        self.assertRegex(text, re.compile(r"^  uid_base = \d+$", re.M))

    @ROOT_ONLY
    def test_interrupted_it_says_so_and_leaves_nothing(self):
        with subprocess.Popen([RUNNEL, "selftest", "--json", "--only", "009,087"],
                              stdout=subprocess.PIPE, text=True) as running:
            time.sleep(1)
            running.send_signal(signal.SIGINT)
            report = json.loads(running.communicate(timeout=TIMEOUT_S)[0])
        self.assertEqual((running.returncode, report["left"]), (2, None))
        self.assertIn("not_run", [row["held"] for row in report["rows"]])

    @ROOT_ONLY
    def test_no_canary_is_left(self):
        before = set(pathlib.Path("/tmp").glob(".runnel-canary-*"))
        self.report("--only", "041,060,061")
        self.assertEqual(set(pathlib.Path("/tmp").glob(".runnel-canary-*")) - before, set())

    def test_the_rows_are_listed(self):
        done = selftest("--list")
        self.assertEqual(done.returncode, 0)
        self.assertGreater(len(done.stdout.splitlines()), 200)
        self.assertEqual(len(selftest("--list", "--quick").stdout.splitlines()), 11)
        self.assertRegex(selftest("--list", "--only", "055").stdout, "^55 +055_userns +c +seccomp$")

    def test_a_report_that_cannot_be_written_is_told_at_once(self):
        done = selftest("--report", "/proc/none/report")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--report /proc/none/report", done.stderr)

    def test_what_names_no_row_is_a_mistake(self):
        done = selftest("--only", "no-such-row")
        self.assertEqual((done.returncode, done.stdout), (64, ""))
        self.assertIn("--only no-such-row: no row has such a number", done.stderr)
        for words in ("forkbomb,zzz", "zzz, forkbomb", ","):
            done = selftest("--list", "--only", words)
            self.assertEqual((done.returncode, done.stdout), (64, ""), words)

    def test_a_list_has_no_report(self):
        for more in (["--json"], ["--report", "/proc/none/report"]):
            done = selftest("--list", *more)
            self.assertEqual((done.returncode, done.stdout), (64, ""))
            self.assertIn("--list runs nothing", done.stderr)


if __name__ == "__main__":
    unittest.main()
