# SPDX-License-Identifier: MIT
"""kill -9 of workers and fronts at random moments under load: each job that a client was told of
has one end, a batch job a good one, and nothing is left behind.

FLEET_ROUNDS: how many (60; 500 in ./check --long). FLEET_WORKER_KILLS: of one worker that is started
again (6; 99)."""

import concurrent.futures
import os
import random
import signal
import time
import unittest

from fleet import BOUND_S, TERMINAL, Ends, Fleet, Worker, left_behind, wait_until
from restarted import Restarting, spread
from service import find_front

ROUNDS = int(os.environ.get("FLEET_ROUNDS", "500" if os.environ.get("LONG") else "60"))
WORKER_KILLS = int(os.environ.get("FLEET_WORKER_KILLS", "99" if os.environ.get("LONG") else "6"))
CLIENTS = 3


class Load:
    """Clients that submit until they are told to stop; what they were promised."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.promised = {}  # job: what it must say
        self.stopping = False
        self.pool = concurrent.futures.ThreadPoolExecutor(CLIENTS)
        self.clients = [self.pool.submit(self._client, number) for number in range(CLIENTS)]

    def _client(self, number):
        dice = random.Random(number)
        count = 0
        while not self.stopping:
            word = f"{number}-{count}"
            pause = dice.choice(["", "sleep 0.05;", "sleep 0.3;"])
            front = dice.choice(self.fleet.fronts)
            job = front.try_submit("bash", f"echo {word}; {pause} echo done")
            if job:
                self.promised[job] = f"{word}\ndone\n"
                if count % 10 == 9:  # or a slow machine has more and more to do
                    self._wait(job)
            time.sleep(dice.uniform(0.02, 0.15))
            count += 1

    def _wait(self, job):
        until = time.monotonic() + 30
        while not self.stopping and time.monotonic() < until:
            record = self.fleet.fronts[-1].job(job)
            if record and record["status"] in TERMINAL:
                return
            time.sleep(0.1)

    def stop(self):
        self.stopping = True
        for client in self.clients:
            client.result()
        self.pool.shutdown()


class RestartedWorker(Restarting, Worker):
    """One of a name of its own, that comes back."""

    def lose(self, victim):
        """The moment after the kill."""
        spawner = self.process.pid
        work = wait_until("it works", lambda: find_front(self.process.pid, "worker"))
        for name, pid in (("worker", work), ("spawner", spawner)):
            if name in victim:
                os.kill(pid, signal.SIGKILL)
        return time.monotonic()


class Killed(unittest.TestCase):
    def test_no_job_is_lost_or_ends_twice(self):
        dice = random.Random(int(os.environ.get("FLEET_SEED", "1")))
        with Fleet(fronts=2, workers=2) as fleet:
            ends = Ends(fleet)
            load = Load(fleet)
            spawners = []
            for _ in range(ROUNDS):
                time.sleep(dice.uniform(0.0, 0.5))
                if dice.random() < 0.7:
                    members, add = fleet.workers, fleet.add_worker
                else:
                    members, add = fleet.fronts, fleet.add_front
                victim = members.pop(dice.randrange(len(members)))
                victim.kill()
                spawners.append(victim.spawner())
                victim.close()
                add()
            wait_until("there are more jobs than kills", lambda: len(load.promised) > ROUNDS, 300)
            load.stop()
            wrong = self.wrong_ones(fleet, load.promised)
            self.assertEqual(wrong, {}, f"of {len(load.promised)}")
            ends.close()
            self.assertEqual(ends.twice(), {})
        wait_until("no process of a box is left", lambda: not left_behind(spawners))
        print(f"did {ROUNDS} kills of workers and fronts, {len(load.promised)} jobs meanwhile", flush=True)

    def test_a_worker_that_is_started_again_takes_the_next_job(self):
        """What of it is killed: the process that works, the one that starts boxes and is started
        again, or both."""
        dice = random.Random(int(os.environ.get("FLEET_SEED", "1")))
        took_s = {"worker": [], "its spawner": [], "worker and spawner": []}
        with Fleet(fronts=0, workers=0) as fleet:
            worker = RestartedWorker(fleet, "worker-restarted")
            fleet.workers.append(worker)
            front = fleet.add_front()
            fleet.wait_ready()
            promised = {}
            for number in range(WORKER_KILLS):
                promised[front.submit("bash", "echo before; sleep 0.2")] = "before\n"
                time.sleep(dice.uniform(0.0, 0.5))
                victim = list(took_s)[number % len(took_s)]
                began = worker.lose(victim)
                job = front.submit("bash", "echo next")
                promised[job] = "next\n"
                front.result(job, BOUND_S)
                took_s[victim].append(time.monotonic() - began)
            self.assertEqual(self.wrong_ones(fleet, promised), {})
        wait_until("no process of a box is left", lambda: not left_behind(worker.spawners))
        for victim, seconds in took_s.items():
            print(f"did {len(seconds)} times kill -9 of a worker that is started again: {victim}; the next "
                  f"job had its end after {spread(seconds)}", flush=True)

    def test_who_comes_back_to_its_machine_does_not_wait_for_its_own_name(self):
        with Fleet(fronts=1, workers=1) as fleet, fleet.connect() as redis:
            worker = fleet.workers[0]
            worker.kill()
            self.assertEqual(redis.call("PEXPIRE", f"runnel:worker:{worker.name}", 600000), 1)
            worker.start()
            job = fleet.fronts[0].submit("bash", "echo next")
            self.assertEqual(fleet.fronts[0].result(job)["status"], "completed")

    def wrong_ones(self, fleet, promised):
        """Each is found on any front, has ended as it should, or as a job may that ended two
        workers."""
        wrong = {}
        front = fleet.fronts[0]
        for job, wanted in promised.items():
            record = front.result(job, 90)
            result = record.get("result") or {}
            if record["status"] == "completed" and result.get("output") == wanted:
                continue
            if "workers" in str(result.get("error")):
                continue
            wrong[job] = record
        return wrong


if __name__ == "__main__":
    unittest.main()
