# SPDX-License-Identifier: MIT
"""The time of day jumps by an hour, forth and back, while things have their limits.

Limits of a run, waits, windows, tickets and the pauses of webhooks count from a clock that nobody sets,
so nothing of that changes. Links and logins name a time of day, by nature: while the day is an hour
ahead they are void, and behind they are good.
"""
import contextlib
import dataclasses
import http.client
import json
import threading
import time

import faults
import websocket
from receiver import Receiver
from service import Service, wait_until

HOUR_S = 3600
JUMPS = {"ahead": HOUR_S, "behind": -HOUR_S}
LONG_S = 30  # ten times what the slowest of these takes
EARLY_S = 0.1  # timers never are; our own start and ours of the run differ by so much
RATE = 3
KEY, SLOW_KEY = "clock-key-" + "a" * 30, "clock-key-" + "b" * 30
# what, the program, its limits, the verdict, and after how many seconds at least
RUNS = [
    ("a-run-goes-on", "sleep 1; echo done", {"timeout_ms": 10000}, "succeeded", 1),
    ("a-wall-limit-is-kept", "sleep 100", {"timeout_ms": 1500}, "timeout", 1.5),
    ("an-idle-limit-is-kept", "echo x; sleep 100", {"idle_timeout_ms": 1500}, "idle_timeout", 1.5),
    ("a-cpu-limit-is-kept", "while :; do :; done", {"cpu_ms": 1500, "timeout_ms": 10000}, "cpu_limit", 1.4),
]


