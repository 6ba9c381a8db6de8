#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Too much of everything: the service says no in order, serves the others meanwhile, and is well
afterwards.

pressure.py --seconds N --only WORD     3 for each case, and ten times that with LONG=1

Ten times the load, clients that are slow, clients whose packets stop, no descriptor left for the
front or for the spawner, no disk left. Meanwhile a bystander asks for one run after the other. Needs root, and works in folders of
its own. Speaks as tests/report.py says.
"""
import argparse
import os
import pathlib
import sys
import threading
import traceback

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), *(str(TESTS / name) for name in ("system", "sandbox", "fleet"))]

# pylint: disable=wrong-import-position
import half_open
import host
import troubles
from report import Report
from service import ROOT, RUNNEL

CASES = {"overload": troubles.overload, "slow_clients": troubles.slow_clients,
         "no_descriptors": troubles.no_descriptors,
         "no_descriptors_of_the_spawner": troubles.no_descriptors_of_the_spawner,
         "no_disk": troubles.no_disk,
         "half_open": half_open.case}


def run_case(report, name, seconds):
    try:
        CASES[name](report, seconds)
    except Exception as error:  # pylint: disable=broad-exception-caught
        traceback.print_exc()
        report.judge(name, [f"{type(error).__name__}: {error}"[:600]])


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30 if os.environ.get("LONG") == "1" else 3)
    parser.add_argument("--only", default="", metavar="WORD", help="cases whose name has it")
    options = parser.parse_args(argv)
    report = Report()
    chosen = [name for name in CASES if options.only in name]
    host.leave_shared_folders([str(ROOT), os.path.dirname(os.path.abspath(RUNNEL))])
    # Those whose packets stop are waited for, most of a minute: the other cases go on beside it. It
    # has this thread, whose network namespace is the process's (tests/fleet/namespaces.py).
    others = threading.Thread(target=lambda: [run_case(report, name, options.seconds)
                                              for name in chosen if name != "half_open"])
    others.start()
    if "half_open" in chosen:
        run_case(report, "half_open", options.seconds)
    others.join()
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
