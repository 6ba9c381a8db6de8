# SPDX-License-Identifier: MIT
"""What a worker does with a Redis that is there and takes nothing, and afterwards, over the same
connection."""

import contextlib
import pathlib
import subprocess
import time
import unittest

from fleet import ECHO, FleetTest
from service import RUNNEL, wait_until

MEMBERS_CLIENT = pathlib.Path(RUNNEL).resolve().parent / "tests/unit/fleet/members_client"
PATIENT = {"timeout_ms": 60000, "idle_timeout_ms": 60000}
NOBODY_S = 6  # by then whoever is not read any more was called gone, and a second has passed


class Refused(FleetTest):
    @contextlib.contextmanager
    def refusal(self):
        """It is full."""
        self.front.redis("CONFIG", "SET", "maxmemory", "1")
        try:
            yield
        finally:
            self.front.redis("CONFIG", "SET", "maxmemory", "0")

    SPEAKS = "input(); print(('x' * 1023 + '\\n') * 4096 + 'over')"

    def member(self, kind, name, languages=""):
        """One that the worker sees."""
        member = subprocess.Popen([MEMBERS_CLIENT, self.redis.url, kind, name, languages],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(member.wait, 20)
        self.addCleanup(member.terminate)
        wait_until("it is a member", lambda: self.is_written(kind, name))
        time.sleep(2)  # a reading
        return member

    def is_written(self, kind, name):
        return self.front.redis("EXISTS", f"runnel:{kind}:{name}") == 1

    def start(self, code, **fields):
        run = self.front.send(self.front.live_job(code, limits=PATIENT, **fields))
        self.front.wait_state(run, "running")
        return run

    def start_blindly(self, code):
        run = self.front.send(self.front.live_job(code, limits=PATIENT), tell=False)
        wait_until("the worker listens", lambda: self.front.redis(
            "PUBSUB", "NUMSUB", f"runnel:commands:{run}")[1] == 1)
        time.sleep(1)
        return run

    def end(self, run):
        """Of one that echoes."""
        self.front.say(run, "input", data=b"hello\n")
        self.front.wait_output(run, b"got hello\n")
        self.front.say(run, "eof")
        self.assertEqual(self.front.result(run)["verdict"], "succeeded")

    def test_nobody_is_gone_for_that(self):
        """Neither the front of a run, nor who has a language that this one lacks."""
        self.worker()
        self.member("worker", "another", "dart")
        self.member("front", self.front.name)
        run = self.start(ECHO, ends_unattended=True, unattended_ms=1000)
        with self.refusal():
            wait_until("keys end", lambda: not self.is_written("front", self.front.name) and
                       not self.is_written("worker", "another"))
            time.sleep(NOBODY_S)
            dart = self.front.send(self.front.job("", language="dart"), tell=False)
            time.sleep(2)
            self.assertEqual((self.front.answers(run), self.front.answers(dart)), ([], []))
        self.end(run)
        self.front.redis("HSET", f"runnel:run:{dart}", "cancel", "no more of it")
        self.assertEqual(self.front.result(dart)["verdict"], "cancelled")

    def test_output_that_it_did_not_get_is_not_waited_for(self):
        self.worker()
        run = self.start(self.SPEAKS + "; input(); print('and more')")
        with self.refusal():
            self.front.say(run, "input", data=b"\n")
            time.sleep(2)  # all that may be sent was refused
        self.front.say(run, "input", data=b"\n")
        self.front.wait_output(run, b"and more")
        self.assertEqual(self.front.result(run)["verdict"], "succeeded")

    def test_what_was_said_without_a_front_is_not_waited_for(self):
        """The stream keeps the last of it, and its front, which is back, can take no more."""
        self.worker()
        run = self.start(self.SPEAKS.replace("4096", "8192") + "; " + self.SPEAKS,
                         unattended_ms=1000)
        self.front.say(run, "input", data=b"\n")
        wait_until("much was said", lambda: b"over" in self.front.output(run))
        self.member("front", self.front.name)
        self.front.say(run, "anew")
        self.front.say(run, "input", data=b"\n")
        taken = {}

        def take():
            taken.update({event[0]: len(event[4]) for event in self.front.events(run)
                          if event[2] == "stdout"})
            self.front.say(run, "taken", sum(taken.values()))
            return self.front.answers(run)
        wait_until("it ends", take)
        self.assertEqual(self.front.result(run)["verdict"], "succeeded")

    def test_a_front_that_is_new_has_its_time_afterwards(self):
        """What it had said before is older than its run may be alone."""
        self.worker()
        with self.refusal():
            time.sleep(2)  # it is noticed
            run = self.front.send(self.front.live_job(ECHO, limits=PATIENT, ends_unattended=True,
                                                      unattended_ms=5000), tell=False)
            wait_until("the worker hears", lambda: self.front.say(run, "resize", 80, 24))
            time.sleep(7)
            self.assertEqual(self.front.answers(run), [])
        self.member("front", self.front.name)
        time.sleep(1)
        self.assertEqual(self.front.answers(run), [])
        self.end(run)

    def test_a_run_that_began_meanwhile_is_ours_afterwards(self):
        worker = self.worker()
        with self.refusal():
            run = self.start_blindly(ECHO)
        wait_until("it has its lease", lambda: self.front.redis(
            "GET", f"runnel:lease:{run}") == worker.name.encode())
        wait_until("it is known", lambda: self.front.kept(run) == {
            "attempt": b"1", "worker": worker.name.encode()})
        self.end(run)

    def test_a_run_that_began_meanwhile_and_has_ended_is_left(self):
        """Its worker could not ask, and finds out when it says that the run is its own."""
        worker = self.worker()
        job = self.front.live_job(ECHO, limits=PATIENT)
        self.front.redis("HSET", f"runnel:run:{job['id']}", "result", "first")
        with self.refusal():
            run = self.front.send(job, tell=False)
            wait_until("it lets go", lambda: worker.events("run_abandoned"))
        self.assertEqual(self.front.kept(run)["result"], b"first")
        self.assertEqual(self.front.answers(run), [])


if __name__ == "__main__":
    unittest.main()