@dataclasses.dataclass
class Scene:
    """A service, and the jump that it is shown."""

    service: Service
    page: faults.Page
    jump_s: int

    @property
    def is_ahead(self):
        return self.jump_s > 0

    @contextlib.contextmanager
    def jumped(self):
        self.page.at.ahead_s = self.jump_s
        try:
            yield
        finally:
            self.page.at.ahead_s = 0

    def ask(self, method, path, body=None, key=None, **headers):
        """(status, JSON or bytes, headers)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=LONG_S)
        if key:
            headers["Authorization"] = f"Bearer {key}"
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        try:
            return answer.status, json.loads(data), answer.headers
        except ValueError:
            return answer.status, data, answer.headers

    def run(self, code, query="", **more):
        return self.ask("POST", "/v1/runs" + query, {"language": "bash", "code": code, **more})[1]

    def run_over_jump(self, code, limits):
        """(record, seconds) of a run in whose midst the clock jumps."""
        found = []
        began = time.monotonic()
        client = threading.Thread(target=lambda: found.append(self.run(code, limits=limits)))
        client.start()
        time.sleep(0.4)
        with self.jumped():
            client.join(LONG_S)
        return (found or [{}])[0], time.monotonic() - began

    def end_of(self, run):
        """(record, seconds) of one that nobody waits for."""
        began = time.monotonic()
        while True:
            record = self.ask("GET", f"/v1/runs/{run}")[1]
            took = time.monotonic() - began
            if record.get("status") not in ("queued", "running") or took > LONG_S:
                return record, took
            time.sleep(0.05)


def _took(took_s, least_s):
    return [] if least_s - EARLY_S <= took_s < LONG_S else [f"it took {took_s:.1f} s, not {least_s}"]


def _verdict(wanted, record, least_s, took_s):
    wrong = _took(took_s, least_s)
    if record.get("verdict") != wanted:
        wrong.append(f"{record.get('verdict')}, not {wanted}: {record}")
    return wrong


def _same(wanted, found):
    return [] if found == wanted else [f"{found}, not {wanted}"]


# --- whose clock nobody sets ---

def _queue(scene):
    """One that finds no slot waits as long as it wants to, and no longer."""
    holders = [scene.run("sleep 100", "?wait=false")["id"] for _ in range(2)]
    record, took = scene.run_over_jump("echo x", {"queue_timeout_ms": 1500})
    for run in holders:
        scene.ask("DELETE", f"/v1/runs/{run}")
    yield "a-wait-in-the-queue-is-kept", _verdict("queue_timeout", record, 1.5, took)


def _runs(scene):
    untrue = []
    for what, code, limits, verdict, least_s in RUNS:
        record, took = scene.run_over_jump(code, limits)
        yield what, _verdict(verdict, record, least_s, took)
        usage = record.get("usage", {})
        if not (least_s - EARLY_S) * 1000 <= usage.get("wall_ms", -1) <= took * 1000 or \
                not 0 <= usage.get("queued_ms", -1) < took * 1000 or \
                not 0 <= usage.get("cpu_ms", -1) <= took * 1000:
            untrue.append(f"{what}, {took:.1f} s: {usage}")
    yield "usage-is-true", untrue


def _readers(scene):
    """A socket stays open; a run whose reader has gone is ended when its grace is over."""
    run = scene.run("read x; echo got $x; sleep 100", "?wait=false", disconnect_grace_ms=1500)["id"]
    said = ""
    with websocket.WebSocket(scene.service.port, f"/v1/runs/{run}/stream", LONG_S) as wire:
        with scene.jumped():
            time.sleep(0.5)
            wire.send_json({"type": "input", "data": "it\n"})
            while "got it" not in said:
                event = wire.json()
                said += event["data"] if event["type"] == "stdout" else ""
    yield "a-socket-stays-open", _same("got it\n", said)
    with scene.jumped():
        record, took = scene.end_of(run)
    yield "a-grace-is-kept", _verdict("cancelled", record, 1.5, took)


def _window(scene, path, body):
    """As many as may come, and no more an hour later by the clock on the wall."""
    before = [scene.ask("POST", path, body)[0] for _ in range(RATE + 1)]
    with scene.jumped():
        after = scene.ask("POST", path, body)[0]
    return _same(([200] * RATE + [429], 429), (before, after))


def _windows(scene):
    yield "a-window-stays-closed", _window(scene, "/execute", {"language": "bash", "code": "echo x"})
    yield "a-window-of-jobs-stays-closed", _window(
        scene, "/api/execute", {"language": "bash", "source_code": "echo x"})


def _webhooks(scene):
    """What was not taken comes again after 1 s and 5 s; what is new comes at once."""
    def wait(receiver, count):
        with contextlib.suppress(AssertionError):  # what did not come is said below
            wait_until("it came", lambda: len(receiver.got) >= count, LONG_S)
    with Receiver(500) as old, Receiver(500) as new:
        scene.run("true", webhook_url=old.url)
        wait(old, 1)
        with scene.jumped():
            wait(old, 3)
            began = time.monotonic()
            scene.run("true", webhook_url=new.url)
            wait(new, 1)
        came = [post.steady for post in old.got]
        pauses = [later - sooner for sooner, later in zip(came, came[1:])]
        yield "a-webhook-is-tried-again", \
            [f"it came {len(came)} times"] if len(pauses) < 2 else \
            _took(pauses[0], 1) + _took(pauses[1], 5)
        yield "a-webhook-comes-at-once", _took(new.got[0].steady - began if new.got else LONG_S, 0)
        given_up = [line for line in scene.service.log().splitlines() if "webhook_given_up" in line]
        yield "a-webhook-is-not-given-up", given_up


def _ticket(scene):
    """It opens one thing, once, also an hour later by the clock on the wall."""
    run = scene.ask("POST", "/v1/runs", {"language": "bash", "code": "echo x"}, KEY)[1]["id"]
    ticket = scene.ask("POST", "/v1/tickets", key=KEY)[1]["ticket"]
    with scene.jumped():
        opened = [scene.ask("GET", f"/v1/runs/{run}/events?ticket={ticket}",
                            Accept="text/event-stream")[0] for _ in range(2)]
    yield "a-ticket-is-good-once", _same([200, 401], opened)


def _rate_of_key(scene):
    def ask():
        return scene.ask("POST", "/v1/runs", {}, SLOW_KEY)[0]
    before = [ask() for _ in range(RATE + 1)]
    with scene.jumped():
        after = ask()
    yield "a-rate-of-a-key-is-kept", _same(([400] * RATE + [429], 429), (before, after))


# --- of a time of day ---

def _link(scene):
    record = scene.run("echo x > outputs/a")
    link = record["artifacts"][0]["url"]
    path = "/" + link.split("/", 3)[3] if link.startswith("http") else link
    with scene.jumped():
        status, answer, _ = scene.ask("GET", path)
    jumped = status, answer["error"] if status == 403 else answer
    status, answer, _ = scene.ask("GET", path)
    wanted = (403, "url expired") if scene.is_ahead else (200, b"x\n")
    yield "a-link-is-of-its-day", _same((wanted, (200, b"x\n")), (jumped, (status, answer)))


def _login(scene):
    cookie = scene.ask("POST", "/v1/login", {"key": KEY})[2]["Set-Cookie"].split(";")[0]

    def ask():
        return scene.ask("GET", "/v1/runs", Cookie=cookie)[0]
    with scene.jumped():
        jumped = ask()
    yield "a-login-is-of-its-day", _same((401 if scene.is_ahead else 200, 200), (jumped, ask()))


OPEN = ("--rate-limit-loopback=yes", f"--execute-rate={RATE}", "--execute-rate-window=1h",
        f"--jobs-rate={RATE}", "--jobs-rate-window=1h", "--webhook-networks=127.0.0.0/8")
KEYS = {"API_KEYS": f"{KEY}:one:1000:1000,{SLOW_KEY}:two:0.001:{RATE}"}
# Flags and variables of a service, and what is seen of it.
SERVICES = [
    (OPEN, {}, (_queue, _runs, _readers, _link, _windows, _webhooks)),
    (("--login-lasts=30m",), KEYS, (_ticket, _rate_of_key, _login)),
]


def judge(page, report):
    for name, jump_s in JUMPS.items():
        for flags, environment, parts in SERVICES:
            with Service("--concurrency=2", "--shutdown-grace=0s", *flags,
                         env={**page.environment, **environment}) as service:
                for part in parts:
                    for what, wrong in part(Scene(service, page, jump_s)):
                        report.judge(f"clock-{name}-{what}", wrong)
