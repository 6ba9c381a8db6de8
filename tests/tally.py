#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts one part of ./check from its log.

tally.py PART LOG STATUS    prints "PASSED FAILED SKIPPED"

Numbers are believed only when they were printed (report.py) and the exit status agrees.
A skip counts as one only when tests/skips.txt has its reason; any other is a failure,
and said at the end of the log.
"""
import fnmatch
import pathlib
import re
import sys

ALLOWED = pathlib.Path(__file__).with_name("skips.txt")


def allowed_skips():
    lines = ALLOWED.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def tally(part, lines, status):
    """The three numbers, and what is wrong with the log."""
    numbers = [found for line in lines
               if (found := re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", line))]
    if not numbers:
        return 0, 1, 0, [f"{part} ended with status {status} before it was done"]
    passed, failed, skipped = map(int, numbers[-1].groups())
    complaints = []
    skips = [line.removeprefix("skip ") for line in lines if line.startswith("skip ")]
    if len(skips) != skipped:
        complaints.append(f"{skipped} skipped, but {len(skips)} said why")
    allowed = allowed_skips()
    for skip in skips:
        if not any(fnmatch.fnmatchcase(f"{part}: {skip}", pattern) for pattern in allowed):
            complaints.append(f"not on the list of tests/skips.txt: {part}: {skip}")
    if status not in (0, 77) and not failed and not complaints:
        complaints.append(f"{part} ended with status {status}")
    failed += len(complaints)
    return passed, failed, max(skipped - len(complaints), 0), complaints


def main(part, log, status):
    with open(log, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    passed, failed, skipped, complaints = tally(part, lines, int(status))
    with open(log, "a", encoding="utf-8") as file:
        file.writelines(f"FAIL {text}\n" for text in complaints)
    print(passed, failed, skipped)


if __name__ == "__main__":
    main(*sys.argv[1:])
