#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Thousands of runs of all kinds through one service, which must be afterwards as it was before.

run.py --runs N     2000, and ten times that with LONG=1

Programs that succeed, fail, crash, hang, flood, eat memory, fork, leave daemons and files behind;
clients that wait, watch, cancel, or go away. Each end is the right one. The service is looked at
in between, when nothing runs: after a warm-up nothing may grow (leaks.py). Ended runs are kept for
two seconds, so what memory they need is soon the same. With sanitizers memory is not judged, which
they keep, but what they saw. Needs root, and works in folders of its own. Speaks as tests/report.py
says.
"""
import argparse
import concurrent.futures
import dataclasses
import http.client
import json
import math
import os
import pathlib
import random
import socket
import sys
import time

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), *(str(TESTS / name) for name in ("system", "sandbox", "faults"))]

# pylint: disable=wrong-import-position
import host
import leaks
from faults import is_sanitized
from report import Report
from service import ROOT, RUNNEL, Service

CLIENTS = 4
ROUNDS = leaks.LOOKS  # after each of which the service is looked at
SANITIZED = is_sanitized(RUNNEL)
LEAVES_AFTER_S = 0.05


@dataclasses.dataclass(frozen=True)
class Kind:
    """Of a run: so many in a hundred, what is asked for, what may come of it."""

    weight: int
    language: str
    code: str
    verdicts: tuple
    how: str = "wait"
    more: dict = dataclasses.field(default_factory=dict)


def limits(**values):
    return {"limits": values}


KINDS = {
    "hello": Kind(30, "bash", "echo hello", ("succeeded",)),
    "execute": Kind(6, "bash", "read -r inside user count < /proc/self/uid_map; echo $user", (),
                    "execute"),
    "input": Kind(6, "bash", "read x; echo $x; exit 3", ("failed",), more={"stdin": "one\n"}),
    "artifact": Kind(6, "bash", "head -c 50000 /dev/zero > outputs/a; mkdir outputs/b; >outputs/b/c",
                     ("succeeded",)),
    "files": Kind(4, "bash", "cat inputs/x", ("succeeded", "failed"),
                  more={"files": [{"path": "inputs/x", "content": "text"}]}),
    "crash": Kind(4, "bash", "kill -SEGV $$", ("killed_by_signal",)),
    "hang": Kind(4, "bash", "sleep 60", ("timeout",), more=limits(timeout_ms=80)),
    "stopped": Kind(2, "bash", "kill -STOP $$", ("timeout",), more=limits(timeout_ms=80)),
    "flood": Kind(2, "bash", "yes", ("output_limit",), more=limits(max_output_bytes=100000)),
    "fork": Kind(3, "bash", "f() { f | f & }; f 2>/dev/null; sleep 0.05", ("succeeded", "failed",
                 "timeout", "killed_by_signal"), more=limits(processes=16, timeout_ms=300)),
    "daemon": Kind(4, "bash", "setsid sleep 60 & (trap '' TERM HUP; sleep 60) & echo done",
                   ("succeeded",)),
    "litter": Kind(4, "bash", "echo x > /tmp/x; echo x > /dev/shm/x; mkfifo p; ln -s / l; >~/y",
                   ("succeeded",)),
    "memory": Kind(1, "python", "x = bytearray(400 << 20)", ("memory_limit", "failed"),
                   more=limits(memory_mb=64)),
    "sockets": Kind(2, "python", "import socket, os\na, b = socket.socketpair()\n"
                    "s = socket.create_server(('127.0.0.1', 0))\nos.fork()\n", ("succeeded",)),
    "python": Kind(4, "python", "print(sum(range(1000)))", ("succeeded",)),
    "compiled": Kind(1, "c", "int main(void) { return 7; }", ("failed",)),
    "not_compiled": Kind(1, "c", "int main(void) { return }", ("compile_failed",)),
    "terminal": Kind(4, "bash", "tty; stty size", ("succeeded",), more={"tty": True}),
    "watched": Kind(4, "bash", "echo one; sleep 0.02; echo two", ("succeeded",), "watch"),
    "cancelled": Kind(4, "bash", "sleep 60", ("cancelled",), "cancel"),
    "left": Kind(4, "bash", "sleep 60", (), "leave"),
}


class Client:
    """One that keeps its connection for as long as the service does. `users`: the host's, of the
    boxes that told."""

    def __init__(self, port):
        self.port = port
        self.users = []
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method, path, body=None):
        """(status, JSON or text)"""
        data = None if body is None else json.dumps(body)
        for last in (False, True):
            try:
                self.connection.request(method, path, data, {"Content-Type": "application/json"})
                answer = self.connection.getresponse()
                text = answer.read().decode("utf-8", "replace")
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.connection.close()
                if last:
                    raise
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def end_of(self, identity):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            status, record = self.ask("GET", f"/v1/runs/{identity}")
            if status != 200 or record["verdict"]:
                return record.get("verdict")
            time.sleep(0.02)
        return "no end"

    def leave(self, body):
        """Asks, and does not wait for the answer."""
        text = json.dumps(body).encode()
        with socket.create_connection(("127.0.0.1", self.port)) as wire:
            wire.sendall(b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Type: application/json\r\n"
                         b"Content-Length: %d\r\n\r\n%b" % (len(text), text))
            time.sleep(LEAVES_AFTER_S)

    def run(self, kind):
        """What is wrong with it; None when nothing is."""
        body = {"language": kind.language, "code": kind.code, **kind.more}
        if kind.how == "leave":
            self.leave(body)
            return None
        if kind.how == "execute":
            status, answer = self.ask("POST", "/execute", body)
            if status != 200 or not answer["output"].strip().isdigit():
                return f"{status} {answer}"
            self.users.append(int(answer["output"]))
            return None
        path = "/v1/runs" if kind.how == "wait" else "/v1/runs?wait=false"
        status, answer = self.ask("POST", path, body)
        if status not in (200, 201):
            return f"{status} {answer}"
        verdict = answer["verdict"]
        if kind.how == "cancel":
            self.ask("DELETE", f"/v1/runs/{answer['id']}")
            verdict = self.end_of(answer["id"])
        elif kind.how == "watch":
            self.ask("GET", f"/v1/runs/{answer['id']}/events")
            verdict = self.end_of(answer["id"])
        return None if verdict in kind.verdicts else f"{verdict}: {str(answer)[:300]}"


def run_round(port, names):
    """([(kind, what was wrong)], the boxes' users as far as they are told)"""
    def work(some):
        client = Client(port)
        wrong = [(name, complaint) for name in some
                 if (complaint := client.run(KINDS[name])) is not None]
        client.connection.close()
        return wrong, client.users
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        shares = [pool.submit(work, names[at::CLIENTS]) for at in range(CLIENTS)]
        return [[one for share in shares for one in share.result()[part]] for part in range(2)]


def soak(service, names, weights, runs_between):
    """(looks at the service, what was wrong with runs, the boxes' users as far as they are told)"""
    dice = random.Random(1)
    looks, wrong, users, began = [], [], [], time.monotonic()
    for number in range(ROUNDS):
        round_wrong, round_users = run_round(service.port, dice.choices(names, weights, k=runs_between))
        wrong += round_wrong
        users += round_users
        looks.append(leaks.look(service))
        print(f"# {(number + 1) * runs_between} runs, {time.monotonic() - began:.0f} s: "
              f"{leaks.brief(looks[-1])}", flush=True)
    return looks, wrong, users


def soak_with_all(report, service, runs_between):
    looks, wrong, _ = soak(service, list(KINDS), [kind.weight for kind in KINDS.values()], runs_between)
    for name in KINDS:
        report.judge(f"ends_as_it_should/{name}", [text for kind, text in wrong if kind == name])
    for what, complaints in leaks.judge(looks, runs_between, not SANITIZED):
        report.judge(f"is_flat/{what}", complaints)


def soak_with_passing(report, service, runs_between):
    """Those of /execute are forgotten when they are answered, and each tells its user."""
    looks, wrong, users = soak(service, ["execute"], [1], runs_between)
    report.judge("ends_as_it_should/execute_alone", [text for _, text in wrong])
    for what, complaints in leaks.judge(looks, runs_between, not SANITIZED):
        report.judge(f"is_flat/{what}_with_nothing_kept", complaints)
    lost = leaks.lost_users(users)
    report.judge("no_user_of_the_host_is_lost", [f"{lost} are, by {len(users)} runs"] if lost else [])


def notice_a_leak(report, service):
    """A connection more each time is what a leak looks like, and nothing else is."""
    held, looks = [], []
    for _ in range(ROUNDS):
        held.append(socket.create_connection(("127.0.0.1", service.port)))
        looks.append(leaks.look(service))
    grown = [what for what, complaints in leaks.judge(looks, 1, with_memory=False)
             if complaints and not what.startswith("kernel_")]
    for wire in held:
        wire.close()
    report.judge("a_leak_is_noticed", [] if "front_descriptors" in grown and len(grown) < 3
                 else [f"what was seen to grow: {grown}"])


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int,
                        default=20000 if os.environ.get("LONG") == "1" else 2000)
    options = parser.parse_args(argv)
    report = Report()
    host.leave_shared_folders([str(ROOT), os.path.dirname(os.path.abspath(RUNNEL))])
    host_before = leaks.of_the_host()
    with Service("--keep-runs=2s", f"--concurrency={CLIENTS}") as service:
        run_round(service.port, list(KINDS) * 2)
        before = leaks.rested(service)
        between = math.ceil(options.runs * 3 / 4 / ROUNDS), math.ceil(options.runs / 4 / ROUNDS)
        soak_with_all(report, service, between[0])
        soak_with_passing(report, service, between[1])
        notice_a_leak(report, service)
        for what, complaints in leaks.judge_reserves(service, before):
            report.judge(f"is_let_go/{what}", complaints)
        report.did(f"{sum(between) * ROUNDS} runs of {len(KINDS)} kinds, looked at {2 * ROUNDS} times")
        service.process.terminate()
        report.judge("it_ends_well", [] if service.process.wait(30) == 0 else [service.log()[-600:]])
        if SANITIZED:
            report.judge("its_sanitizers_saw_nothing", [
                service.log().partition(word)[2][:3000] for word in ("ERROR: ", "runtime error")
                if word in service.log()])
    left = leaks.of_the_host()
    report.judge("nothing_is_left", [f"{what}: {sorted(left[what] - host_before[what])[:5]}"
                                     for what in left if left[what] - host_before[what]])
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
