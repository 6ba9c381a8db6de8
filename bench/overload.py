# SPDX-License-Identifier: MIT
"""More requests than can be served, and how good what they are told is."""

from load import Load
from service import Service, wait_until


def percent(part, whole):
    return f"{100 * part / whole:.0f} %"


def p99(sorted_ms):
    return sorted_ms[int(0.99 * (len(sorted_ms) - 1))]


def overload(quick):
    """Ten times as many requests as can be served; and how good the estimate of waits is."""
    slots, seconds = 4, 4 if quick else 20
    program = {"language": "bash", "code": "sleep 0.1"}

    def good(status, answer):
        return status == 200 and answer.get("verdict", "succeeded") == "succeeded"

    with Service(f"--concurrency={slots}", "--max-queue-timeout=80ms") as service:
        load = Load(service.port, "/execute", program)
        unloaded = load.at_once(1, seconds).took(good)
        peak = len(load.at_once(slots + 2, seconds).took(good)) / load.seconds
        served = load.at_a_rate(10 * peak, seconds).took(good)
        goodput = len(served) / load.seconds
        refused = load.took(lambda status, _: status == 503)
        late = len(load.answers) - len(served) - len(refused)
        asked = len(load.answers)
    rows = [("one at a time: 99 % are answered within", f"{p99(unloaded):.0f} ms"),
            (f"{slots + 2} clients, as many as it takes: served", f"{peak:.1f} a second"),
            (f"{asked / seconds:.0f} requests a second: served", f"{goodput:.1f} a second"),
            ("**of the peak**", percent(goodput, peak)),
            ("… 99 % of the served are answered within", f"{p99(served):.0f} ms"),
            ("**÷ one at a time**", f"{p99(served) / p99(unloaded):.2f}"),
            ("… refused at once with 503", percent(len(refused), asked)),
            ("… 99 % of the refused know within", f"{p99(refused):.0f} ms"),
            ("… taken, and then waited too long", percent(late, asked))]
    rows += estimate(slots, 60 if quick else 200)
    return ("## Overload\n\n"
            f"`/execute` of `sleep 0.1` in Bash, {slots} slots, `max_queue_timeout = 80ms`, {seconds} s each. "
            "The last figures are of runs that all come at once, take 50 to 150 ms each, and are "
            "told how long they will wait.\n\n| what | |\n|---|---|\n" +
            "".join(f"| {name} | {figure} |\n" for name, figure in rows) + "\n")


def estimate(slots, count):
    """How far from the truth expected_wait_ms is."""
    with Service(f"--concurrency={slots}", f"--queue-length={2 * count}") as service:
        def start(number):
            return service.request("POST", "/v1/runs?wait=false", {
                "language": "bash", "on_disconnect": "continue",
                "code": f"sleep 0.{50 + 37 * number % 101:03}"})[1]

        for number in range(32):
            start(number)
        wait_until("they have ended", lambda: service.request("GET", "/health")[1]["running"] == 0, 60)
        told = [start(number) for number in range(count)]
        wait_until("they have ended", lambda: service.request("GET", "/health")[1]["running"] == 0, 60)
        errors = []
        for record in told:
            queued = service.request("GET", f"/v1/runs/{record['id']}")[1]["usage"]["queued_ms"]
            if queued > 200:
                errors.append(abs(record["expected_wait_ms"] - queued) / queued)
    errors.sort()
    return [(f"expected_wait_ms of {len(errors)} runs that waited more than 200 ms: median error",
             f"{100 * errors[len(errors) // 2]:.0f} %"),
            ("… 9 of 10 are no further off than", f"{100 * errors[int(0.9 * len(errors))]:.0f} %")]
