#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the samples of every language through the real command line.

languages/samples/LANGUAGE/SAMPLE.*, judged by languages/samples/expect.ini and by what
its name says of its output; and each language's self-test (081_runtimes of the corpus, which
`sandbox` runs once) many times in a row. Speaks as tests/report.py says. A language whose
toolchain is not there is skipped, by name.
"""
import argparse
import atexit
import concurrent.futures
import configparser
import json
import os
import pathlib
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[1]
SAMPLES = TESTS.parent / "languages" / "samples"
sys.path[:0] = [str(TESTS), str(TESTS / "sandbox"), str(TESTS / "languages")]

# pylint: disable=wrong-import-position
import invoke
import judge
import refusals
import row
from report import Report

# What else is known of a sample by its name: keys of row.py.
KNOWN = {
    "hello": {"stdout-is": json.dumps("Hello, World!\n"), "exit": "0"},
    "stdin": {"stdin": json.dumps("Ada\n"), "exit": "0",
              "stdout": [r"^Hello, World!$", r"Hello, Ada!$",
                         r"^Sum of numbers from 1 to 10: 55$"]},
    "args": {"args": json.dumps(["one", "two words", "$HOME"]), "exit": "0",
             "stdout-is": json.dumps("Arg 0: one\nArg 1: two words\nArg 2: $HOME\n")},
    "error": {"stderr": [r"."], "stdout-is": json.dumps("")},
    "crash": {},
    "loop": {"limits": "timeout=2s"},
    "hog": {"limits": "timeout=20s"},
}


def expectations():
    parser = configparser.ConfigParser(delimiters="=")
    parser.read_string("[all]\n" + (SAMPLES / "expect.ini").read_text(encoding="utf-8"))
    return parser["all"]


def sample_row(path, expected):
    language, sample = path.parent.name, path.stem
    verdicts = expected.get(f"{language}.{sample}") or expected[sample]
    keys = {"row": "0", "expect": verdicts, **KNOWN[sample]}
    return row.Row(path, keys, f"{language}/{sample}", language)


def judge_sample(runnel, sample):
    outcome, folder = runnel.run(sample, sample.path.read_text(encoding="utf-8"),
                                 sample.path.name, sample.args)
    shutil.rmtree(folder)
    return judge.complaints(sample, outcome, "no canary is out")


def self_tests(report, runnel, languages, times, jobs):
    """Threads, processes, collector, sockets: they work each time, or the filter lacks what is only
    needed now and then."""
    def judge_language(test):
        for number in range(times):
            source = row.source_of(test, TESTS / "sandbox", {})
            outcome, folder = runnel.run(test, source, "main" + test.path.suffix)
            shutil.rmtree(folder)
            found = judge.complaints(test, outcome, "no canary is out")
            if found:
                break
        report.judge(f"{test.language}/self_test", [f"time {number + 1}: {text}" for text in found])

    tests = [test for test in row.collect(TESTS / "sandbox")
             if test.path.parent == refusals.SELF_TESTS and test.language in languages]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(judge_language, tests))
    report.did(f"{times} self-tests in a row of each of {len(tests)} languages")


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runnel", default="build/runnel", help="the binary (build/runnel)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="samples at once")
    parser.add_argument("--report-calls", metavar="PROGRAM",
                        help="tests/unit/sandbox/report_calls: judge refused calls, too")
    parser.add_argument("--self-tests", type=int, default=200 if os.environ.get("LONG") == "1" else 0,
                        metavar="N", help="so many in a row of each language (0; 200 with LONG=1)")
    options = parser.parse_args(argv)

    scratch = tempfile.mkdtemp(prefix="runnel-test-")
    atexit.register(shutil.rmtree, scratch, True)
    runnel = invoke.Runnel(options.runnel, None, scratch, [])
    listed = json.loads(runnel.call(["languages", "--json"]).stdout)
    languages = listed["languages"] if isinstance(listed, dict) else listed
    installed = {language["name"]: language["installed"] for language in languages}

    report, expected = Report(), expectations()
    folders = {folder.name: folder for folder in SAMPLES.iterdir() if folder.is_dir()}
    for name in sorted(installed.keys() ^ folders.keys()):
        report.add("FAIL", name, ["has no samples" if name in installed else "is no language"])
    samples = [sample_row(path, expected) for name in sorted(folders.keys() & installed.keys())
               for path in sorted(folders[name].iterdir())]

    def run(sample):
        if installed[sample.language]:
            report.judge(sample.name, judge_sample(runnel, sample))
        else:
            report.add("skip", sample.name, [f"{sample.language} is not installed"])

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(run, samples))
    if options.self_tests:
        self_tests(report, runnel, [name for name in installed if installed[name]],
                   options.self_tests, options.jobs)
    if options.report_calls:
        refusals.judge(report, options.report_calls,
                       [name for name in sorted(folders.keys() & installed.keys())
                        if installed[name]])
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
