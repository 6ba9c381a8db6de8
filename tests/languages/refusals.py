# SPDX-License-Identifier: MIT
"""Which calls that the box's policy refuses do languages make by themselves?

The self-test of each (tests/sandbox/all/081_runtimes: threads, processes, collector, sockets)
is compiled and run with the language's own commands under the same policy, by a program that
writes down each refusal (tests/unit/sandbox/report_calls.c). Whatever is not on the list of
refusals.txt fails the test: either the policy lacks something, or the list a reason.
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

import row

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SELF_TESTS = ROOT / "tests" / "sandbox" / "all" / "081_runtimes"
# What each self-test tries, unless absent.txt says that its language has none.
TRIED = ("threads", "processes", "collector", "sockets")
STAGE_S = 120
VALUES = {"args": "", "compile_args": "", "files": "", "heap_mb": "192"}


def read_list(name):
    """{(language, the words behind it)}; a line without a reason is none."""
    found = set()
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        words, _, reason = line.partition("#")
        if words.strip() and not reason.strip():
            raise ValueError(f"{name}: '{line}' has no reason")
        if words.strip():
            language, rest = words.split(maxsplit=1)
            found.add((language, " ".join(rest.split())))
    return found


def self_test_says(language):
    """The line by which it ends, when all works."""
    absent = [what for what in TRIED if (language, what) in read_list("absent.txt")]
    works = ", ".join(what for what in TRIED if what not in absent) + ": work"
    return works + (f"; none in this language: {', '.join(absent)}" if absent else "")


def language_file(name):
    """(commands of the stages, name of the source, its environment)"""
    commands, source, environment, section = [], None, {}, ""
    for line in (ROOT / "languages" / f"{name}.lang").read_text(encoding="utf-8").splitlines():
        heading = re.fullmatch(r"\[(.*)\]", line.strip())
        section = heading[1] if heading else section
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or line.startswith("#"):
            continue
        if section == "environment":
            environment[key] = value
        elif section == "" and key in ("compile", "execute"):
            commands.append(value)
        elif section == "" and key == "source":
            source = value
    return commands, source, environment


# As a box has them: nobody's rights, processes and shared memory of its own.
BOXED = ["unshare", "--mount", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc",
         "sh", "-c", 'mount -t tmpfs -o mode=1777 tmpfs /dev/shm && exec "$@"', "sh",
         "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def run_stage(program, command, folder, environment):
    """(refusals, complaints, output)"""
    report = folder / "refusals"
    try:
        ran = subprocess.run([*BOXED, program, str(report), *command], cwd=folder / "work",
                             env=environment, timeout=STAGE_S, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             check=False)
    except subprocess.TimeoutExpired:
        return [], [f"{command[0]} does not end"], ""
    if ran.returncode != 0 or not report.exists():
        return [], [f"{command[0]} ended with {ran.returncode}: {ran.stdout[-300:]}"], ran.stdout
    lines = report.read_text(encoding="utf-8").splitlines()
    return [line.split(maxsplit=1)[1] for line in lines], [], ran.stdout


def make_folder(path, source, text):
    """Where the account may work, and /work of the box would be."""
    work = path / "work"
    work.mkdir()
    (work / source).write_text(text, encoding="utf-8")
    for made in (path, work):
        shutil.chown(made, "nobody")
        made.chmod(0o755)
    return work


def judge_language(program, language, listed):
    """(complaints, refusals that were seen)"""
    commands, source, environment = language_file(language)
    test = next((path for path in SELF_TESTS.iterdir() if path.stem == language), None)
    if not test:
        return ["it has no self-test"], set()
    text = row.source_of(row.Row(test, {"row": "81", "expect": "succeeded"}, language, language),
                         ROOT / "tests" / "sandbox", {})
    entry = re.search(r"^(?:public class|object) (\w+)", text, re.MULTILINE)
    if entry: # where it is the class that is named
        source = entry[1] + pathlib.Path(source).suffix
    values = dict(VALUES, source=source, stem=source.split(".")[0])
    seen, complaints, output = set(), [], ""
    with tempfile.TemporaryDirectory(prefix="runnel-refusals-") as name:
        work = make_folder(pathlib.Path(name), source, text)
        environment = {"HOME": str(work), "TMPDIR": str(work), "LANG": "C.UTF-8",
                       "PATH": "/usr/local/bin:/usr/bin:/bin", **environment}
        for command in commands:
            words = shlex.split(re.sub(r"\{(\w+)\}", lambda found: values[found[1]], command))
            refused, complaints, output = run_stage(program, words, pathlib.Path(name), environment)
            seen.update(refused)
            if complaints:
                return complaints, seen
    if self_test_says(language) not in output:
        complaints.append(f"its self-test does not work: {output[-300:]}")
    return complaints + [f"not on the list of refusals.txt: {language} {refusal}"
                         for refusal in sorted(seen)
                         if not {(language, refusal), ("*", refusal)} & listed], seen


def judge(report, program, languages):
    """One test for each language; the list's lines that no language needs are said."""
    listed, all_seen = read_list("refusals.txt"), set()
    with tempfile.TemporaryDirectory(prefix="runnel-refusals-") as folder:
        os.chmod(folder, 0o755) # the build may lie where nobody else may read
        copy = shutil.copy(program, folder)
        for language in languages:
            complaints, seen = judge_language(copy, language, listed)
            all_seen |= {(language, refusal) for refusal in seen} | {("*", r) for r in seen}
            report.judge(f"{language}/refused_calls", complaints)
    for language, refusal in sorted(listed - all_seen):
        print(f"# listed, and not seen here: {language} {refusal}")
