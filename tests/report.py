# SPDX-License-Identifier: MIT
"""How a part of ./check speaks: a line for each test, the numbers at the end.

    ok NAME
    FAIL NAME (WHY)
    skip NAME (REASON)
    unsteady NAME (WHY)             it failed beside others, and passed when tried again, alone
    did WHAT                        how much of it: for docs/PROOF.md (tests/proof.py)
    N passed, N failed, N skipped

tests/tally.py reads this back; anything between such lines is for people.
"""
import os
import threading

# Under load a test may fail for want of time. Once more, alone, says whether it is that: it is then
# called unsteady, for all to see. With --long nothing is forgiven.
SECOND_TRY = os.environ.get("LONG") != "1"


def brief(reasons):
    return "; ".join(reasons[:6]).replace("\n", "\\n")


class Report:
    """Lines as they come, numbers at the end."""

    def __init__(self):
        self.counts = {"ok": 0, "FAIL": 0, "skip": 0}
        self._lock = threading.Lock()

    def add(self, word, name, reasons=()):
        with self._lock:
            self.counts[word] += 1
            print(f"{word} {name}" + (f" ({brief(reasons)})" if reasons else ""), flush=True)

    def judge(self, name, complaints):
        """One test: it passed when there is nothing to complain about."""
        self.add("FAIL" if complaints else "ok", name, complaints)

    def unsteady(self, name, reasons):
        """It passes now, and is counted where that is said."""
        with self._lock:
            print(f"unsteady {name} ({brief(reasons)})", flush=True)

    def did(self, text):
        with self._lock:
            print(f"did {text}", flush=True)

    def finish(self):
        """The exit status. A part without a test has not tested anything."""
        print("{ok} passed, {FAIL} failed, {skip} skipped".format(**self.counts), flush=True)
        return 1 if self.counts["FAIL"] or not any(self.counts.values()) else 0
