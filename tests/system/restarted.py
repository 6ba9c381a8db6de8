# SPDX-License-Identifier: MIT
"""A service, or a worker, that is started again when it ends, as docs/OPERATING.md has systemd do it."""
import os
import sqlite3
import statistics
import threading
import time

from service import BOUND_S, Service, wait_until

# Restart=always, RestartSec=, RestartPreventExitStatus= of the unit there.
RESTART_S = 0.2
FINAL = (64, 69, 78)
PROMISED_S = 2.0 # until it works again


class Restarting:
    """With what start() starts: `process` is the newest; `spawners` are the pids of all, how they
    ended is in `ends`."""

    def __init__(self, *words, **more):
        self.ends, self.spawners = [], set()
        self._stopping = False
        super().__init__(*words, **more)
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def start(self):
        super().start()
        self.spawners.add(self.process.pid)

    def _keep(self):
        while True:
            status = self.process.wait()
            if self._stopping:
                return
            self.ends.append(status)
            if status in FINAL:
                return
            time.sleep(RESTART_S)
            if self._stopping:
                return
            self.start()

    def wait_for_successor(self, dead):
        """The process that follows that one."""
        wait_until("it is started again", lambda: self.process.pid != dead)
        return self.process.pid

    def close(self):
        """Ended for good."""
        self.stop()
        super().close()

    def stop(self):
        """The exit status of the last one, which is told to end."""
        self._stopping = True
        if self.process.poll() is None:
            self.process.terminate()
        self._keeper.join(BOUND_S)
        return self.process.wait(BOUND_S)


class Restarted(Restarting, Service):
    """A service of the test's own."""


def spread(seconds):
    """With the share that came within what is promised: on a machine in use nothing is judged by it."""
    kept = sum(value <= PROMISED_S for value in seconds) * 100 // len(seconds)
    return (f"{statistics.median(seconds):.2f} s in the middle, {max(seconds):.2f} s at worst, {kept} % "
            f"within {PROMISED_S:.0f} s")


def disk_complaints(storage):
    """Of a service that was just started and has nothing to do: each row has its content, and
    nothing else is there."""
    name = next(name for name in os.listdir(storage) if name.endswith(".db"))
    database = sqlite3.connect(os.path.join(storage, name))
    rows = dict(database.execute("SELECT id, size FROM files").fetchall())
    open_runs = database.execute("SELECT count(*) FROM runs WHERE verdict = 0").fetchone()[0]
    sound = database.execute("PRAGMA integrity_check").fetchone()[0]
    database.close()
    folder = os.path.join(storage, "files")
    found = {name: os.stat(os.path.join(folder, name)).st_size for name in os.listdir(folder)}
    complaints = [] if sound == "ok" else [f"the store is damaged: {sound}"]
    if found != rows:
        complaints.append(f"files and rows differ: {sorted(set(found.items()) ^ set(rows.items()))[:5]}")
    if open_runs:
        complaints.append(f"{open_runs} runs of before have no end")
    return complaints
