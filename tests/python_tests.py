#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the unittest files of a folder, and reports as report.py says.

python_tests.py FOLDER
"""
import sys
import unittest

from report import Report


class Result(unittest.TestResult):
    """One line a test; a subtest that fails is a line of its own."""

    def __init__(self, report):
        super().__init__()
        self.report = report

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


def main(folder):
    report = Report()
    unittest.defaultTestLoader.discover(folder).run(Result(report))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
