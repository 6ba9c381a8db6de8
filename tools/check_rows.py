# SPDX-License-Identifier: MIT
"""Is every attack of the list shown somewhere? A number needs a program in tests/sandbox, or
a line in one of the two tables of its README. check_tree.py says what this finds."""
import re
import sys

from tree import ROOT

SANDBOX = ROOT / "tests/sandbox"
sys.path.insert(0, str(SANDBOX))

# pylint: disable=wrong-import-position
import row as corpus

ROWS = {str(number) for number in range(1, 121)} | {"72b", "77b"}
LINE = re.compile(r"^\| (\d+b?) (\w+) \| (.*) \|$", re.MULTILINE)
TOLD, ABSENT = "## Rows that are no program alone", "## Rows of what there is not"


def complaints():
    page = (SANDBOX / "README.md").read_text(encoding="utf-8")
    told, _, absent = page.partition(TOLD)[2].partition(ABSENT)
    programs = {row.number for row in corpus.collect(SANDBOX, ROOT / "languages/samples")}
    shown = {number: rest for number, _, rest in LINE.findall(told)}
    missing = {number: rest for number, _, rest in LINE.findall(absent)}
    found = [f"row {number} is not shown by anything"
             for number in sorted(ROWS - programs - set(shown) - set(missing))]
    found += [f"row {number} is not in the list of attacks"
              for number in sorted((programs | set(shown) | set(missing)) - ROWS)]
    found += [f"row {number} names no test" for number, rest in shown.items() if "](" not in rest]
    found += [f"row {number} is shown, and said to have nothing to attack"
              for number in sorted(set(missing) & (programs | set(shown)))]
    return found
