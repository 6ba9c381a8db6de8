# SPDX-License-Identifier: MIT
"""Two fronts and two workers, each in a network namespace of its own, and a cable that is cut."""

import time
import unittest

from fleet import ANSWER_S, Ends, Fleet, wait_until
from namespaces import Network
from websocket import WebSocket

ECHO = 'echo up; while read -r line; do echo "got $line"; done; echo bye'


class Namespaces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = Network()
        cls.addClassCleanup(cls.network.close)
        cls.fleet = Fleet(fronts=2, workers=2, servers=cls.network.address,
                          place=cls.network.machine)
        cls.addClassCleanup(cls.fleet.close)
        cls.one, cls.other = cls.fleet.fronts

    def converse(self, front):
        """A program that has begun, its connection, and its run."""
        status, record = front.request("POST", "/v1/runs?wait=false",
                                       {"language": "bash", "code": ECHO})
        self.assertEqual(status, 201, record)
        with front.place:
            socket = WebSocket(front.port, f"/v1/runs/{record['id']}/stream", timeout=ANSWER_S)
        self.addCleanup(socket.socket.close)
        self.hear(socket, "up")
        return socket, record["id"]

    def hear(self, socket, text):
        said = ""
        while text not in said:
            event = socket.json()
            if event["type"] in ("stdout", "stderr"):
                said += event["data"]
            self.assertNotEqual(event["type"], "end", event)

    def say(self, socket, word):
        socket.send_json({"type": "input", "data": word + "\n"})
        self.hear(socket, f"got {word}\n")

    def verdict(self, front, run, seconds=ANSWER_S):
        return wait_until("the run ends", lambda: (
            lambda record: record if record["verdict"] else None)(
                front.request("GET", f"/v1/runs/{run}")[1]), seconds)

    def worker_of(self, run):
        with self.fleet.connect() as redis:
            name = wait_until(f"{run} has a worker",
                              lambda: redis.call("HGET", f"runnel:run:{run}", "worker"),
                              ANSWER_S)  # a broker may hand it to a line that is dead, for 20 s
        return next(worker for worker in self.fleet.workers if worker.name == name.decode())

    def test_they_share_nothing_but_the_network(self):
        members = [*self.fleet.fronts, *self.fleet.workers]
        namespaces = {member.place.namespace for member in members}
        self.assertEqual(len(namespaces), len(members))
        addresses = {self.fleet.redis.address, *(member.place.address for member in members)}
        self.assertEqual(len(addresses), len(members) + 1)

    def test_a_job_from_each_front_is_known_on_both(self):
        jobs = {front.submit("python", f"print('from {front.name}')"): front
                for front in self.fleet.fronts}
        for job, front in jobs.items():
            for asked in self.fleet.fronts:
                self.assertEqual(asked.result(job)["result"]["output"], f"from {front.name}\n")

    def test_input_goes_from_each_front_to_each_worker(self):
        for front in self.fleet.fronts:
            # One more than a worker has slots.
            talks = [self.converse(front) for _ in range(self.fleet.slots + 1)]
            self.assertEqual({self.worker_of(run).name for _, run in talks},
                             {worker.name for worker in self.fleet.workers})
            for socket, run in talks:
                self.say(socket, "hello")
                socket.send_json({"type": "eof"})
                self.assertEqual(self.verdict(front, run)["verdict"], "succeeded")

    def test_a_cable_is_cut_and_mended(self):
        ends = Ends(self.fleet)
        socket, run = self.converse(self.one)
        lost = self.worker_of(run)
        kept = next(worker for worker in self.fleet.workers if worker is not lost)
        jobs = [self.other.submit("bash", "sleep 3; echo done")]
        while self.worker_of(jobs[-1]) is not lost:
            jobs.append(self.other.submit("bash", "sleep 3; echo done"))
        lost.place.cut()
        self.addCleanup(lost.place.mend)
        began = time.monotonic()
        record = self.verdict(self.one, run)
        self.assertEqual(record["verdict"], "internal_error", record)
        self.assertIn("worker lost", record["reason"])
        self.assertLess(time.monotonic() - began, 20)  # ten are promised
        for job in jobs:
            self.assertEqual(self.other.result(job)["result"]["output"], "done\n")
        self.assertTrue(self.one.runs())  # on the other one
        lost.place.mend()
        self.works_on(lost)
        self.assertEqual(self.verdict(self.one, run), record)
        ends.close()
        self.assertEqual(ends.twice(), {})
        self.assertEqual({run, *jobs} - ends.ends.keys(), set())
        self.assertIsNone(kept.process.poll())
        self.assertIsNone(lost.process.poll())

    def works_on(self, worker):
        """More at once than the other one has slots, until this one has some."""
        def has_one():
            jobs = [self.one.submit("bash", "sleep 0.5") for _ in range(2 * self.fleet.slots)]
            found = {self.worker_of(job).name for job in jobs[:self.fleet.slots + 1]}
            for job in jobs:
                self.assertEqual(self.one.result(job)["status"], "completed")
            return worker.name in found
        wait_until(f"{worker.name} works again", has_one, ANSWER_S)


if __name__ == "__main__":
    unittest.main()
