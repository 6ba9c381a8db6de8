# SPDX-License-Identifier: MIT
"""What the process that reads strangers' bytes has left of its rights, in the program as it is
installed: with the system call filter, which a build with sanitizers goes without."""

import os
import pathlib
import pwd
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

# pylint: disable=wrong-import-position
from fleet import FleetTest
from service import BOX_UIDS, RUNNEL, Service

# What is expected follows from how it was built, never from what is seen.
FILTERED = "0" if b"__asan_init" in pathlib.Path(RUNNEL).read_bytes() else "2"
NOBODY = pwd.getpwnam("nobody")
# A user that is nobody else's, but may do a little more than others.
WITH_A_RIGHT = ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups",
                "--inh-caps=+net_raw", "--ambient-caps=+net_raw", "--"]
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapAmb")


def status(pid):
    """Of each of its threads."""
    found = []
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        lines = (thread / "status").read_text(encoding="utf-8").splitlines()
        found.append({key: value.split() for key, _, value in
                      (line.partition(":") for line in lines)})
    return found


class Case(unittest.TestCase):
    def assert_no_right(self, pid, uids, capabilities):
        for facts in status(pid):
            for name in capabilities:
                self.assertEqual(int(facts[name][0], 16), 0, name)
            self.assertEqual(facts["NoNewPrivs"], ["1"])
            self.assertEqual(facts["Seccomp"], [FILTERED])
            for name in ("Uid", "Gid"):
                self.assertEqual(len(set(facts[name])), 1, facts[name])
                self.assertIn(int(facts[name][0]), uids)
            self.assertEqual(facts["Groups"], [])

    def assert_nobody(self, pid):
        """As root starts it: a user of its own, and no way back."""
        self.assert_no_right(pid, BOX_UIDS, (*CAPABILITIES, "CapBnd"))


@unittest.skipUnless(os.geteuid() == 0, "needs root, as a front of its own user does")
class Front(Case):
    def test_of_a_service_that_root_started(self):
        with Service() as service:
            self.assertEqual(service.run("bash", "echo up")["output"], "up\n")
            self.assert_nobody(service.front())
            first = service.front()
            os.kill(first, 9)
            service.wait_ready()
            self.assertNotEqual(service.front(), first)
            self.assert_nobody(service.front())

    def test_of_a_service_whose_user_had_a_right(self):
        """No change of the user takes it, nor can the bounding set be emptied: only the front itself can."""
        with tempfile.TemporaryDirectory() as storage:
            os.chown(storage, NOBODY.pw_uid, NOBODY.pw_gid)
            with Service("--allow-missing=cgroup", under=WITH_A_RIGHT,
                         env={"RUNNEL_STORAGE_DIR": storage}) as service:
                self.assert_no_right(service.front(), [NOBODY.pw_uid, NOBODY.pw_gid], CAPABILITIES)
                self.assertEqual(service.run("bash", "echo up")["output"], "up\n")


@unittest.skipUnless(os.geteuid() == 0, "needs root, as a front of its own user does")
class Worker(FleetTest, Case):
    def test_it_is_the_same(self):
        worker = self.worker()
        self.assertEqual(self.front.run("print('up')")["verdict"], "succeeded")
        self.assert_nobody(worker.front())
        worker.kill_front()
        worker.wait_ready(times=2)
        self.assertEqual(self.front.run("print('up')")["verdict"], "succeeded")
        self.assert_nobody(worker.front())


if __name__ == "__main__":
    unittest.main()
