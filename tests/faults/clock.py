# SPDX-License-Identifier: MIT
"""The time of day jumps by an hour, forth and back, while things have their limits.

Limits, windows and idle times count from a clock that nobody sets, so nothing of that changes.
Links and logins name a time of day, by nature: a link is void while the day is an hour ahead.
"""
import http.client
import json
import threading
import time

from service import Service

HOUR_S = 3600
JUMPS = {"ahead": HOUR_S, "behind": -HOUR_S}
LONG_S = 30  # ten times what the slowest of these takes
RATE = 3


def _ask(service, method, path, body=None):
    """(status, JSON or bytes)"""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=LONG_S)
    try:
        connection.request(method, path, None if body is None else json.dumps(body),
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    try:
        return answer.status, json.loads(data)
    except ValueError:
        return answer.status, data


def _run_over_jump(service, page, jump_s, code, limits):
    """(record, seconds) of a run in whose midst the clock jumps."""
    found = []

    def run():
        found.append(_ask(service, "POST", "/v1/runs",
                          {"language": "bash", "code": code, "limits": limits})[1])
    began = time.monotonic()
    client = threading.Thread(target=run)
    client.start()
    time.sleep(0.4)
    page.at.ahead_s = jump_s
    client.join(LONG_S)
    page.at.ahead_s = 0
    return (found or [{}])[0], time.monotonic() - began


def _verdict(wanted, record, least_s, took_s):
    wrong = []
    if record.get("verdict") != wanted:
        wrong.append(f"{record.get('verdict')}, not {wanted}: {record}")
    if not least_s <= took_s < LONG_S:
        wrong.append(f"it took {took_s:.1f} s")
    return wrong


def _runs(service, page, jump_s):
    record, took = _run_over_jump(service, page, jump_s, "sleep 1; echo done", {"timeout_ms": 10000})
    yield "a-run-goes-on", _verdict("succeeded", record, 1, took)
    record, took = _run_over_jump(service, page, jump_s, "sleep 100", {"timeout_ms": 1500})
    yield "a-limit-is-kept", _verdict("timeout", record, 1.4, took)
    usage = record.get("usage", {})
    if not 1400 <= usage.get("wall_ms", 0) < LONG_S * 1000:
        yield "usage-is-true", [f"{usage}"]


def _window(service, page, jump_s):
    """As many as may come, and no more an hour later by the clock on the wall."""
    body = {"language": "bash", "code": "echo x"}
    before = [_ask(service, "POST", "/execute", body)[0] for _ in range(RATE + 1)]
    page.at.ahead_s = jump_s
    after = _ask(service, "POST", "/execute", body)[0]
    page.at.ahead_s = 0
    wrong = [] if before == [200] * RATE + [429] and after == 429 else [f"{before}, then {after}"]
    yield "a-window-stays-closed", wrong


def _links(service, page, jump_s):
    record = _ask(service, "POST", "/v1/runs", {"language": "bash", "code": "echo x > outputs/a"})[1]
    link = record["artifacts"][0]["url"]
    path = "/" + link.split("/", 3)[3] if link.startswith("http") else link
    page.at.ahead_s = jump_s
    jumped = _ask(service, "GET", path)[0]
    page.at.ahead_s = 0
    back = _ask(service, "GET", path)[0]
    wrong = [] if back == 200 and jumped in (200, 403, 404, 410) else [f"{jumped}, then {back}"]
    yield "a-link-is-of-its-day", wrong


def judge(page, report):
    for name, jump_s in JUMPS.items():
        with Service("--concurrency=2", "--shutdown-grace=0s", "--rate-limit-loopback=yes",
                     f"--execute-rate={RATE}", "--execute-rate-window=1h",
                     env=page.environment) as service:
            for part in (_runs, _links, _window):
                for what, wrong in part(service, page, jump_s):
                    report.judge(f"clock-{name}-{what}", wrong)
