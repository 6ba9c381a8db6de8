#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does every C file look as .clang-format says? To mend one: clang-format -i FILE"""
import subprocess
import sys

from tree import ROOT, Report, own_files


def main():
    report = Report()
    for path in own_files(".c", ".h"):
        checked = subprocess.run(["clang-format", "--dry-run", "-Werror", path], cwd=ROOT,
                                 stderr=subprocess.PIPE, text=True, check=False)
        lines = [line.split(":")[1] for line in checked.stderr.splitlines() if ": error:" in line]
        if checked.returncode != 0 and not lines:
            lines = ["?"]
        report.judge(path, [f"clang-format would change line {', '.join(lines[:8])}"]
                     if lines else [])
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
