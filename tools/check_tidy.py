#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs clang-tidy (.clang-tidy) over the sources of src/, one process a core.

check_tidy.py FOLDER    a build folder of clang: gcc's options would confuse it

clang's analyzer follows calls as far as it can with LONG=1, which takes twenty times as long;
else it stays shallow.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

from tree import ROOT, Report

SHALLOW = [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang", "mode=shallow")]
FINDING = re.compile(r"^(\S+?):(\d+):\d+: (?:error|warning): (.*)$", re.MULTILINE)


def complaints(folder, source):
    """Findings in a source and the headers it includes."""
    depth = [] if os.environ.get("LONG") == "1" else SHALLOW
    checked = subprocess.run(["clang-tidy", "--quiet", "-p", folder, *depth, str(source)], cwd=ROOT,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             check=False)
    if checked.returncode == 0:
        return []
    print(checked.stdout, flush=True)
    found = [f"{os.path.relpath(os.path.normpath(path), ROOT)}:{line}: {text}"
             for path, line, text in FINDING.findall(checked.stdout)]
    return found or [checked.stderr.strip()[-300:]]


def main(folder):
    report = Report()
    commands = json.loads(pathlib.Path(folder, "compile_commands.json").read_text(encoding="utf-8"))
    paths = {pathlib.Path(os.path.normpath(os.path.join(command["directory"], command["file"])))
             for command in commands}
    sources = sorted(path for path in paths
                     if path.suffix == ".c" and path.is_relative_to(ROOT / "src"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for source, found in zip(sources, pool.map(lambda path: complaints(folder, path), sources)):
            report.judge(str(source.relative_to(ROOT)), found)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
