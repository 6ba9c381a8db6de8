#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Spoils one check at a time and sees its test fail (mutations.txt).

It works in a copy of the tree, so the checkout stays as it is. The test passes before
in that copy, else its failing shows nothing. As root for what makes boxes.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path[:0] = [str(HERE.parent)]

# pylint: disable=wrong-import-position
from report import Report

Mutation = collections.namedtuple("Mutation", "name path old new test")


def read_mutations(path):
    found = []
    for block in re.split(r"\n\n+", path.read_text(encoding="utf-8")):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if lines:
            found.append(Mutation(
                lines[0].removeprefix(": "), lines[1],
                "".join(line[1:] + "\n" for line in lines if line.startswith("-")),
                "".join(line[1:] + "\n" for line in lines if line.startswith("+")), lines[-1]))
    return found


class Copy:
    """The tree as it is checked out, elsewhere, with a build of its own."""

    def __init__(self, folder, jobs):
        self.top = pathlib.Path(folder) / "tree"
        self.jobs = jobs
        listed = subprocess.run(["git", "-C", str(TOP), "ls-files", "-z"], check=True,
                                capture_output=True, text=True).stdout
        for name in filter(None, listed.split("\0")):
            if (TOP / name).is_file():
                (self.top / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(TOP / name, self.top / name)
        self._run(["meson", "setup", "build"]).check_returncode()
        listed = self._run(["meson", "introspect", "--tests", "build"])
        self.targets = {test["name"]: os.path.relpath(test["cmd"][0], self.top / "build")
                        for test in json.loads(listed.stdout)}

    def _run(self, command):
        return subprocess.run(command, cwd=self.top, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", check=False)

    def builds(self, test):
        """What went wrong, or None."""
        done = self._run(["ninja", "-C", "build", f"-j{self.jobs}", self.targets[test]])
        return None if done.returncode == 0 else done.stdout[-600:]

    def passes(self, test):
        done = self._run(["meson", "test", "-C", "build", "--no-rebuild", "--num-processes", "1", test])
        return done.returncode == 0

    def judge(self, mutation):
        """Complaints about one mutation; the copy is afterwards as before."""
        if mutation.test not in self.targets:
            return [f"there is no test {mutation.test}"]
        path = self.top / mutation.path
        text = path.read_text(encoding="utf-8")
        if text.count(mutation.old) != 1:
            return [f"{mutation.path} has its lines {text.count(mutation.old)} times"]
        wrong = self.builds(mutation.test)
        if wrong or not self.passes(mutation.test):
            return [f"{mutation.test} does not pass as it is: {wrong or ''}"]
        path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
        try:
            wrong = self.builds(mutation.test)
            if wrong:
                return ["what is spoilt does not build: " + wrong]
            return [f"{mutation.test} does not notice"] if self.passes(mutation.test) else []
        finally:
            path.write_text(text, encoding="utf-8")


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="REGEX", help="by name, file or test")
    parser.add_argument("--jobs", type=int, default=2, help="of the build (2)")
    options = parser.parse_args(argv)
    report = Report()
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copy = Copy(folder, options.jobs)
        for mutation in read_mutations(HERE / "mutations.txt"):
            if re.search(options.only, " ".join((mutation.name, mutation.path, mutation.test))):
                report.judge(mutation.name, copy.judge(mutation))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
