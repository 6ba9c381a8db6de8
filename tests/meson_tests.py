#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the tests of a build folder and counts the cases inside each program.

meson_tests.py FOLDER [ARGUMENT OF meson test…]

Cases are cmocka's, or lines of report.py. A program that ends well without naming any
is one case. A reason to skip is what the case printed last.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

from report import Report

CMOCKA_END = re.compile(r"\[ +(OK|FAILED|SKIPPED) +\] (\w+)$")
REPORT_LINE = re.compile(r"(ok|FAIL|skip) ([^(]+?)(?: \((.*)\))?$")
WORDS = {"OK": "ok", "FAILED": "FAIL", "SKIPPED": "skip"}


def cases_of(output):
    """[(word, name, reason)] of a program's output."""
    cases, running, said = [], None, ""
    for line in output.splitlines():
        end, own = CMOCKA_END.match(line), REPORT_LINE.match(line)
        if line.startswith("[ RUN      ] "):
            running, said = line[13:], ""
        elif end and end[2] == running:
            reason = re.sub(r"^skipped: ", "", said) or "it does not say why"
            cases.append((WORDS[end[1]], running, "" if end[1] == "OK" else reason))
            running = None
        elif own and not running:
            cases.append((own[1], own[2], own[3] or ""))
        elif line.strip():
            said = line.strip()
    return cases


def judge(report, test):
    """One test of meson's log: a program that was run."""
    output = test["stdout"] + "\n" + test.get("stderr", "")
    cases, bad = cases_of(output), test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL")
    words = {word for word, _, _ in cases}
    if bad and "FAIL" not in words:
        cases.append(("FAIL", "", f"{test['result']}, exit status {test['returncode']}"))
    elif not cases:
        lines = output.strip().splitlines() or ["it does not say why"]
        cases.append(("ok", "", "") if test["result"] == "OK" else ("skip", "", lines[-1]))
    if bad:
        print(f"--- {test['name']}:\n{output.strip()}\n---")
    for word, case, reason in cases:
        report.add(word, f"{test['name']}: {case}" if case else test["name"],
                   [reason] if reason else [])


def main(folder, *arguments):
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="stdout")
    log = pathlib.Path(folder, "meson-logs", "check.json")
    log.unlink(missing_ok=True)
    subprocess.run(["meson", "test", "-C", folder, "--no-rebuild", "--logbase", "check",
                    *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   check=False)
    if not log.exists():
        sys.exit(f"there are no tests in {folder}")
    report = Report()
    for line in log.read_text(encoding="utf-8").splitlines():
        judge(report, json.loads(line))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
