# SPDX-License-Identifier: MIT
"""Cases of pressure.py that need one service each."""
import contextlib
import json
import os
import socket
import statistics
import subprocess
import tempfile
import threading
import time

from load import LOST, Load, ask, ask_json, broken_promises
from restarted import Restarted
from service import Service, wait_until

ANSWER_S = 30.0


class Bystander:
    """with Bystander(service.port) as other: one run after the other, each of which is answered"""

    def __init__(self, port, token=None, place=contextlib.nullcontext()):
        self.port = port
        self.headers = {"Content-Type": "application/json",
                        **({"Authorization": f"Bearer {token}"} if token else {})}
        self.place = place
        self.took_s, self.wrong = [], []
        self._stopping = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping = True
        self._thread.join(2 * ANSWER_S)
        if self._thread.is_alive():
            self.wrong.append("the bystander hangs")

    def _work(self):
        body = json.dumps({"language": "bash", "code": "echo done"})
        while not self._stopping:
            began = time.monotonic()
            try:
                with self.place:
                    status, text = ask(self.port, "POST", "/v1/runs", body, self.headers)
                if status != 200 or json.loads(text)["stdout"] != "done\n":
                    self.wrong.append(f"{status} {text[:200]}")
            except LOST as error:
                self.wrong.append(f"{type(error).__name__}: {error}")
            self.took_s.append(time.monotonic() - began)
            time.sleep(0.05)

    def slow_s(self):
        """What one run in a hundred takes, or longer."""
        return sorted(self.took_s)[len(self.took_s) * 99 // 100]

    def tell(self, report, case):
        took_ms = sorted(took * 1000 for took in self.took_s)
        report.did(f"{case}: a bystander's {len(took_ms)} runs took {statistics.median(took_ms):.0f} "
                   f"ms in the middle, 99 % no more than {self.slow_s() * 1000:.0f} ms, {took_ms[-1]:.0f} "
                   "ms at most")
        report.judge(f"{case}/others_are_served", self.wrong if took_ms else ["no run was asked for"])


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def judge_health(report, case, service, front, before):
    """The same process, that holds no more than it did."""
    complaints = []
    for what, condition in (("it answers", service.answers), ("it runs programs", service.runs),
                            ("its descriptors are back", lambda: open_files(front) <= before)):
        try:
            wait_until(what, condition, 60)
        except AssertionError as error:
            complaints.append(str(error))
    if service.front() != front:
        complaints.append(f"the front is another: {service.log()[-600:]}")
    report.judge(f"{case}/healthy_afterwards", complaints)


# --- ten times the load ---

SLOTS, PLACES = 4, 16
GOODPUT = 0.5 # of the most that was taken: nine tenths are meant, and the clients are on this machine, too
WORK = json.dumps({"language": "bash", "code": "sleep 0.1"})


class Flood:
    """So many clients that ask again as soon as they are answered."""

    def __init__(self, port, clients, seconds):
        self.port = port
        self.end = time.monotonic() + seconds
        self.good, self.refused, self.wrong, self.took_s = 0, 0, [], []
        self.lock = threading.Lock()
        threads = [threading.Thread(target=self._work) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self):
        headers = {"Content-Type": "application/json", "Authorization": "Bearer one-token"}
        while time.monotonic() < self.end:
            began = time.monotonic()
            try:
                status, text = ask(self.port, "POST", "/v1/runs", WORK, headers)
            except LOST as error:
                status, text = 0, f"{type(error).__name__}: {error}"
            with self.lock:
                if status == 200 and b'"succeeded"' in text:
                    self.good += 1
                    self.took_s.append(time.monotonic() - began)
                elif status == 503 and b'"queue_full"' in text:
                    self.refused += 1
                else:
                    self.wrong.append(f"{status} {text[:200]}")


def overload(report, seconds):
    keys = {"API_KEYS": "one-token:one:100000:100000,two-token:two:100000:100000"}
    with Service(f"--concurrency={SLOTS}", f"--queue-length={PLACES}", "--shutdown-grace=0s",
                 env=keys) as service:
        peak = Flood(service.port, SLOTS, seconds)
        front, before = service.front(), open_files(service.front())
        with Bystander(service.port, "two-token") as other:
            flood = Flood(service.port, 10 * SLOTS, seconds)
        good = flood.good + len(other.took_s)
        offered = good + flood.refused
        report.did(f"overload: {peak.good / seconds:.0f} runs a second at the most that was taken, "
                   f"{good / seconds:.0f} ({good * 100 // max(peak.good, 1)} %) while "
                   f"{offered / seconds:.0f} were asked for; {flood.refused} refused")
        report.judge("overload/answers_are_right", peak.wrong + flood.wrong)
        report.judge("overload/what_is_too_much_is_refused", [] if flood.refused else ["nothing was"])
        report.judge("overload/it_goes_on_working", [] if good >= peak.good * GOODPUT else [
            f"{good} runs, {peak.good} without the load"])
        other.tell(report, "overload")
        health = Service.runs
        service.runs = lambda: True # it wants a key; the bystander had one
        judge_health(report, "overload", service, front, before)
        service.runs = health


# --- slow clients ---

SLOW = 120
# Others may be a fifth slower for them: tested is ten times that, and what this machine does meanwhile.
BESIDE_SLOW, NOISE_S = 3.0, 0.5
SLOW_HEAD = b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
TALKS = "for ((i = 0; i < 200000; i++)); do echo 'a line that nobody reads'; done"


def connect(port):
    wire = socket.socket()
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.connect(("127.0.0.1", port))
    return wire


def slow_clients(report, seconds):
    """Letter by letter, in the head and in the body; and those that never read."""
    with Service("--concurrency=4", "--shutdown-grace=0s") as service, contextlib.ExitStack() as held:
        service.runs()
        front, before = service.front(), open_files(service.front())
        with Bystander(service.port) as alone:
            time.sleep(seconds)
        wires = [held.enter_context(connect(service.port)) for _ in range(SLOW)]
        for wire in wires[SLOW // 2:]:
            wire.sendall(SLOW_HEAD + b"Content-Length: 10000\r\n\r\n")
        readers = []
        for _ in range(2):
            status, record = ask_json(service.port, "POST", "/v1/runs?wait=false", {
                "language": "bash", "code": TALKS, "disconnect_grace_ms": 300})
            assert status == 201, record
            readers += [held.enter_context(connect(service.port)) for _ in range(10)]
            for wire in readers[-10:]:
                wire.sendall(f"GET /v1/runs/{record['id']}/events HTTP/1.1\r\nHost: localhost\r\n"
                             "\r\n".encode())
        with Bystander(service.port) as other:
            end, sent = time.monotonic() + seconds, 0
            while time.monotonic() < end:
                for wire in wires:
                    with contextlib.suppress(OSError): # it may have run out of time
                        wire.send(SLOW_HEAD[sent % len(SLOW_HEAD):][:1])
                sent += 1
                time.sleep(0.1)
        report.did(f"slow clients: {SLOW} that send a letter at a time, {len(readers)} that read nothing; "
                   f"without them 99 % of a bystander's runs took no more than {alone.slow_s() * 1000:.0f} ms")
        other.tell(report, "slow_clients")
        report.judge("slow_clients/others_do_not_wait", [] if other.slow_s() < BESIDE_SLOW * alone.slow_s()
                     + NOISE_S else [f"{other.slow_s():.2f} s beside them, {alone.slow_s():.2f} s before"])
        held.close()
        judge_health(report, "slow_clients", service, front, before)


# --- no descriptor is left ---

STEPS = 6
REQUEST_LOST = 71 # an exit status

def allow_descriptors(pid, number):
    """With its own ids: that needs no capability that a machine may lack."""
    about = os.stat(f"/proc/{pid}")
    subprocess.run(["setpriv", f"--reuid={about.st_uid}", f"--regid={about.st_gid}", "--clear-groups",
                    "prlimit", f"--pid={pid}", f"--nofile={number}:"], check=True, timeout=20)


def allowed_descriptors(pid):
    with open(f"/proc/{pid}/limits", encoding="ascii") as limits:
        return int(next(line for line in limits if line.startswith("Max open files")).split()[3])


def tell_of_descriptors(report, case, load):
    """Once there are enough again. Nothing shows what nobody has missed."""
    missed = load.refused + load.lost + load.failed
    answered = sum(load.counts.values())
    time.sleep(0.5)
    hung = not load.stop()
    report.did(f"{case}: {answered} requests answered, {load.refused} refused, {load.lost} cut off, "
               f"{load.failed} runs not carried out")
    report.judge(f"{case}/some_are_missed", [] if missed else ["all was done"])
    report.judge(f"{case}/no_client_hangs", ["one waits for its answer"] if hung else [])
    report.judge(f"{case}/answers_are_right", load.wrong)
    report.judge(f"{case}/each_run_has_one_end", broken_promises(load, may_be_lost=True))


def no_descriptors(report, seconds):
    with Service("--concurrency=4", "--shutdown-grace=0s") as service:
        service.runs()
        front, before = service.front(), open_files(service.front())
        usual = allowed_descriptors(front)
        load = Load(service.port, 8, "descriptors")
        load.refusals = (500, 503, 507)
        for number in range(STEPS): # from none at all to some
            allow_descriptors(front, before + 4 * number)
            load.active = 8
            time.sleep(seconds / STEPS)
        allow_descriptors(front, usual)
        tell_of_descriptors(report, "no_descriptors", load)
        judge_health(report, "no_descriptors", service, front, before)


def no_descriptors_of_the_spawner(report, seconds):
    """Which may end for want of them, as docs/OPERATING.md says, and is then started again."""
    case = "no_descriptors_of_the_spawner"
    with Restarted("--concurrency=4", "--shutdown-grace=0s") as service:
        load = Load(service.port, 8, "descriptors")
        load.refusals = (500, 503, 507)
        for number in reversed(range(STEPS)): # from some to none at all
            wait_until("it runs", service.runs)
            usual = allowed_descriptors(service.spawner())
            allow_descriptors(service.spawner(), open_files(service.spawner()) + 4 * number)
            load.active = 8
            time.sleep(seconds / STEPS)
            with contextlib.suppress(OSError, subprocess.CalledProcessError): # or it has ended
                allow_descriptors(service.spawner(), usual)
        wait_until("it runs again", service.runs)
        tell_of_descriptors(report, case, load)
        report.judge(f"{case}/it_ends_as_it_is_said", [
            f"it ended with {status}" for status in service.ends if status != REQUEST_LOST])


# --- no disk is left ---

SMALL_DISK = ("mount --make-rprivate / && mount -t tmpfs -o size=48m,mode=0755 none \"$1\" && shift && "
              "exec \"$@\"")


def fill(path):
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 20))


