# SPDX-License-Identifier: MIT
"""kill -9 of workers and fronts at random moments under load: each job that a client was told of
has one end, a batch job a good one, and nothing is left behind.

FLEET_ROUNDS: how many (60; 500 in ./check --long)."""

import concurrent.futures
import os
import random
import time
import unittest

from fleet import TERMINAL, Ends, Fleet, left_behind, wait_until

ROUNDS = int(os.environ.get("FLEET_ROUNDS", "500" if os.environ.get("LONG") else "60"))
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
