# SPDX-License-Identifier: MIT
"""The host's terminals are few: runs use one each, give it back, and cannot take
another."""

import json
import pathlib
import unittest

from live import Live
from service import wait_until

ALONE = True  # (tests/python_tests.py): it counts what the whole host has

TAKES_ALL = """import os
held = 0
for name in ("/dev/ptmx", "/dev/pts/ptmx"):
    try:
        while True:
            os.open(name, os.O_RDWR | os.O_NOCTTY)
            held += 1
    except OSError:
        pass
print("held", held)
"""


def terminals():
    return int(pathlib.Path("/proc/sys/kernel/pty/nr").read_text(encoding="ascii"))


class Terminals(Live):
    def test_a_program_cannot_take_more_than_its_own(self):
        before = terminals()
        run = self.start("python", TAKES_ALL, tty=True)
        self.assertIn("held 0", self.read_until(self.attach(run), "held 0"))
        self.wait_for_end(run)
        wait_until("its terminal is back", lambda: terminals() <= before)

    def test_many_at_once_and_one_after_the_other_give_theirs_back(self):
        before = terminals()
        for _ in range(4):
            runs = [self.start("bash", "echo on; cat", tty=True) for _ in range(16)]
            sockets = [self.attach(run) for run in runs]
            for socket in sockets:
                self.read_until(socket, "on")
            self.assertGreaterEqual(terminals(), before + len(runs))
            for run, socket in zip(runs, sockets):
                socket.send_json({"type": "cancel"})
                events, _ = socket.until_closed()
                self.assertEqual(events[-1]["verdict"], "cancelled", json.dumps(events[-1]))
                self.wait_for_end(run)
            wait_until("their terminals are back", lambda: terminals() <= before)


if __name__ == "__main__":
    unittest.main()
