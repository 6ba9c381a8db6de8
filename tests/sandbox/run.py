#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the corpus of attacks and limits through the real command line.

Each row is a program and what must come of it (row.py); after each the host must
look as before (aftermath.py), no canary may have shown (host.py), and the next
run must be an ordinary one. Prints `ok`, `FAIL` or `skip` and a name a line, and
`N passed, N failed, N skipped` at the end; exit status 1 when something failed.
"""

import argparse
import atexit
import concurrent.futures
import json
import os
import pathlib
import pwd
import re
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

# pylint: disable=wrong-import-position
import aftermath
import host
import invoke
import judge
import patience
import row as corpus
import through
from report import SECOND_TRY, Report

BATCH = 8  # rows between two looks at a service
HELLO = corpus.Row(HERE / "hello.sh", {"row": "0", "expect": "succeeded"}, "hello", "bash")


class Suite:
    """Everything that rows share while they run."""

    def __init__(self, options):
        self.options = options
        binary = pathlib.Path(options.runnel).resolve()
        host.leave_shared_folders([HERE.parent.parent, binary.parent])
        host.adopt_orphans()
        scratch = tempfile.mkdtemp(prefix="runnel-test-")
        os.chmod(scratch, 0o755)
        atexit.register(shutil.rmtree, scratch, True)
        self.canaries = host.Canaries()
        languages = pathlib.Path(scratch) / "languages"
        shutil.copytree(HERE / "languages", languages)
        patience.add_languages(languages, options.slow)
        extra = [f"--languages-dirs={languages}"]
        if options.allow_missing:
            extra.append(f"--allow-missing={options.allow_missing}")
        self.account = None if options.as_user == "root" else pwd.getpwnam(options.as_user)
        self.service = None
        self.runnel = invoke.Runnel(options.runnel, self.account, scratch, extra)
        if options.through:
            made = through.Worker if options.through == "worker" else through.Service
            self.service = self.runnel = made(options.runnel, self.account, scratch, extra,
                                              options.through == "terminal")
        self.runnel.environment.update(self.canaries.environment())
        self.aftermath = aftermath.Aftermath(self.runnel.live_pids)
        self.isolation = None
        self.installed = {}

    def prepare(self):
        """A first run: what the isolation is here. Returns a complaint or None."""
        if self.service:
            self.service.start()
            self.aftermath.accept_files()
        outcome, _ = self._submit(HELLO)
        if outcome.result is None or outcome.result["verdict"] != "succeeded":
            text = (outcome.stdout + outcome.stderr).decode("utf-8", "replace").strip()
            return f"the first run failed with exit status {outcome.exit_status}: {text[:600]}"
        if self.service:
            self.service.remember()
        self.isolation = outcome.result["isolation"]
        listed = self.runnel.call(["languages", "--json"] + self.runnel.options)
        languages = json.loads(listed.stdout)
        if isinstance(languages, dict):
            languages = languages["languages"]
        self.installed = {language["name"]: language.get("installed", True)
                          for language in languages}
        return None

    def _submit(self, row, argument=None, role=None):
        replacements = self.canaries.replacements()
        replacements["ARG"] = argument or ""
        source = corpus.source_of(row, HERE, replacements)

        def fill(text):
            for name, value in replacements.items():
                text = text.replace("{" + name + "}", value)
            return text.replace("{arg}", argument or "")

        args = []
        for text in row.args:
            args += map(str, self.canaries.files) if text == "{CANARIES}" else [fill(text)]
        args += [role] if role else []
        return self.runnel.run(row, source, "main" + row.path.suffix, args, map(fill, row.env))

    def why_skip(self, row):
        """The reason for which a row cannot run here, or None."""
        if not self.installed.get(row.language):
            return f"{row.language} is not installed"
        if self.service and self.service.why_not(row):
            return self.service.why_not(row)
        for need in row.needs:
            reason = self._lacks(need)
            if reason:
                return reason
        return None

    def _lacks(self, need):
        if need == "privilege":
            return "needs root" if self.account or os.geteuid() != 0 else None
        if need == "pipes":
            return "a terminal does not end" if self.options.through == "terminal" else None
        if need == "two-cpus":
            return "needs two processors" if len(os.sched_getaffinity(0)) < 2 else None
        if re.search(rf"\bno {need}\b", self.isolation):
            return f"no {need} here"
        return None

    def batches(self, rows):
        """What one service holds is told when nothing runs: after some rows, not after each."""
        size = BATCH if self.service else max(1, len(rows))
        return [rows[first:first + size] for first in range(0, len(rows), size)]

    def judge_service(self, report, batch):
        if self.service:
            report.judge(f"service_after_{batch[0].name}_to_{batch[-1].name}",
                         self.service.complaints())

    def judge(self, row):
        """Runs a row, and an ordinary program after it; returns complaints."""
        found = self.judge_alone(row)
        outcome, _ = self._submit(HELLO)
        if outcome.result is None or outcome.text("stdout") != "hello\n":
            found.append(f"the next run is not an ordinary one: {outcome}"[:300])
        return found

    def judge_alone(self, row):
        """Runs a row in all its variants; returns complaints."""
        found = []
        for argument in row.each:
            prefix = f"[{argument}] " if argument is not None else ""
            found += [prefix + text for text in self._judge_variant(row, argument)]
        return found + self.canaries.complaints() + self.aftermath.complaints()

    def _judge_variant(self, row, argument):
        if row.pair == "together":
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                both = [pool.submit(self._submit, row, argument, role)
                        for role in ("first", "second")]
                outcomes = [future.result() for future in both]
        elif row.pair == "after":
            outcomes = [self._submit(row, argument, role) for role in ("first", "second")]
        else:
            outcomes = [self._submit(row, argument)]
        found = []
        for outcome, folder in outcomes:
            found += judge.complaints(row, outcome, self.canaries.secret, argument)
            found += _litter(folder)
            if row.raw and row.stdin != "none" and \
                    outcome.stdout != invoke.stdin_bytes(row.stdin):
                found.append("stdout differs from the bytes sent")
        return found


def _litter(folder):
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("main."))
    shutil.rmtree(folder, ignore_errors=True)
    return [f"left in the caller's folder: {name}" for name in names]


def judge_row(suite, row):
    began = time.monotonic()
    try:
        found = suite.judge(row)
    except Exception as error:  # pylint: disable=broad-exception-caught
        found = [f"the runner failed: {type(error).__name__}: {error}"]
    if suite.options.times:
        print(f"# {time.monotonic() - began:6.2f} s {row.name}", flush=True)
    return found


# An attack that came through once has come through.
NEVER_FORGIVEN = ("ESCAPED", "it never may", "left behind", "left in", "damaged", "reached the host")


def run_rows(suite, report, rows):
    """Side by side but those that must be alone. What failed is tried once more, alone."""
    failed = {}

    def run_row(row):
        reason = suite.why_skip(row)
        found = [] if reason else judge_row(suite, row)
        if reason:
            report.add("skip", row.name, [reason])
        elif found and SECOND_TRY and not any(word in text for word in NEVER_FORGIVEN for text in found):
            failed[row] = found
        else:
            report.judge(row.name, found)

    with concurrent.futures.ThreadPoolExecutor(suite.options.jobs) as pool:
        for batch in suite.batches([row for row in rows if not row.alone]):
            list(pool.map(run_row, batch))
            suite.judge_service(report, batch)
    for batch in suite.batches([row for row in rows if row.alone]):
        for row in batch:
            run_row(row)
        suite.judge_service(report, batch)
    for row, first in failed.items():
        found = judge_row(suite, row)
        if not found:
            report.unsteady(row.name, first)
        report.judge(row.name, found)


def is_chosen(row, options):
    layers = set(re.findall(r"\w+", row.keys.get("layer", "")))
    return (re.search(options.only, row.name)
            and (row.quick or not options.quick)
            and (options.languages is None or row.language in options.languages)
            and (options.layers is None or layers & options.layers))


def words(text):
    return set(text.split(","))


def parse_options(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runnel", default="build/runnel", help="the binary (build/runnel)")
    parser.add_argument("--as-user", default="root", metavar="NAME",
                        help="run it as this user (root)")
    parser.add_argument("--allow-missing", default="", metavar="LAYERS",
                        help="passed on: layers that are known to be missing for this user")
    parser.add_argument("--through", choices=("service", "terminal", "worker"),
                        help="all by one service, over pipes or each at a terminal, or by a worker "
                             "of it, instead of a command line for each")
    parser.add_argument("--only", default="", metavar="REGEX", help="rows whose name matches")
    parser.add_argument("--jobs", type=int, default=2, help="rows at once (2)")
    parser.add_argument("--quick", action="store_true", help="one row of each layer")
    parser.add_argument("--languages", type=words, help="only these: c,python,bash")
    parser.add_argument("--layers", type=words, help="only what these stop: cgroup,seccomp")
    parser.add_argument("--slow", type=int, default=1, metavar="FACTOR",
                        help="the machine is so many times slower than others (1)")
    parser.add_argument("--times", action="store_true", help="say how long each row took")
    parser.add_argument("--list", action="store_true", help="print the rows and stop")
    return parser.parse_args(argv)


def main(argv):
    options = parse_options(argv)
    rows = [row for row in corpus.collect(HERE) if is_chosen(row, options)]
    for row in rows:
        row.stretch(options.slow)
    if options.list:
        for row in rows:
            print(f"{row.number:>4} {row.name:32} {row.language:11} {row.keys.get('layer', '')}")
        return 0
    if os.geteuid() != 0 and options.as_user != "root":
        sys.exit("--as-user needs root")
    options.runnel = os.path.abspath(options.runnel)
    suite, report = Suite(options), Report()
    for row in rows:
        row.language = patience.language_of(row.language, options.slow)
    complaint = suite.prepare()
    if complaint:
        report.add("FAIL", "first_run", [complaint])
        return report.finish()
    report.did(f"{len(rows)} attacks, as {options.as_user}, isolation: {suite.isolation}, "
               f"cgroup mounts: {' '.join(sorted(aftermath.cgroup_mounts())) or 'none'}")
    run_rows(suite, report, rows)
    if suite.service:
        report.judge("the_service_rests", suite.service.complaints(reserves=True))
        status = suite.service.stop()
        report.judge("the_service_ends", [f"exit status {status}"] if status else [])
    left = suite.aftermath.final_complaints()
    report.judge("nothing_is_left", left)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
