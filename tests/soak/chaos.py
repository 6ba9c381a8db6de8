#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 of what a service is made of, at any moment, under a load of all kinds.

chaos.py --kills N --seed S     30, and ten times that with LONG=1

The service is started again as docs/OPERATING.md has it. After each kill it serves again, and
nothing of what was killed is left; at the end each run that a client was told of has one end, each
file is there, and the host is as it was. How long it took is told for each victim, with the share
that came within the two seconds that are promised; judged is ten times that. Needs root, and works
in folders of its own. Speaks as tests/report.py says.
"""
import argparse
import contextlib
import os
import pathlib
import random
import re
import signal
import sys
import time

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "system"), str(TESTS / "sandbox")]

# pylint: disable=wrong-import-position
import aftermath
import host
import leaks
from load import Load, broken_promises
from report import Report
from restarted import Restarted, disk_complaints, spread
from service import BOUND_S, ROOT, RUNNEL, descendants, is_alive, wait_until

CLIENTS = 8
LEVELS = {"idle": 0, "one": 1, "full": CLIENTS} # clients that work
PHASE_S = 0.5 # after which it is killed, at most
VICTIMS = {"front": 4, "spawner": 4, "both": 1, "spawner_twice": 1, "box": 2}


class Killer:
    """Of each victim there is a method: (the moment after the kill, what must not outlive it)."""

    def __init__(self, service, dice):
        self.service = service
        self.dice = dice
        self.answered_s = {name: [] for name in VICTIMS}
        self.ran_s = {name: [] for name in VICTIMS}

    def _kill(self, *pids):
        """The moment after it."""
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return time.monotonic()

    def front(self):
        dead = self.service.front()
        family = set(descendants(self.service.spawner()))
        began = self._kill(dead)
        wait_until("a front is back", lambda: self.service.front() not in (None, dead))
        return began, family

    def spawner(self):
        return self._spawner_with()

    def both(self):
        return self._spawner_with(self.service.front())

    def _spawner_with(self, *others):
        dead = self.service.spawner()
        family = {dead, *descendants(dead)}
        began = self._kill(*others, dead)
        self.service.wait_for_successor(dead)
        return began, family

    def spawner_twice(self):
        """The second while it starts."""
        _, first = self.spawner()
        time.sleep(self.dice.uniform(0.0, 0.25))
        began, second = self.spawner()
        return began, first | second

    def box(self):
        """The first process of one. Nothing else may notice."""
        front = self.service.front()
        began, family = wait_until("there is a box", self._kill_box)
        if not self.service.runs() or self.service.front() != front:
            raise AssertionError("a box was killed, and the front went with it")
        return began, family

    def _kill_box(self):
        """None when there is none, or it was gone before."""
        front = self.service.front()
        boxes = [pid for pid in _children(self.service.spawner()) if pid != front]
        box = self.dice.choice(boxes) if boxes else None
        family = {box, *descendants(box)} if box else None
        if not box or not is_alive(box):
            return None
        return self._kill(box), family

    def round(self, name):
        """What is wrong after one more kill."""
        began, family = getattr(self, name)()
        wait_until("it answers", self.service.answers)
        self.answered_s[name].append(time.monotonic() - began)
        wait_until("it runs", self.service.runs)
        self.ran_s[name].append(time.monotonic() - began)
        if self.ran_s[name][-1] > BOUND_S:
            raise AssertionError(f"it ran again after {self.ran_s[name][-1]:.0f} s")
        with contextlib.suppress(AssertionError):
            wait_until("it is gone", lambda: not any(is_alive(pid) for pid in family))
        return [f"process {pid} outlives the {name}" for pid in family if is_alive(pid)]


def _children(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(word) for word in text.split()]


def ours(complaints, spawners):
    """Without the cgroups of other spawners that died on this host: their successors remove them."""
    owner = re.compile(r"cgroup .*/runnel-\d+-(\d+)-")
    return [text for text in complaints
            if not (found := owner.search(text)) or int(found[1]) in spawners]


def rounds(service, load, after, kills, dice):
    """(the killer, {what: complaints})"""
    killer = Killer(service, dice)
    wrong = {"it_serves_again": [], "nothing_outlives_it": [], "the_host_is_clean": []}
    for number in range(kills):
        victim = dice.choices(list(VICTIMS), list(VICTIMS.values()))[0]
        level = dice.choice([name for name in LEVELS if victim != "box" or LEVELS[name]])
        load.active = LEVELS[level]
        time.sleep(dice.uniform(0.0, PHASE_S))
        where = f"kill {number + 1}, {victim}, {level}: "
        try:
            wrong["nothing_outlives_it"] += [where + text for text in killer.round(victim)]
        except AssertionError as error:
            wrong["it_serves_again"].append(f"{where}{error}: {service.log()[-300:]}")
            break
        wrong["the_host_is_clean"] += [where + text
                                       for text in ours(after.complaints(), service.spawners)]
    load.active = 0
    return killer, wrong


def tell(report, killer, load):
    for name, ran_s in killer.ran_s.items():
        if ran_s:
            report.did(f"{len(ran_s)} times kill -9: {name}; it answered after "
                       f"{spread(killer.answered_s[name])}; a program had run after {spread(ran_s)}")
    report.did(f"{len(load.promised)} runs accepted, {len(load.uploads)} uploads, "
               f"{load.lost} requests cut off, {load.refused} refused")


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=300 if os.environ.get("LONG") == "1" else 30)
    parser.add_argument("--seed", default=str(random.randrange(1 << 32)))
    options = parser.parse_args(argv)
    report, dice = Report(), random.Random(options.seed)
    print(f"# --seed {options.seed}", flush=True)
    host.leave_shared_folders([str(ROOT), os.path.dirname(os.path.abspath(RUNNEL))])
    host.adopt_orphans()
    kernels = leaks.kernels()
    service = None
    after = aftermath.Aftermath(lambda: {service.process.pid} if service else set())
    service = Restarted("--concurrency=4", "--shutdown-grace=0s")
    after.accept_files()
    try:
        load = Load(service.port, CLIENTS, options.seed)
        killer, wrong = rounds(service, load, after, options.kills, dice)
        report.judge("no_client_hangs", [] if load.stop() else ["one waits for its answer"])
        tell(report, killer, load)
        for what, complaints in wrong.items():
            report.judge(what, complaints)
        report.judge("answers_are_right", load.wrong)
        report.judge("each_run_has_one_end", broken_promises(load, may_be_lost=True))
        killer.spawner()
        wait_until("it runs", service.runs)
        report.judge("the_disk_is_in_order", disk_complaints(service.storage()))
        unexpected = [status for status in service.ends if status != -signal.SIGKILL]
        report.judge("it_ends_only_when_killed", [f"it ended with {status}" for status in unexpected])
        status = service.stop()
        report.judge("it_ends_well", [] if status == 0 else [f"{status}: {service.log()[-600:]}"])
    finally:
        service.close()
    report.judge("nothing_is_left", ours(after.final_complaints(), service.spawners)
                 + leaks.more_kernels(kernels))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
