#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Spoils one check at a time and sees its test fail (mutations.txt).

mutate.py [--only REGEX] [--table FILE [--missing]] [--folder DIR] [--jobs N]

It works in a copy of the tree, so the checkout stays as it is. The test passes before
in that copy, else its failing shows nothing. As root for what makes boxes. The table
keeps what it says of checks that were not chosen.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path[:0] = [str(HERE.parent)]

# pylint: disable=wrong-import-position
from report import Report

Mutation = collections.namedtuple("Mutation", "row name path old new test")

TABLE_HEAD = """\
# Checks and rows

Made by `tests/layers/mutate.py --table`. Rows that no layer of the box stops, but a check of ours
(`sup`, `api` and `q` in the list of threats): each check was spoilt alone, and the test beside it
failed. [mutations.txt](mutations.txt) has the lines. A row that is not here has
[nothing to attack](../sandbox/README.md#rows-of-what-there-is-not), or
[a layer](TABLE.md).

| row | what was spoilt | in | what failed |
|---|---|---|---|
"""
TABLE_LINE = re.compile(r"^\| (\w+) \| (.*?) \| .*\n", re.M)
# Of cmocka, of unittest, and of those that speak as report.py does.
FAILED_CASE = re.compile(r"^(?:\[  (?:FAILED|ERROR )  \] (\w+)|(?:FAIL|ERROR): (\w+)(?: .*)?|"
                         r"FAIL ([^(\n]+?)(?: \(.*)?)$", re.M)
ALL_PASSED = re.compile(r"^[1-9]\d* passed, 0 failed, 0 skipped$", re.M)
TEST_TIMEOUT_S = 900
# These take a row, or words of a test's name, with --only.
CORPUS, FAULTS, PAGE = REPORTERS = "tests/sandbox/run.py", "tests/faults/run.py", "tests/web/run.mjs"
# What a test runs beside the program.
BESIDE = {FAULTS: ["tests/faults/shim.so"],
          "tests/system/test_amqp.py": ["tests/unit/broker/amqp_client"],
          "tests/system/test_layers.py": ["tests/layers/runnel-weakened"]}
# These know how to be without a service: over an engine that is played.
OF_FAKE, FAKE = "tests/dialect/execute/", "tests/unit/dialect/serve_fake"


def read_mutations(path):
    found = []
    for block in re.split(r"\n\n+", path.read_text(encoding="utf-8")):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if lines:
            row, name = lines[0].removeprefix(": ").split(" ", 1)
            found.append(Mutation(
                row, name, lines[1],
                "".join(line[1:] + "\n" for line in lines if line.startswith("-")),
                "".join(line[1:] + "\n" for line in lines if line.startswith("+")), lines[-1]))
    return found


class Copy:
    """The tree as it is checked out, elsewhere, with a build of its own."""

    def __init__(self, folder, jobs):
        self.top = pathlib.Path(folder) / "tree"
        self.jobs = jobs
        self.good = {}  # test: what is wrong with it as it is, or None
        self.seconds = collections.Counter()  # building, testing: of what was spoilt
        listed = subprocess.run(["git", "-C", str(TOP), "ls-files", "-z"], check=True,
                                capture_output=True, text=True).stdout
        for name in filter(None, listed.split("\0")):
            if (TOP / name).is_file():
                self._take_over(name)
        if not (self.top / "build").exists():
            self._run(["meson", "setup", "build"]).check_returncode()
        listed = self._run(["meson", "introspect", "--tests", "build"])
        self.targets = {test["name"]: os.path.relpath(test["cmd"][0], self.top / "build")
                        for test in json.loads(listed.stdout)}

    def _take_over(self, name):
        """Its time stays as it is where its text does: a copy that was kept builds no more than it must."""
        there = self.top / name
        there.parent.mkdir(parents=True, exist_ok=True)
        if not there.is_file() or there.read_bytes() != (TOP / name).read_bytes():
            shutil.copy(TOP / name, there)

    def _run(self, command, **environment):
        return subprocess.run(command, cwd=self.top, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
                              env={**os.environ, **environment})

    def _target(self, test):
        if test.startswith(OF_FAKE):
            return FAKE
        if test.startswith(PAGE):
            return "page"
        return "runnel" if ".py" in test else self.targets.get(test)

    def builds(self, test):
        """What went wrong, or None."""
        target = self._target(test)
        done = self._run(["web/build"] if target == "page" else
                         ["ninja", "-C", "build", f"-j{self.jobs}", target,
                          *BESIDE.get(test.partition(" ")[0], [])])
        return None if done.returncode == 0 else done.stdout[-600:]

    def _run_reporter(self, test):
        """`tests/sandbox/run.py REGEX`, or another `WORDS`. LONG: nothing is tried twice."""
        path, _, words = test.partition(" ")
        program = str(self.top / "build" / self._target(test))
        command = ["node", path] if path == PAGE else [sys.executable, "-B", path]
        command += ["--runnel", program] if path == CORPUS else []
        done = self._run(["timeout", "-k", "10", str(TEST_TIMEOUT_S), *command, "--only", words],
                         LONG="1", RUNNEL=program)
        return done, done.returncode == 0 and ALL_PASSED.search(done.stdout)

    def _run_python(self, test):
        """`FILE.py`, or `FILE.py CASE`."""
        path, _, case = test.partition(" ")
        folder, name = os.path.split(path)
        command = [sys.executable, "-B", "-m", "unittest", "discover", "-s", folder, "-p", name]
        if case:
            command += ["-k", case]
        program = {"RUNNEL_FAKE" if test.startswith(OF_FAKE) else "RUNNEL":
                   str(self.top / "build" / self._target(test))}
        done = self._run(["timeout", "-k", "10", str(TEST_TIMEOUT_S), *command],
                         PYTHONPATH=str(self.top / "tests"), **program)
        return done, done.returncode == 0 and re.search(r"^Ran [1-9]", done.stdout, re.M)

    def failed(self, test):
        """The cases that failed, or what else happened; [] when it passes."""
        if test.startswith(REPORTERS):
            done, passed = self._run_reporter(test)
        elif ".py" in test:
            done, passed = self._run_python(test)
        else:
            done = self._run(["meson", "test", "-C", "build", "-v", "--no-rebuild",
                              "--num-processes", "1", test], CMOCKA_MESSAGE_OUTPUT="stdout")
            passed = done.returncode == 0
        if passed:
            return []
        cases = ["".join(found) for found in FAILED_CASE.findall(done.stdout)]
        return list(dict.fromkeys(case for case in cases if not case.isdigit())) or \
            [f"exit status {done.returncode}"]

    def _as_it_is(self, test):
        if test not in self.good:
            wrong = self.builds(test)
            self.good[test] = wrong or ", ".join(self.failed(test)) or None
        return self.good[test]

    @contextlib.contextmanager
    def _spoilt(self, mutation):
        path = self.top / mutation.path
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(text, encoding="utf-8")

    @contextlib.contextmanager
    def _timed(self, what):
        began = time.monotonic()
        yield
        self.seconds[what] += time.monotonic() - began

    def judge(self, mutation):
        """(complaints, cases that failed) of one mutation; the copy is afterwards as before."""
        if not self._target(mutation.test):
            return [f"there is no test {mutation.test}"], []
        count = (self.top / mutation.path).read_text(encoding="utf-8").count(mutation.old)
        if count != 1:
            return [f"{mutation.path} has its lines {count} times"], []
        if self._as_it_is(mutation.test):
            return [f"{mutation.test} does not pass as it is: {self.good[mutation.test]}"], []
        with self._spoilt(mutation):
            with self._timed("building"):
                wrong = self.builds(mutation.test)
            if wrong:
                return ["what is spoilt does not build: " + wrong], []
            with self._timed("testing"):
                failed = self.failed(mutation.test)
        return ([] if failed else [f"{mutation.test} does not notice"]), failed


