#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the unittest files of a folder, and reports as report.py says.

python_tests.py FOLDER [--jobs N]    N files at once: each starts what it needs for itself
python_tests.py FOLDER FILE [TEST…]  this one, or only these tests of it

A file with a line ALONE = True measures or loads the machine: nothing runs beside it.
"""
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import time
import unittest

from report import SECOND_TRY, Report

SLOW_S = 5.0


class Result(unittest.TestResult):
    """One line a test; a subtest that fails is a line of its own. What takes long is said."""

    def __init__(self, report):
        super().__init__()
        self.report = report
        self.began = 0.0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        took_s = time.monotonic() - self.began
        if took_s >= SLOW_S:
            print(f"# {took_s:.0f} s {self._name(test)}", flush=True)

    @staticmethod
    def _name(test):
        return test.id().replace(" (", "[").replace(")", "]")

    def _failed(self, test, error):
        print(self._exc_info_to_string(error, test))
        self.report.add("FAIL", self._name(test), [f"{error[0].__name__}: {error[1]}"[:300]])

    def addSuccess(self, test):
        self.report.add("ok", self._name(test))

    def addError(self, test, err):
        super().addError(test, err)
        self._failed(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._failed(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self._failed(subtest, err)

    def addSkip(self, test, reason):
        self.report.add("skip", self._name(test), [reason])

    def addExpectedFailure(self, test, err):
        self.report.add("FAIL", self._name(test), ["expected failures are not allowed"])

    def addUnexpectedSuccess(self, test):
        self.addExpectedFailure(test, None)


def tests_in(suite):
    """All that a suite holds, however deep."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_in(test)
        else:
            yield test


def run_file(folder, name, *chosen):
    report = Report()
    suite = unittest.defaultTestLoader.discover(folder, pattern=name)
    if chosen:
        suite = unittest.TestSuite(test for test in tests_in(suite) if test.id() in chosen)
    suite.run(Result(report))
    return report.finish()


class Apart:
    """One file, or some of its tests, run in a process of its own."""

    def __init__(self, folder, name, *chosen):
        began = time.monotonic()
        ran = subprocess.run([sys.executable, "-B", __file__, folder, name, *chosen],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, check=False)
        self.folder, self.name = folder, name
        self.seconds = time.monotonic() - began
        self.lines = ran.stdout.decode(errors="replace").splitlines()
        numbers = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped",
                               self.lines.pop() if self.lines else "")
        self.numbers = [int(number) for number in numbers.groups()] if numbers else None
        if not numbers or (ran.returncode != 0 and self.numbers[1] == 0):
            self.broken = f"ended with status {ran.returncode} before it was done"
        else:
            self.broken = None

    def failures(self):
        """{test: why}; those of a test's subtests are the test's."""
        found = {}
        for line in self.lines:
            failed = re.match(r"FAIL ([\w.]+)(.*)", line)
            if failed:
                found[failed[1]] = found.get(failed[1], "") + failed[2].strip().removeprefix("(").removesuffix(")")
        return found


def try_again(report, ran):
    """Those that failed, alone. What passes now is unsteady, and its failure is taken back. When it
    was no test (but what its class needs), the whole file."""
    failures = ran.failures()
    are_tests = all(name.count(".") == 2 for name in failures)
    again = Apart(ran.folder, ran.name, *(failures if are_tests else ()))
    if again.broken or not any(again.numbers):
        return
    print(f"--- {ran.name}, once more: {again.seconds:.0f} s", *again.lines, sep="\n")
    for name in failures.keys() - again.failures().keys():
        report.unsteady(name, [failures[name]])
    taken_back = "^FAIL " if are_tests else "^(FAIL|ok|skip) "
    ran.lines = [re.sub(taken_back, r"# the first time: \g<0>", line) for line in ran.lines]
    passed, skipped = (ran.numbers[0], ran.numbers[2]) if are_tests else (0, 0)
    ran.numbers = [passed + again.numbers[0], again.numbers[1], skipped + again.numbers[2]]


def take_over(report, ran):
    """What a process said, into the numbers of all."""
    print(f"--- {ran.name}: {ran.seconds:.0f} s", *ran.lines, sep="\n", flush=True)
    if ran.broken:
        report.add("FAIL", ran.name, [ran.broken])
    for word, number in zip(("ok", "FAIL", "skip"), ran.numbers or ()):
        report.counts[word] += number


def run_folder(folder, jobs):
    report = Report()
    # The longest first, as far as their size tells.
    files = sorted(pathlib.Path(folder).glob("test*.py"), key=lambda file: -file.stat().st_size)
    alone = [file for file in files if re.search(r"^ALONE = True$", file.read_text(), re.M)]
    failed = []
    for group, at_once in (([file for file in files if file not in alone], jobs), (alone, 1)):
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            for ran in pool.map(lambda file: Apart(folder, file.name), group):
                if SECOND_TRY and not ran.broken and ran.failures():
                    failed.append(ran)
                else:
                    take_over(report, ran)
    for ran in failed:
        try_again(report, ran)
        take_over(report, ran)
    return report.finish()


def main(folder, *words):
    if words and words[0] != "--jobs":
        return run_file(folder, *words)
    return run_folder(folder, int(words[1]) if words else 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