def no_disk(report, seconds):
    with tempfile.TemporaryDirectory(prefix="runnel-full-") as folder, Service(
            "--concurrency=4", "--shutdown-grace=0s", env={"RUNNEL_STORAGE_DIR": folder},
            under=["unshare", "-m", "sh", "-c", SMALL_DISK, "sh", folder]) as service:
        service.runs()
        front, before = service.front(), open_files(service.front())
        load = Load(service.port, 8, "disk")
        load.refusals = (503, 507)
        load.active = 8
        time.sleep(seconds / 3)
        ballast = f"/proc/{front}/root{folder}/ballast"
        fill(ballast)
        full = dict(load.counts)
        time.sleep(seconds)
        meanwhile = sum(load.counts.values()) - sum(full.values())
        os.unlink(ballast)
        wait_until("there is room", lambda: ask_json(service.port, "POST", "/v1/runs", {
            "language": "bash", "code": "echo"})[0] == 200)
        time.sleep(seconds / 3)
        hung = not load.stop()
        report.did(f"no disk: {meanwhile} requests answered and {load.refused} refused while it was full")
        report.judge("no_disk/no_client_hangs", ["one waits for its answer"] if hung else [])
        report.judge("no_disk/what_needs_no_disk_is_answered", [] if load.counts.get("execute", 0) >
                     full.get("execute", 0) else ["no run of /execute was"])
        report.judge("no_disk/what_needs_it_is_refused", [] if load.refused else ["nothing was"])
        report.judge("no_disk/answers_are_right", load.wrong)
        report.judge("no_disk/each_run_has_one_end", broken_promises(load, may_be_lost=False))
        judge_health(report, "no_disk", service, front, before)
