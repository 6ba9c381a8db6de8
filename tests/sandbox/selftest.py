#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`runnel selftest` as who installs Runnel calls it: its whole corpus through one spawner, with the
pools that this one keeps, where run.py starts one for each row.

selftest.py --runnel FILE [--as-user NAME]… [--allow-missing LAYERS]

A line for each row and user; a row that was not tried is a skip, with the program's own reason. Every
tenth row, and all with LONG=1. Speaks as tests/report.py says.
"""
import argparse
import collections
import json
import os
import pathlib
import pwd
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
from report import Report

SAMPLE = 1 if os.environ.get("LONG") else 10
WORDS = {"yes": "ok", "skipped": "skip"}  # whatever else came of a row is a failure
TIMEOUT_S = 1200


def as_user(name):
    """Words before a command. Root is who we are."""
    if name == "root":
        return []
    account = pwd.getpwnam(name)
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]


def chosen(runnel):
    """Names of rows, as the program lists them: number, name, language, layers."""
    listed = subprocess.run([runnel, "selftest", "--list"], check=True, capture_output=True, text=True)
    return [line.split()[1] for line in listed.stdout.splitlines()][::SAMPLE]


def told(options, user, names):
    """What it says of these rows and of those that its words name, too; (report, exit status, stderr)"""
    command = [*as_user(user), options.runnel, "selftest", "--json"]
    if user != "root" and options.allow_missing:
        command.append(f"--allow-missing={options.allow_missing}")
    if SAMPLE > 1:
        command.append("--only=" + ",".join(names))
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    return json.loads(done.stdout) if done.stdout else None, done.returncode, done.stderr


def judge_user(report, options, user, names):
    found, status, errors = told(options, user, names)
    if found is None:
        report.add("FAIL", f"{user}: selftest", [f"exit status {status}: {errors[-600:]}"])
        return
    rows = found["rows"]
    for row in rows:
        word = WORDS.get(row["held"], "FAIL")
        report.add(word, f"{user}/{row['name']}", [row["reason"] or row["held"]] if word != "ok" else [])
    wrong = [f"left behind: {found['left']}"] if found["left"] else []
    wrong += [f"not a word of {name}" for name in
              (collections.Counter(names) - collections.Counter(row["name"] for row in rows))]
    expected = 0 if all(row["held"] in WORDS for row in rows) else 1
    if {status, found["exit_status"]} != {expected}:
        wrong.append(f"exit status {status}, and in the report {found['exit_status']}: not {expected}")
    report.judge(f"{user}: each row is told of, nothing is left, and the status says how it went", wrong)
    held = sum(row["held"] == "yes" for row in rows)
    report.did(f"as {user}: {held} of {len(rows)} rows held, in {found['ms'] / 1000:.0f} s; "
               f"isolation {found['isolation']}")


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runnel", default="build/runnel")
    parser.add_argument("--as-user", action="append", metavar="NAME", help="may be repeated (root)")
    parser.add_argument("--allow-missing", metavar="LAYERS", help="for users but root")
    options = parser.parse_args(argv)
    options.runnel = str(pathlib.Path(options.runnel).resolve())
    report = Report()
    names = chosen(options.runnel)
    for user in options.as_user or ["root"]:
        judge_user(report, options, user, names)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
