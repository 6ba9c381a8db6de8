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

from report import SECOND_TRY, Report

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


def is_bad(test):
    return test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL")


def output_of(test):
    return test["stdout"] + "\n" + test.get("stderr", "")


def show(test, which=""):
    """For people; its lines are not ours."""
    lines = output_of(test).strip().splitlines()
    print(f"--- {test['name']}{which}:", *(f"    {line}" for line in lines), "---", sep="\n")


def failed_cases(test):
    found = [case for case in cases_of(output_of(test)) if case[0] == "FAIL"]
    return found or [("FAIL", "", f"{test['result']}, exit status {test['returncode']}")]


def name_of(test, case):
    return f"{test['name']}: {case}" if case else test["name"]


def judge(report, test):
    """One test of meson's log: a program that was run."""
    output = output_of(test)
    cases = cases_of(output)
    if is_bad(test):
        show(test)
        cases = [case for case in cases if case[0] != "FAIL"] + failed_cases(test)
    elif not cases:
        lines = output.strip().splitlines() or ["it does not say why"]
        cases.append(("ok", "", "") if test["result"] == "OK" else ("skip", "", lines[-1]))
    for word, case, reason in cases:
        report.add(word, name_of(test, case), [reason] if reason else [])


def run(folder, *arguments):
    """[test of meson's log]; None when there is nothing to run."""
    log = pathlib.Path(folder, "meson-logs", "check.json")
    log.unlink(missing_ok=True)
    subprocess.run(["meson", "test", "-C", folder, "--no-rebuild", "--logbase", "check", *arguments],
                   env=dict(os.environ, CMOCKA_MESSAGE_OUTPUT="stdout"), stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, check=False)
    if not log.exists():
        return None
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def try_again(report, folder, test):
    """What it did the second time, if that was better."""
    second = [other for other in run(folder, "--num-processes", "1", test["name"]) or ()
              if other["name"] == test["name"]]
    if len(second) != 1 or is_bad(second[0]):
        return test
    show(test, ", the first time")
    for _, case, reason in failed_cases(test):
        report.unsteady(name_of(test, case), [reason])
    return second[0]


def main(folder, *arguments):
    tests = run(folder, *arguments)
    if tests is None:
        sys.exit(f"there are no tests in {folder}")
    report = Report()
    for test in tests:
        judge(report, try_again(report, folder, test) if is_bad(test) and SECOND_TRY else test)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