def order(row):
    number = re.match(r"\d+", row)
    return int(number[0]), row


def table_line(mutation, failed):
    test = mutation.test.partition(" ")[0]
    return f"| {mutation.row} | {mutation.name} | `{mutation.path}` | `{test}`: {failed[0]} |\n"


def read_table(path):
    """{(row, name): its line}"""
    text = path.read_text(encoding="utf-8") if path and path.exists() else ""
    return {(line[1], line[2]): line[0] for line in TABLE_LINE.finditer(text)}


def write_table(path, mutations, judged):
    """judged: {mutation: what failed}. The lines of others stay as they are."""
    kept, lines = read_table(path), []
    for mutation in sorted(mutations, key=lambda one: order(one.row)):
        if judged.get(mutation):
            lines.append(table_line(mutation, judged[mutation]))
        elif mutation not in judged:
            lines.append(kept.get((mutation.row, mutation.name), ""))
    path.write_text(TABLE_HEAD + "".join(lines), encoding="utf-8")


def tell(report, judged, seconds):
    noticed = [mutation for mutation, failed in judged.items() if failed]
    rows = {mutation.row for mutation in noticed}
    report.did(f"{len(noticed)} of {len(judged)} spoilt checks were noticed by their tests: "
               f"checks of {len(rows)} rows of the list of threats")
    if judged:
        building, testing = (seconds[what] / len(judged) for what in ("building", "testing"))
        report.did(f"each took {building + testing:.0f} s, {building:.0f} s of it to build")


def is_chosen(mutation, options, shown):
    return (re.search(options.only, " ".join((mutation.row, mutation.name, mutation.path, mutation.test)))
            and not (options.missing and (mutation.row, mutation.name) in shown))


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="REGEX", help="by row, name, file or test")
    parser.add_argument("--jobs", type=int, default=2, help="of the build (2)")
    parser.add_argument("--table", type=pathlib.Path, help="where to write what was noticed")
    parser.add_argument("--missing", action="store_true", help="only those that it does not show")
    parser.add_argument("--folder", help="where the copy is, and stays (one that goes)")
    options = parser.parse_args(argv)
    report, judged = Report(), {}
    mutations = read_mutations(HERE / "mutations.txt")
    with contextlib.ExitStack() as stack:
        folder = options.folder or stack.enter_context(tempfile.TemporaryDirectory(prefix="mutations-"))
        copy = Copy(folder, options.jobs)
        shown = read_table(options.table)
        for mutation in mutations:
            if is_chosen(mutation, options, shown):
                complaints, judged[mutation] = copy.judge(mutation)
                report.judge(f"{mutation.row} {mutation.name}", complaints)
                if options.table:
                    write_table(options.table, mutations, judged)
    tell(report, judged, copy.seconds)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
