#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Is each row of tests/sandbox needed, and does each layer hold alone?

For a row that layers stop (`layer:` in its header), in the virtual machine and with a
spawner that can leave out steps (weakened.c):

    with all of them out, the attack must succeed: the row can fail;
    with each of them alone on, it must be stopped, or cannot.txt says why that layer
    cannot, and then it must not be.

A machine that dies or hangs under an attack has been attacked with success; another
is booted for the rest. Prints as the other parts of ./check do.

--table FILE writes what was seen as a page. What stands there already, of rows whose
layers are the same, counts as seen, so that --missing carries out the rest alone;
--results FILE keeps case by case what the page has not yet.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path[:0] = [str(HERE.parent / "sandbox"), str(HERE), str(HERE.parent)]

# pylint: disable=wrong-import-position
import mutate
import parts
import row as corpus
import table
from report import Report

# Those that start fast enough in an emulated machine.
LANGUAGES = {"assembly", "bash", "c", "javascript", "python", "staged"}
# Where nothing holds, these leave a machine that is good for nothing: each has one of its own.
DAMAGING = {"010_selfstop", "042_write_rootfs", "044_proc_sys", "045_sys_write", "058_kill_all",
            "067_exe_overwrite"}
# No attack (elsewhere.txt).
NO_ATTACK = re.compile("081_")
# The attack is on the compiler.
COMPILED_INSIDE = {"27", "28"}
# Rows that end by the clock when nothing stops them; of the others it says nothing. That a
# second spawner beside the first did not start in time says nothing of any.
HOGS = re.compile("0(?!28)[0-3]")
STARVED = re.compile("verdict timeout|the compiler ran longer")
NOT_STARTED = re.compile("the spawner did not start")
# What shows that an attack came through when nothing was in its way: it got where it must not, it or
# the machine ended another way, something is left, or what it said of itself is another. That it said
# nothing shows nothing.
CAME_THROUGH = re.compile(
    r"ESCAPED|which it never may|reached the host|"
    r"^(\[.*?\] )?(verdict |the machine died|left |canary |exit_code |signal |usage\.|limits_hit\.|"
    r"std(out|err) (is|does not match .*:) ['\"][^'\"])", re.S)
# Beside a row's own time, stretched: nothing came for so long, so nothing will.
SILENCE_S = 240

MUTATIONS = "mutations"  # of elsewhere.txt: no row, but mutate.py

Case = collections.namedtuple("Case", "row layer off")  # layer: alone on; None: all are out


def layers_of(row):
    words = [word.strip() for word in row.keys.get("layer", "").split(",")]
    return [word for word in words if word in parts.STEPS]


def cases_of(row):
    layers = layers_of(row)
    return [Case(row.name, None, layers)] + [
        Case(row.name, layer, [other for other in layers if other != layer]) for layer in layers]


def is_chosen(row, only):
    """Of what every language does, one does here; what the supervisor stops has no layer to
    leave out (mutations)."""
    layers = row.keys.get("layer", "")
    return (layers_of(row) and "supervisor" not in layers and not row.slow
            and row.language in LANGUAGES and ("/" not in row.name or row.language == "c")
            and not NO_ATTACK.match(row.name) and re.search(only, row.name))


def read_elsewhere(path):
    """[(pattern of rows that are not carried out here, the row that stands for them, why)]"""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(re.compile(words[0]), *words[1:]) for words in
            (line.split(None, 2) for line in lines if line.strip() and not line.startswith("#"))]


def standing_for(rows, elsewhere):
    """[(row that is not carried out here, the row that stands for it or None, why)]"""
    found = []
    for row in rows:
        if not layers_of(row) or is_chosen(row, ""):
            continue
        found.append(next(((row.name, other, why) for pattern, other, why in elsewhere
                           if pattern.fullmatch(row.name)), (row.name, None, "")))
    return found


def compile_all(rows, folder):
    """{row: its program, compiled}. In the machine the compiler takes longer than all the
    rest; it runs there only where the compiling is the attack."""
    programs = {}
    for row in rows:
        if row.language == "c" and row.number not in COMPILED_INSIDE:
            place = os.path.join(folder, row.name.replace("/", "-"))
            text = corpus.source_of(row, HERE.parent / "sandbox", {})
            subprocess.run(["gcc", "-std=gnu17", "-O2", "-w", "-o", place, "-x", "c", "-", "-lm"],
                           input=text, text=True, check=True)
            programs[row.name] = place
    return programs


def read_cannot(path):
    """{(row, layer): why that layer cannot stop it alone}"""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            row, layer, why = line.split(None, 2)
            found[row, layer] = why
    return found


def must_fall(case, cannot):
    return case.layer is None or (case.row, case.layer) in cannot


