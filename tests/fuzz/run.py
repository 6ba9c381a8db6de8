#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the fuzz targets with libFuzzer and runs them, one a processor.

run.py [--seconds N] [--jobs N] [--of clients|runs|fleet|host | TARGET...]     without: all

The seconds are those of a processor: what else the machine does takes nothing from them. What is
found beyond the corpus goes to build-fuzz/found/TARGET, and what crashes to build-fuzz/crashes: put
a crash, as small as -minimize_crash=1 makes it, into the corpus with what mends it.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

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
LOOKS_EVERY_S = 1
# By whose bytes they take; each target stands once.
HEARD = {
    "clients": "account addresses engineio http json multipart signed_path socketio_packet upload websocket",
    "runs": "interactive jobs_lines jobs_request live requests run_plan runs_query runs_replay runs_request",
    "fleet": "amqp fleet_front fleet_worker foreign redis_client redis_reply verb_jobs "
             "wire_command wire_event wire_job wire_member wire_result",
    "host": "box_report config kernel_text language listeners memory options policy spawner_plan spawner_reply "
            "waiting",
}


def build(targets):
    if not (BUILD / "build.ninja").exists():
        subprocess.run(SETUP, cwd=ROOT, env={**os.environ, "CC": "clang"}, check=True)
    subprocess.run(["ninja", "-C", str(BUILD), *(f"tests/fuzz/fuzz_{name}" for name in targets)],
                   check=True)


def longest(name):
    """Inputs as long as the longest of the corpus, and some more."""
    return max(4096, 2 * max(path.stat().st_size for path in (CORPUS / name).iterdir()))


def processor_seconds(pid):
    """That the process has had, all its threads together."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run_for(command, seconds):
    """(exit status, what it said): it is asked to end when it has had its time."""
    with tempfile.TemporaryFile("w+", errors="replace") as said, \
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said) as child:
        while True:
            try:
                child.wait(LOOKS_EVERY_S)
                break
            except subprocess.TimeoutExpired:
                if processor_seconds(child.pid) >= seconds:
                    child.send_signal(signal.SIGUSR1)
        said.seek(0)
        return child.returncode, said.read().splitlines()


def run(name, seconds):
    """(complaints, inputs that were tried)"""
    found, crashes = BUILD / "found" / name, BUILD / "crashes"
    found.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(exist_ok=True)
    status, lines = run_for(
        [str(BUILD / "tests/fuzz" / f"fuzz_{name}"), *BOUNDS, f"-max_len={longest(name)}",
         f"-artifact_prefix={crashes}/{name}-", str(found), str(CORPUS / name)], seconds)
    stats = [line.removeprefix("stat::") for line in lines if line.startswith("stat::number")]
    if status == 0 and stats:
        print(f"# {name}: " + ", ".join(" ".join(line.split()) for line in stats), flush=True)
        return [], int(re.search(r"executed_units: *(\d+)", stats[0])[1])
    print("\n".join(lines[-60:]), flush=True)
    return [f"exit status {status}; its input lies in {crashes}"], 0


def targets_of(group, known):
    """Those of one group, or all of them."""
    heard = [name for names in HEARD.values() for name in names.split()]
    if sorted(heard) != known:
        sys.exit(f"HEARD does not have each target once: {sorted(set(heard) ^ set(known)) or heard}")
    return HEARD[group].split() if group else known


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("FUZZ_SECONDS", "600")),
                        help="of a processor, for each target (FUZZ_SECONDS, else 600)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)),
                        help="targets at once (as many as there are processors)")
    parser.add_argument("--of", choices=HEARD, help="whose bytes these targets take")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all")
    options = parser.parse_args(argv)
    known = sorted(path.stem.removeprefix("fuzz_") for path in CORPUS.parent.glob("fuzz_*.c"))
    unknown = set(options.targets) - set(known)
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    targets = options.targets or targets_of(options.of, known)
    build(targets)
    report = Report()

    def judge(name):
        complaints, inputs = run(name, options.seconds)
        report.judge(f"fuzz/{name}", complaints)
        return inputs

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        inputs = list(pool.map(judge, targets))
    report.did(f"{len(targets)} targets, {options.seconds} s of a processor each: "
               f"{sum(inputs) / 1e6:.1f} million inputs")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
