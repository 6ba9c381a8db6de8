#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes down in docs/PROOF.md what a part of ./check --long did.

proof.py PART LOG PASSED FAILED SKIPPED SECONDS

The part's section is replaced; those of other parts keep their dates, commits and machines.
What it did stands in its log, as report.py says.
"""
import datetime
import os
import pathlib
import platform
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "PROOF.md"
HEAD = """# Proof

What each part of `./check --long` did when it ran last, and what came of it. It writes this page itself
(`tests/proof.py`); what the parts are stands in [HACKING.md](HACKING.md#testing).
"""
FAILURES = 20 # that are named
# What parts of it write.
MADE = (f"docs/{PAGE.name}", "tests/layers/TABLE.md", "tests/layers/MUTATIONS.md")


def sections():
    """{part: its text} of the page as it is."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    return {name: body.strip() for name, body in
            re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)}


def git(*words):
    command = ["git", "-c", f"safe.directory={ROOT}", *words]
    ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                         check=False)
    return ran.stdout.strip()


def commit():
    """With a word about what is not in it."""
    name = git("rev-parse", "--short", "HEAD")
    changed = [line for line in git("status", "--porcelain").splitlines()
               if not line.endswith(MADE)]
    return f"commit {name or 'unknown'}" + (" and changes to it" if changed else "")


def machine():
    with open("/proc/meminfo", encoding="ascii") as file:
        kilobytes = int(file.readline().split()[1])
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    return (f"{system}, Linux {platform.release()}, {os.cpu_count()} processors, "
            f"{kilobytes / (1 << 20):.0f} GiB of memory")


def duration(seconds):
    minutes = seconds // 60
    if seconds < 120:
        return f"{seconds} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def section(log, passed, failed, skipped, seconds):
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    word = "Failed" if failed or not passed else "Passed"
    today = datetime.date.today().isoformat()
    text = [f"**{word}**: {passed} passed, {failed} failed, {skipped} skipped, in {duration(seconds)}.",
            f"{today}, {commit()}; {machine()}.", ""]
    text += [f"* {line.removeprefix('did ')}" for line in lines if line.startswith("did ")]
    text += [f"* failed: `{line.removeprefix('FAIL ').partition(' (')[0]}`" for line in lines
             if line.startswith("FAIL ")][:FAILURES]
    reasons = {}
    for line in lines:
        if line.startswith("skip "):
            reason = line.partition("(")[2].removesuffix(")")
            reasons[reason] = reasons.get(reason, 0) + 1
    text += [f"* skipped: {count} ({reason})" for reason, count in sorted(reasons.items())]
    return "\n".join(line.rstrip() for line in text).strip()


def main(part, log, *numbers):
    known = subprocess.run([ROOT / "check", "--list"], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.split()
    found = sections()
    found[part] = section(pathlib.Path(log), *map(int, numbers))
    bodies = [f"\n## {name}\n\n{found[name]}\n" for name in known if name in found]
    PAGE.write_text(HEAD + "".join(bodies), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