class Machine:
    """Virtual machines, one after the other, until every case has been carried out."""

    def __init__(self, options, cases, programs, cannot, timeouts_s):
        self.options = options
        self.programs = programs
        self.timeouts_s = timeouts_s  # of each row
        self.cannot = cannot
        self.left = dict(enumerate(cases))

    def _start(self, folder):
        wanted = [{"number": number, "row": case.row, "off": case.off,
                   "program": self.programs.get(case.row),
                   "damages": case.row in DAMAGING and must_fall(case, self.cannot)}
                  for number, case in self.left.items()]
        wanted.sort(key=lambda case: case["damages"])
        path = pathlib.Path(folder) / "cases"
        path.write_text(json.dumps(wanted), encoding="utf-8")
        environment = dict(os.environ, VM_TIMEOUT="100000",
                           VM_MEMORY="2560",  # more than a bomb that ends by itself takes
                           VM_CPUS="1")  # two would wait for each other: there are more machines
        return subprocess.Popen(
            [str(TOP / "tests/system/vm/run_in_vm.sh"), "/usr/bin/python3", "-B",
             str(HERE / "in_vm.py"), self.options.runnel, str(path), str(self.options.slow)],
            cwd=TOP, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)

    def boot(self, told):
        """One machine's life. Returns what it said beside results, when it got nowhere."""
        lines, other, current = queue.Queue(), [], None
        with tempfile.TemporaryDirectory(dir=self.options.folder) as folder:
            child = self._start(folder)
            threading.Thread(target=_read, args=(child.stdout, lines), daemon=True).start()
            while (line := _next(lines, self._silence_s(current))) is not None:
                word = line.split(" ", 2)
                if word[0] == "@begin":
                    current, began = int(word[1]), time.monotonic()
                elif word[0] == "@end":
                    self._take(int(word[1]), json.loads(word[2]), time.monotonic() - began, told)
                    current = None
                elif word[0] != "@done":
                    other.append(line)
            _end(child)
        if current is not None:
            self._take(current, {"found": ["the machine died"]}, time.monotonic() - began, told)
            return None
        return "; ".join(other[-5:]) or "the machine said nothing"

    def _silence_s(self, current):
        return SILENCE_S + (0 if current is None else self.timeouts_s[self.left[current].row])

    def _take(self, number, result, seconds, told):
        case = self.left.pop(number)
        told(case, result, seconds)

    def run(self, told):
        while self.left:
            before = len(self.left)
            said = self.boot(told)
            if len(self.left) == before:
                for case in self.left.values():
                    told(case, {"broken": said}, 0)
                return


def _read(stream, lines):
    for line in stream:
        lines.put(line.rstrip("\r\n"))
    lines.put(None)


def _next(lines, silence_s):
    """A line; None when there will be none."""
    try:
        return lines.get(timeout=silence_s)
    except queue.Empty:
        return None


