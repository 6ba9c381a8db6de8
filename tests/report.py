# SPDX-License-Identifier: MIT
"""How a part of ./check speaks: a line for each test, the numbers at the end.

    ok NAME
    FAIL NAME (WHY)
    skip NAME (REASON)
    did WHAT                        how much of it: for docs/PROOF.md (tests/proof.py)
    N passed, N failed, N skipped

tests/tally.py reads this back; anything between such lines is for people.
"""
import threading


class Report:
    """Lines as they come, numbers at the end."""

    def __init__(self):
        self.counts = {"ok": 0, "FAIL": 0, "skip": 0}
        self._lock = threading.Lock()

    def add(self, word, name, reasons=()):
        with self._lock:
            self.counts[word] += 1
            brief = "; ".join(reasons[:6]).replace("\n", "\\n")
            print(f"{word} {name}" + (f" ({brief})" if brief else ""), flush=True)

    def judge(self, name, complaints):
        """One test: it passed when there is nothing to complain about."""
        self.add("FAIL" if complaints else "ok", name, complaints)

    def did(self, text):
        with self._lock:
            print(f"did {text}", flush=True)

    def finish(self):
        """The exit status. A part without a test has not tested anything."""
        print("{ok} passed, {FAIL} failed, {skip} skipped".format(**self.counts), flush=True)
        return 1 if self.counts["FAIL"] or not any(self.counts.values()) else 0
