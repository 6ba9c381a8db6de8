#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the unittest files of a folder, and reports as report.py says.

python_tests.py FOLDER [--jobs N]    N files at once: each starts what it needs for itself
python_tests.py FOLDER FILE          this one

A file with a line ALONE = True measures or loads the machine: nothing runs beside it.
"""
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import time
import unittest

from report import Report

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


def run_file(folder, name):
    report = Report()
    unittest.defaultTestLoader.discover(folder, pattern=name).run(Result(report))
    return report.finish()


def run_apart(folder, name):
    """One file in a process of its own: what it printed, and how long it took."""
    began = time.monotonic()
    ran = subprocess.run([sys.executable, "-B", __file__, folder, name], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return name, ran.stdout.decode(errors="replace").splitlines(), ran.returncode, time.monotonic() - began


def take_over(report, name, lines, status, seconds):
    """What a process said, into the numbers of all."""
    numbers = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", lines.pop() if lines else "")
    print(f"--- {name}: {seconds:.0f} s", *lines, sep="\n", flush=True)
    if not numbers or (status != 0 and numbers[2] == "0"):
        report.add("FAIL", name, [f"ended with status {status} before it was done"])
    for word, number in zip(("ok", "FAIL", "skip"), numbers.groups() if numbers else ()):
        report.counts[word] += int(number)


def run_folder(folder, jobs):
    report = Report()
    # The longest first, as far as their size tells.
    files = sorted(pathlib.Path(folder).glob("test*.py"), key=lambda file: -file.stat().st_size)
    alone = [file for file in files if re.search(r"^ALONE = True$", file.read_text(), re.M)]
    for group, at_once in (([file for file in files if file not in alone], jobs), (alone, 1)):
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            for ended in pool.map(lambda file: run_apart(folder, file.name), group):
                take_over(report, *ended)
    return report.finish()


def main(folder, *words):
    if words and words[0] != "--jobs":
        return run_file(folder, words[0])
    return run_folder(folder, int(words[1]) if words else 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
