#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the fuzz targets with libFuzzer and runs them, one a processor.

run.py [--seconds N] [--jobs N] [TARGET...]     without targets: all

What is found beyond the corpus goes to build-fuzz/found/TARGET, and what crashes to
build-fuzz/crashes: put a crash, as small as -minimize_crash=1 makes it, into the corpus
with what mends it.
"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build-fuzz"
CORPUS = ROOT / "tests/fuzz/corpus"
sys.path.insert(0, str(ROOT / "tests"))

# pylint: disable=wrong-import-position
from report import Report

SETUP = ["meson", "setup", str(BUILD), "-Db_sanitize=address,undefined", "-Db_lundef=false",
         "-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=all"]
# One input may take this long, and this many MiB.
BOUNDS = ["-timeout=60", "-rss_limit_mb=2048", "-print_final_stats=1"]


def build(targets):
    if not (BUILD / "build.ninja").exists():
        subprocess.run(SETUP, cwd=ROOT, env={**os.environ, "CC": "clang"}, check=True)
    subprocess.run(["ninja", "-C", str(BUILD), *(f"tests/fuzz/fuzz_{name}" for name in targets)],
                   check=True)


def longest(name):
    """Inputs as long as the longest of the corpus, and some more."""
    return max(4096, 2 * max(path.stat().st_size for path in (CORPUS / name).iterdir()))


def run(name, seconds):
    """Complaints."""
    found, crashes = BUILD / "found" / name, BUILD / "crashes"
    found.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(exist_ok=True)
    done = subprocess.run(
        [str(BUILD / "tests/fuzz" / f"fuzz_{name}"), f"-max_total_time={seconds}", *BOUNDS,
         f"-max_len={longest(name)}", f"-artifact_prefix={crashes}/{name}-", str(found),
         str(CORPUS / name)], capture_output=True, text=True, errors="replace", check=False)
    lines = done.stderr.splitlines()
    if done.returncode == 0:
        print(f"# {name}: " + ", ".join(line.removeprefix("stat::").replace("  ", "")
                                        for line in lines if line.startswith("stat::number")))
        return []
    print("\n".join(lines[-60:]))
    return [f"exit status {done.returncode}; its input lies in {crashes}"]


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("FUZZ_SECONDS", "600")),
                        help="of each target (FUZZ_SECONDS, else 600)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)),
                        help="targets at once (as many as there are processors)")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all")
    options = parser.parse_args(argv)
    known = sorted(path.stem.removeprefix("fuzz_") for path in CORPUS.parent.glob("fuzz_*.c"))
    unknown = set(options.targets) - set(known)
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    targets = options.targets or known
    build(targets)
    report = Report()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda name: report.judge(f"fuzz/{name}", run(name, options.seconds)), targets))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
