# SPDX-License-Identifier: MIT
"""What is killed is replaced or cleaned up: nothing lost without an answer, nothing left."""

import os
import signal
import threading
import time
import unittest

from service import BOUND_S, BOX_UIDS, Service, descendants, groups, is_alive, wait_until

SLEEP = "sleep 300 & sleep 300"


def start_a_run(service, answers):
    """One that does not end by itself, in a thread; returns once its box is there."""
    before = set(descendants(service.spawner()))

    def ask():
        try:
            answers.append(service.run("bash", SLEEP, limits={"timeout_ms": 300000}))
        except OSError as error:
            answers.append(error)
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    # The box's init, the shell and its two children.
    wait_until("the run has started",
               lambda: len(set(descendants(service.spawner())) - before) >= 4)
    return thread


class Supervision(unittest.TestCase):
    def test_a_killed_front_is_replaced_and_its_boxes_die(self):
        with Service() as service:
            answers = []
            thread = start_a_run(service, answers)
            family = descendants(service.spawner())
            os.kill(service.front(), signal.SIGKILL)
            wait_until("it serves again", service.runs)
            thread.join(BOUND_S)
            self.assertTrue(answers, "the client of the lost run hangs")
            wait_until("no process of the old front is left",
                       lambda: not any(is_alive(pid) for pid in family))
            self.assertIsNone(service.process.poll(), "the spawner went with its front")

    def test_a_front_that_is_killed_again_and_again_is_replaced(self):
        with Service() as service:
            for _ in range(5):
                killed = service.front()
                os.kill(killed, signal.SIGKILL)
                wait_until("it serves again", lambda dead=killed: service.front() not in (None, dead)
                           and service.runs())

    def test_nothing_outlives_a_killed_spawner_and_its_successor_cleans_up(self):
        service = Service()
        try:
            thread = start_a_run(service, [])
            family = descendants(service.spawner())
            killed = service.spawner()
            self.assertTrue(groups(killed))
            service.process.kill()
            service.process.wait()
            wait_until("every process is gone",
                       lambda: not any(is_alive(pid) for pid in family))
            thread.join(BOUND_S)
            self.assertFalse(thread.is_alive(), "the client of the lost run hangs")
        finally:
            service.close()
        with Service() as successor:
            self.assertEqual(successor.run("bash", "echo fine")["output"], "fine\n")
            self.assertFalse(groups(killed), "cgroups of the killed spawner are left")

    @unittest.skipUnless(os.geteuid() == 0, "needs root, which gives the front a user of its own")
    def test_what_is_kept_does_not_change_hands_at_the_next_start(self):
        with Service() as service:
            self.assertTrue(service.runs())
            owner = os.stat(service.storage()).st_uid
            for _ in range(2):
                self.assertIn(owner, BOX_UIDS)
                service.process.send_signal(signal.SIGTERM)
                service.process.wait(BOUND_S)
                service.restart()
                self.assertEqual(os.stat(service.storage()).st_uid, owner)

    def test_a_stopped_service_leaves_nothing(self):
        with Service() as service:
            self.assertEqual(service.run("bash", "echo x")["output"], "x\n")
            family = descendants(service.spawner())
        self.assertFalse([pid for pid in family if is_alive(pid)])
        self.assertFalse(groups(service.spawner()))


class Shutdown(unittest.TestCase):
    def stop_during_a_run(self, service, code, **more):
        answers = []
        before = set(descendants(service.spawner()))
        thread = threading.Thread(target=lambda: answers.append(service.run("bash", code, **more)))
        thread.start()
        wait_until("the run has started", lambda: set(descendants(service.spawner())) - before)
        service.process.send_signal(signal.SIGTERM)
        return thread, answers

    def test_a_running_run_may_end_within_the_grace(self):
        with Service("--shutdown-grace=60s") as service:
            thread, answers = self.stop_during_a_run(service, "sleep 1; echo done")
            thread.join(BOUND_S)
            self.assertEqual(answers[0]["verdict"], "succeeded")
            self.assertEqual(answers[0]["output"], "done\n")
            self.assertEqual(service.process.wait(BOUND_S), 0)

    def test_a_run_that_goes_on_is_cancelled_after_the_grace(self):
        with Service("--shutdown-grace=300ms") as service:
            thread, answers = self.stop_during_a_run(service, SLEEP)
            thread.join(BOUND_S)
            self.assertEqual(answers[0]["verdict"], "cancelled")
            self.assertEqual(service.process.wait(BOUND_S), 0)

    def test_no_new_run_is_taken_meanwhile(self):
        with Service("--shutdown-grace=60s") as service:
            thread, answers = self.stop_during_a_run(service, "sleep 2; echo done")

            def refused():
                try:
                    return service.request("POST", "/execute", {"language": "bash", "code": "x"},
                                           timeout=5)[0] == 503
                except OSError:
                    return True  # the listener is closed already
            wait_until("it refuses", refused)
            thread.join(BOUND_S)
            self.assertEqual(answers[0]["output"], "done\n")

    def test_a_second_signal_hurries(self):
        with Service("--shutdown-grace=300s") as service:
            thread, answers = self.stop_during_a_run(service, SLEEP)
            time.sleep(0.2)
            service.process.send_signal(signal.SIGTERM)
            self.assertEqual(service.process.wait(BOUND_S), 0)
            thread.join(BOUND_S)
            self.assertEqual(answers[0]["verdict"], "cancelled")

    def test_a_front_that_dies_while_it_stops_is_no_clean_end(self):
        with Service("--shutdown-grace=300s") as service:
            answers = []
            thread = start_a_run(service, answers)
            service.process.send_signal(signal.SIGTERM)
            wait_until("it stops", lambda: '"stopping"' in service.log())
            os.kill(service.front(), signal.SIGKILL)
            self.assertEqual(service.process.wait(BOUND_S), 70)
            self.assertIn("while it was stopping", service.log())
            thread.join(BOUND_S)


class FailClosed(unittest.TestCase):
    """As an ordinary user no cgroup is ours, unless it was delegated."""

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to become another user")
    def test_a_missing_layer_refuses_service_and_names_the_remedy(self):
        service = Service(user="nobody", wait=False)
        try:
            self.assertEqual(service.process.wait(BOUND_S), 69)
            self.assertIn("--allow-missing=cgroup", service.log())
        finally:
            service.close()

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to become another user")
    def test_a_layer_that_is_done_without_shows_everywhere(self):
        with Service("--allow-missing=cgroup", user="nobody") as service:
            status, health = service.request("GET", "/health")
            self.assertEqual(status, 200)
            self.assertIn("no cgroup", str(health))
            answer = service.run("bash", "echo x")
            self.assertEqual(answer["output"], "x\n")
            self.assertIn("no cgroup", answer["isolation"])


if __name__ == "__main__":
    unittest.main()
