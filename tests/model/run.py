#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the model of a run's life (life.pml) with spin, and that the check can fail.

Three searches through every state there is, each wider in one way and narrower in another,
because all of it at once is too much for any machine: one run, with whatever may happen to it,
as often as it may; two runs, with any two troubles; three, with any one. A fourth one has three
runs and many troubles, and looks as far as its time goes. LONG=1 makes room for more.

The model's words are compared with the program's: the states of enum run_state, their arrows,
the limit of attempts. Each mistake of MISTAKES is then built into the model, one at a time: the
search must find where it leads. Speaks as tests/report.py says.
"""
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))

# pylint: disable=wrong-import-position
from report import Report

LONG = os.environ.get("LONG") == "1"
MEMORY_MIB = 6000 if LONG else 2000
BUILD_S = 600  # (it goes on behind other parts)
# A few bits for each state, and what comes next is tried in an order of chance, always the same.
SAMPLED = ["-DBITSTATE", "-DT_RAND", "-DP_RAND"]


@dataclasses.dataclass(frozen=True)
class Search:
    """What of the model is looked at: all of it, or the search has failed. One that is sampled goes
    as far as so many seconds do, and has failed with fewer states than these, far fewer than
    what a busy machine sees."""

    name: str
    defines: tuple
    limit_s: int = 1200
    least_sampled: int = 0

    @property
    def sampled(self):
        return self.least_sampled > 0


SEARCHES = [
    Search("one_run_with_every_trouble", ("RUNS=1",)),
    Search("two_runs_with_any_two_troubles", ("RUNS=2", "TROUBLES=2", "COARSE")),
    Search("three_runs_with_any_trouble", ("RUNS=3", "TROUBLES=1", "COARSE")),
    Search("three_runs_with_many_troubles", ("RUNS=3", "TROUBLES=6"), 20, 100_000),
]
LONG_SEARCHES = [
    Search("two_runs_with_any_three_troubles", ("RUNS=2", "TROUBLES=3", "COARSE"), 1800),
    Search("two_runs_in_every_state", ("RUNS=2", "TROUBLES=1"), 1800),
    Search("three_runs_with_many_troubles", ("RUNS=3", "TROUBLES=12"), 600, 2_000_000),
]

# A mistake, and what comes of it.
MISTAKES = {
    "ACK_FIRST": "a worker that dies between the two takes the run with it",
    "ACK_VOID": "the run's new worker may have no delivery of its own any more",
    "ACK_ABANDONED": "as before, when the old one notices sooner",
    "BEGINS_ANYWAY": "an attempt is begun twice and counted once",
    "LAST_END_STAYS": "a run has two ends",
    "NO_ATTEMPTS": "a run ends one worker after the other",
    "NO_LEASE_CHECK": "two workers carry it out at once",
    "NO_WAY_BACK": "the front goes along an arrow that is not drawn",
    "SLOT_KEPT": "a slot is never free again",
    "TELLS_TWICE": "the front tells the end again",
    "TELLS_UNSTORED": "the front tells another end than Redis",
    "TYPED_AGAIN": "a program is begun anew into which somebody has typed",
}


# That the narrower searches can fail, too: those that need no more than two troubles.
SHOW_IN_TWO = ("ACK_FIRST", "SLOT_KEPT")


# --- the words ---

def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


def model_states():
    words = re.search(r"mtype:run_state = \{([^}]*)\}", text_of("tests/model/life.pml"))[1]
    return [word.strip() for word in words.split(",")]


def program_states():
    body = re.search(r"enum run_state \{(.*?)\};", text_of("src/engine/run_state.h"), re.DOTALL)[1]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
    return [word.lower() for word in re.findall(r"\bRUN_(\w+)", body) if word != "STATE_COUNT"]


def model_arrows():
    body = re.search(r"inline move.*?\n\}", text_of("tests/model/life.pml"), re.DOTALL)[0]
    rows = re.findall(r"now == (\w+) ->\s*assert\(([^;]*?)\)\n", body)
    return {(here, there) for here, ways in rows for there in re.findall(r"to == (\w+)", ways)}


def program_arrows():
    rows = re.findall(r"\[RUN_(\w+)\] = \{\"\w+\",([^}]*)\}", text_of("src/engine/run_state.c"))
    return {(here.lower(), there.lower())
            for here, ways in rows for there in re.findall(r"TO\(RUN_(\w+)\)", ways)}


def attempts_max(path):
    return re.search(r"ATTEMPTS_MAX\D+(\d+)", text_of(path))[1]


def compare(model, program):
    return [] if model == program and model else [f"the model has {model}, the program {program}"]


def judge_words(report):
    report.judge("the_states_are_the_program_s", compare(model_states(), program_states()))
    report.judge("the_arrows_are_the_program_s",
                 compare(sorted(model_arrows()), sorted(program_arrows())))
    report.judge("so_are_the_attempts", compare(attempts_max("tests/model/life.pml"),
                                                attempts_max("src/fleet/names.h")))


# --- the searches ---

def build(folder, defines, options):
    flags = [f"-D{define}" for define in defines]
    subprocess.run(["spin", "-a", *flags, str(HERE / "life.pml")], cwd=folder, check=True,
                   timeout=BUILD_S, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    # No partial order reduction: everything is shared, so there is nothing to reduce.
    subprocess.run(["cc", "-O2", "-w", "-DSAFETY", "-DNOREDUCE", "-DVECTORSZ=2048",
                    f"-DMEMLIM={MEMORY_MIB}", *options, "pan.c", "-o", "pan"], cwd=folder,
                   check=True, timeout=BUILD_S)


def explore(folder, search):
    """What pan says; at an interrupt it says how far it came."""
    arguments = ["-m500000", "-w29", "-RS1"] if search.sampled else ["-m500000", "-w24"]
    with subprocess.Popen(["nice", "./pan", *arguments], cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as pan:
        try:
            return pan.communicate(timeout=search.limit_s)[0]
        except subprocess.TimeoutExpired:
            pan.send_signal(signal.SIGINT)
            return pan.communicate(timeout=60)[0]


def what_failed(said):
    found = re.search(r"^pan:\d+: (.*)$", said, re.MULTILINE)
    return found[1] if found else said.strip().splitlines()[-1] if said.strip() else "nothing"


def is_cut_short(said):
    return "max search depth too small" in said or "Search not completed" in said


def run_search(search, defines=()):
    """(states that were seen, errors that were found, what pan said)"""
    with tempfile.TemporaryDirectory(prefix="runnel-model-") as folder:
        build(folder, search.defines + tuple(defines), SAMPLED if search.sampled else [])
        said = explore(folder, search)
    states = re.search(r"([\d.e+]+) states, stored", said)
    errors = re.search(r"errors: (\d+)", said)
    return (int(float(states[1])) if states else 0, int(errors[1]) if errors else None, said)


def judge_search(report, search):
    states, errors, said = run_search(search)
    complaints = []
    if errors != 0:
        complaints.append(what_failed(said))
    elif not search.sampled and is_cut_short(said):
        complaints.append(f"the search was not completed: {what_failed(said)}")
    elif states < search.least_sampled:
        complaints.append(f"{states} states in {search.limit_s} s: that shows nothing")
    print(f"# {search.name}: {states} states" + (", sampled" if search.sampled else ""), flush=True)
    report.judge(search.name, complaints)


def judge_mistake(report, mistake, search=SEARCHES[0]):
    _, errors, said = run_search(search, [mistake])
    found = errors is not None and errors > 0
    if found:
        print(f"# {mistake}, {search.name}: {what_failed(said)}", flush=True)
    report.judge(f"a_mistake_shows/{search.name}/{mistake}",
                 [] if found else [f"nothing was found, though {MISTAKES[mistake]}"])


def unlisted_mistakes():
    """Those of the model that nobody tries, and the other way round."""
    written = {word for path in HERE.glob("*.pml")
               for word in re.findall(r"^#ifn?def (\w+)", path.read_text(encoding="utf-8"), re.M)}
    return sorted((written - {"RUNS", "TROUBLES", "COARSE"}) ^ MISTAKES.keys())


def main():
    report = Report()
    judge_words(report)
    report.judge("every_mistake_is_tried", unlisted_mistakes())

    def guarded(judge, what, name):
        try:
            judge(report, what)
        except (subprocess.SubprocessError, OSError) as error:
            report.judge(name, [f"{error} {getattr(error, 'stdout', '') or ''}"])

    searches = SEARCHES + (LONG_SEARCHES if LONG else [])
    with concurrent.futures.ThreadPoolExecutor(1 if LONG else 2) as pool:
        for search in sorted(searches, key=lambda search: search.sampled):
            pool.submit(guarded, judge_search, search, search.name)
        for mistake in MISTAKES:
            pool.submit(guarded, judge_mistake, mistake, mistake)
        for mistake in SHOW_IN_TWO:
            pool.submit(guarded, lambda report, what: judge_mistake(report, what, SEARCHES[1]), mistake,
                        mistake)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