def _end(child):
    try:
        os.killpg(child.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    child.wait()


def marks_of_table(path, rows):
    """As Judge.marks, of rows that stand there with the layers that they have now."""
    stands = table.read(path)
    return {f"{row.name} {layer or '-'}": mark for row in rows
            if set(stands.get(row.name, ())) == {None, *layers_of(row)}
            for layer, mark in stands[row.name].items()}


class Judge:
    """Counts what came of the cases, and remembers it for the table."""

    def __init__(self, report, cannot, options, of_table):
        self.report = report
        self.cannot = cannot
        self.times = options.times
        self.kept = options.results and pathlib.Path(options.results)
        kept = {}
        if self.kept and self.kept.exists():
            kept = json.loads(self.kept.read_text(encoding="utf-8"))
        # "row layer" (or "row -"): holds, falls, broken
        self.marks = collections.ChainMap(kept, of_table)
        self.as_expected = collections.Counter()  # {(all were out, mark): cases of this run}
        self._lock = threading.Lock()

    def told(self, case, result, seconds):
        name = f"{case.row}, " + (f"{case.layer} alone" if case.layer else
                                  "without " + ", ".join(case.off))
        found = self._relevant(case, result.get("found", []))
        if any(NOT_STARTED.search(text) or (STARVED.search(text) and not HOGS.match(case.row))
               for text in found):
            result = {"broken": "the machine was too slow to see anything: " + found[0]}
        if self.times:
            print(f"# {seconds:6.1f} s {name}: {'; '.join(found[:2])[:400] or 'stopped'}",
                  flush=True)
        complaints = self._complaints(case, result, found)
        self.report.judge(name, complaints)
        fell = any(map(CAME_THROUGH.search, found)) if case.layer is None else found
        mark = "broken" if "broken" in result else "falls" if fell else "holds"
        with self._lock:
            self.as_expected[case.layer is None, mark] += not complaints
            self.marks[f"{case.row} {case.layer or '-'}"] = mark
            if self.kept:
                self.kept.write_text(json.dumps(self.marks.maps[0], indent=1), encoding="utf-8")

    def finish(self):
        """For the proof, then the exit status."""
        count = self.as_expected
        if count:
            self.report.did(f"{count[True, 'falls']} attacks came through where all their layers "
                            "were left out")
            self.report.did(f"one layer alone: {count[False, 'holds']} times it stopped one, "
                            f"{count[False, 'falls']} times not, as cannot.txt says")
        return self.report.finish()

    @staticmethod
    def _relevant(case, found):
        """Without a group there are no figures of it."""
        if "cgroup" not in case.off:
            return found
        return [text for text in found if not re.match(r"(usage|limits_hit)\.", text)]

    def _complaints(self, case, result, found):
        if "broken" in result:
            return [result["broken"]]
        if case.layer is None:
            return [] if any(map(CAME_THROUGH.search, found)) else [
                "nothing was in its way, and it did not succeed", *found]
        why = self.cannot.get((case.row, case.layer))
        if why and not found:
            return ["it holds alone, and cannot.txt says that it cannot"]
        return [] if why else found


def is_seen(case, judge):
    """It was as it must be."""
    mark = judge.marks.get(f"{case.row} {case.layer or '-'}")
    return mark == ("falls" if must_fall(case, judge.cannot) else "holds")


def is_settled(row, judge):
    return all(is_seen(case, judge) for case in cases_of(row))


def write_table(path, rows, judge, absent):
    seen = {row.name: {layer: judge.marks[f"{row.name} {layer}"] for layer in layers_of(row)}
            for row in rows if is_settled(row, judge)}
    unseen = [row.name for row in rows if row.name not in seen]
    table.write(path, seen, unseen, judge.cannot, absent)


def judge_real_program(report, real, weakened):
    """What is installed has nothing of this, its embedded spawner neither."""
    text = b"WEAKENED_STEPS"
    found = [] if text in pathlib.Path(weakened).read_bytes() else ["the weakened one lacks it"]
    if text in pathlib.Path(real).read_bytes():
        found.append(f"{real} reads {text.decode()}")
    installed = subprocess.run(["meson", "introspect", "--installed", os.path.dirname(real)],
                               capture_output=True, text=True, check=True).stdout
    found += [f"{path} would be installed" for path in json.loads(installed)
              if "weakened" in path]
    report.judge("the real program has every step", found)


def parse_options(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runnel", default="build/tests/layers/runnel-weakened")
    parser.add_argument("--real", default="build/runnel", help="the one that has every step")
    parser.add_argument("--only", default="", metavar="REGEX", help="rows whose name matches")
    parser.add_argument("--machines", type=int, default=2, help="at once (2)")
    parser.add_argument("--slow", type=int, default=10, metavar="FACTOR",
                        help="as in tests/sandbox")
    parser.add_argument("--times", action="store_true", help="what each case took, and showed")
    parser.add_argument("--table", metavar="FILE", type=pathlib.Path,
                        help="write there what was seen; what stands there already counts as seen")
    parser.add_argument("--results", metavar="FILE",
                        help="keep what was seen there; what is there already counts as seen")
    parser.add_argument("--missing", action="store_true",
                        help="only cases that neither of these files shows as they must be")
    parser.add_argument("--list", action="store_true", help="print the cases and stop")
    return parser.parse_args(argv)


def main(argv):
    options = parse_options(argv)
    report = Report()
    corpus_rows = corpus.collect(HERE.parent / "sandbox")
    absent = standing_for(corpus_rows, read_elsewhere(HERE / "elsewhere.txt"))
    all_rows = [row for row in corpus_rows if is_chosen(row, "")]
    judge = Judge(report, read_cannot(HERE / "cannot.txt"), options,
                  marks_of_table(options.table, all_rows) if options.table else {})
    rows = [row for row in all_rows if re.search(options.only, row.name)]
    cases = [case for row in rows for case in cases_of(row)
             if not (options.missing and is_seen(case, judge))]
    if options.list:
        for case in cases:
            print(case.row, case.layer or "none", "without", ", ".join(case.off))
        return 0
    options.runnel = os.path.abspath(options.runnel)
    options.folder = os.path.dirname(options.runnel)
    names = {row.name for row in all_rows}
    spoilt = {int(mutation.row.rstrip("b")) for mutation in
              mutate.read_mutations(HERE / "mutations.txt")}
    report.judge("every row of a layer is here, or another stands for it", [
        f"{name}: {other or 'elsewhere.txt does not know it'}" for name, other, _ in absent
        if other not in names and not (other == MUTATIONS and int(name[:3]) in spoilt)])
    judge_real_program(report, os.path.abspath(options.real), options.runnel)
    wanted = {case.row for case in cases}
    programs = compile_all([row for row in rows if row.name in wanted], options.folder)
    timeouts_s = {row.name: row.timeout_s() * options.slow for row in rows}
    machines = [Machine(options, share, programs, judge.cannot, timeouts_s) for share in
                (cases[first::options.machines] for first in range(options.machines)) if share]
    with concurrent.futures.ThreadPoolExecutor(options.machines) as pool:
        list(pool.map(lambda machine: machine.run(judge.told), machines))
    if options.table:
        write_table(options.table, all_rows, judge, absent)
    return judge.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
