# SPDX-License-Identifier: MIT
"""Clients whose packets stop: no end of file, no reset, nothing. A cable of our own is cut."""
import contextlib
import http.client
import json
import socket
import time

from namespaces import Network
from service import Service, wait_until
from troubles import Bystander, judge_health, open_files
from websocket import WebSocket

EACH = 8 # clients of a kind
# Half a minute of silence, and as long again for the answer to a question: docs/LIMITS.md. Ten times
# that is too long to wait for in vain, but who is not noticed would be there for hours.
NOTICED_S = 240.0
SILENT = "while read -r line; do echo \"$line\"; done"


class There(Service):
    """A service on another machine, asked from there."""

    def __init__(self, place, *flags):
        self.place = place
        super().__init__(*flags, under=place.under())

    def request_raw(self, *question, **more):
        with self.place:
            return super().request_raw(*question, **more)


def start(service):
    status, record = service.request("POST", "/v1/runs?wait=false", {
        "language": "bash", "code": SILENT, "disconnect_grace_ms": 1000})
    assert status == 201, record
    return record["id"]


def send(address, text):
    wire = socket.create_connection(address, 20)
    wire.sendall(text.encode())
    return wire


def attach_all(held, client, service, address):
    """{kind: runs} of clients that are there, and of which nothing more is heard after the cut."""
    runs = {kind: [start(service) for _ in range(EACH)] for kind in ("websocket", "events")}
    waits = json.dumps({"language": "bash", "code": "sleep 600", "limits": {"timeout_ms": 2000}})
    host = f"Host: {address[0]}:{address[1]}\r\n"
    with client:
        for run in runs["websocket"]:
            held.enter_context(WebSocket(address[1], f"/v1/runs/{run}/stream", address=address[0]))
        for text in [f"GET /v1/runs/{run}/events HTTP/1.1\r\n{host}\r\n" for run in runs["events"]]:
            held.enter_context(send(address, text)).recv(1)
        for text in ("", "GET /health HT", f"GET /health HTTP/1.1\r\n{host}\r\n",
                     f"POST /v1/runs HTTP/1.1\r\n{host}Content-Type: application/json\r\n"
                     f"Content-Length: {len(waits)}\r\n\r\n{waits}"):
            for _ in range(EACH):
                held.enter_context(send(address, text))
    return runs


def ended(service, runs):
    return all(service.request("GET", f"/v1/runs/{run}")[1]["verdict"] for run in runs)


def case(report, seconds):
    del seconds # it takes as long as it takes
    network = Network()
    with contextlib.ExitStack() as held:
        held.callback(network.close)
        client, machine = network.machine("client"), network.machine("server")
        service = held.enter_context(There(
            machine, f"--listen={machine.address}:8099", "--insecure-public", "--concurrency=40",
            f"--server-names={machine.address}", "--shutdown-grace=0s"))
        service.runs()
        front, before = service.front(), open_files(service.front())
        runs = attach_all(held, client, service, (machine.address, 8099))
        assert open_files(front) >= before + 4 * EACH
        client.cut()
        began = time.monotonic()
        late = []
        with Bystander(service.port, place=machine) as other:
            for kind, some in runs.items():
                try:
                    wait_until(f"runs of clients by {kind} end", lambda some=some: ended(service, some),
                               NOTICED_S)
                    report.did(f"half open: runs of clients by {kind} ended {time.monotonic() - began:.0f}"
                               " s after the cut")
                except (AssertionError, http.client.HTTPException) as error:
                    late.append(str(error))
        report.judge("half_open/their_runs_end", late)
        other.tell(report, "half_open")
        judge_health(report, "half_open", service, front, before)
