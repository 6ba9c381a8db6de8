#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Looks at every file of the tree for what no compiler says: sizes, first lines,
unfinished places, permissions, shell and Python syntax, links between the pages and names of
files in them; and for attacks that nothing shows."""
import functools
import os
import re
import subprocess
import sys

import check_rows
from tree import CORPORA, ROOT, Report, files, text_of

# Lines of a file: an aim that is only said, and a limit.
AIM, LIMIT = 400, 500
# A test is read row by row; a client is one file, for whoever takes it along.
LONGER, LONGER_LIMIT = ("tests/", "clients/"), 600
SOURCES = (".c", ".h", ".py", ".sh", ".pml")
GENERATED = (".golden",)

UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X])\b")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.*?)\s*$", re.MULTILINE)
NAMED = re.compile(r"`([a-z][a-z0-9_/]*\.[ch]|[a-z][a-z0-9_-]*/[a-z0-9_./-]+\.(?:md|mjs|pml|policy|py|sh|txt))`")
UNSET = re.compile(r"\s+auto_\w+ [\w ]+[ *](\w+);$")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def size_complaints(path, lines):
    limit = LONGER_LIMIT if path.startswith(LONGER) else LIMIT
    if len(lines) > AIM:
        print(f"# {path}: {len(lines)} lines, the aim is {AIM}")
    return [f"{len(lines)} lines, the limit is {limit}"] if len(lines) > limit else []


def cleanup_complaints(lines):
    """What is cleaned up at the end of its scope is set before a way leads out of it."""
    found = []
    for number, line in enumerate(lines):
        name = UNSET.match(line)
        for later in lines[number + 1:] if name else []:
            if f"&{name[1]}" in later:
                break
            if re.search(r"\breturn\b", later) or later == "}":
                found.append(f"line {number + 1}: {name[1]} is not set yet where it may be cleaned up")
                break
    return found


def line_complaints(path, lines):
    found = []
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            found.append(f"line {number} is unfinished: {line.strip()[:60]}")
        if line != line.rstrip():
            found.append(f"line {number} ends with a blank")
    return found


def source_complaints(path, lines, script):
    """A licence line first, and a size that one can read."""
    top = lines[1:2] if script or lines[0] == '"""' else lines[:1]
    found = [] if any("SPDX-License-Identifier: MIT" in line for line in top) else [
        "no SPDX line at its top"]
    return found + size_complaints(path, lines)


def script_complaints(path, lines, script):
    runs = os.access(ROOT / path, os.X_OK)
    found = []
    if script != runs:
        found.append("is not executable" if script else "is executable without #!")
    if script and re.search(r"\b(ba|da)?sh\b", lines[0]):
        shell = "bash" if "bash" in lines[0] else "sh"
        syntax = subprocess.run([shell, "-n", path], cwd=ROOT, stderr=subprocess.PIPE, text=True,
                                check=False)
        found += syntax.stderr.splitlines()
    if path.endswith(".py"):
        try:
            compile("\n".join(lines), path, "exec")
        except SyntaxError as error:
            found.append(str(error))
    return found


def anchors_of(text):
    """The names that a page's headings get."""
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text)]
    return {heading.replace(" ", "-") for heading in plain}


def link_complaints(path, text):
    found = []
    for link in LINK.findall(FENCE.sub("", text)):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        there = (ROOT / path).parent / target if target else ROOT / path
        if not there.exists():
            found.append(f"links to {link}, which is not there")
        elif anchor and there.suffix == ".md" and anchor not in anchors_of(
                there.read_text(encoding="utf-8")):
            found.append(f"links to {link}, which has no such heading")
    return found


@functools.cache
def path_ends():
    return {"/".join(parts[at:]) for parts in (path.split("/") for path in files())
            for at in range(len(parts))}


def name_complaints(text):
    """Pages name files by the ends of their paths."""
    return [f"names {name}, which is not there"
            for name in sorted(set(NAMED.findall(text)) - path_ends())]


def complaints(path):
    text = text_of(path)
    if not text:
        return []
    lines = text.splitlines()
    script = lines[0].startswith("#!")
    found = line_complaints(path, lines) + script_complaints(path, lines, script)
    if path.endswith(SOURCES) or script:
        found += source_complaints(path, lines, script)
    if path.endswith(".c"):
        found += cleanup_complaints(lines)
    if path.endswith(".md"):
        found += link_complaints(path, text) + name_complaints(text)
    if not text.endswith("\n"):
        found.append("does not end with a newline")
    return found


def main():
    report = Report()
    for path in files():
        if not path.startswith(CORPORA) and not path.endswith(GENERATED):
            report.judge(path, complaints(path))
    report.judge("every row is shown", check_rows.complaints())
    report.judge("every check of ours is spoilt once", check_rows.spoilt_complaints())
    report.judge("every language is tried in all", check_rows.language_complaints())
    report.judge("SECURITY.md names the rows of each layer", check_rows.layer_complaints())
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
