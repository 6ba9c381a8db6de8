# SPDX-License-Identifier: MIT
"""What a client does while something fails, where both sides speak: WebSockets, terminals, Socket.IO,
events as they come, lines of jobs, webhooks. As scenarios.py says."""
import contextlib
import functools
import http.client
import json
import time

import websocket
from receiver import Receiver
from service import wait_until
from told import BOUND_S, CLOSE_DONE, CLOSE_NO_STATUS, closed, ended, refused

ASKS = "read x; echo got $x"
ASKED_AGAIN_S = 0.05
ASKS_BETWEEN_S = 2
# Shorter than what the server pings after.
LISTENS_S = 20
# What it waits after three attempts, which is as many as three faults in a row can meet.
PAUSES_S = {"webhook": 1 + 5 + 30}
# Who comes back this often has met more than the faults of one loop.
RETURNS = 8


def _started(service, **fields):
    """(the run's id, None) or (None, what was told)"""
    status, answer = service.request("POST", "/v1/runs?wait=false", {
        "language": "bash", "disconnect_grace_ms": 500,
        # one whose answer was lost ends by itself
        "limits": {"timeout_ms": 4000}, **fields}, timeout=BOUND_S)
    return (answer["id"], None) if status == 201 else (None, refused(status, answer))


@contextlib.contextmanager
def _socket(service, path, **headers):
    """(a WebSocket, None) or (None, what was told)"""
    try:
        wire = websocket.WebSocket(service.port, path, LISTENS_S, **headers)
    except websocket.Refused as error:
        yield None, refused(error.status, json.loads(error.body))
        return
    with wire.socket:
        yield wire, None


def _over_socket(service, path, talk, **headers):
    """What was told; talk(wire) says it when all goes well."""
    with _socket(service, path, **headers) as (wire, told):
        try:
            return told or talk(wire)
        except websocket.Closed as error:
            return closed(error)


def _until_end(wire, output, ready=None, reply=None):
    """Of a run of ours, from here on; reply() once it has said what makes it ready. A terminal's
    line may come in pieces."""
    said = ""
    while True:
        event = wire.json()
        if event["type"] == "stdout":
            said += event["data"]
            if said == ready:
                reply()
        elif event["type"] == "error":
            return f"told {event}"
        elif event["type"] == "end":
            return ended({**event, "stdout": said, "stderr": ""}, output)


def live(service):
    """A run over a WebSocket, with input while it runs."""
    run, told = _started(service, code=ASKS)

    def talk(wire):
        wire.send_json({"type": "input", "data": "it\n"})
        return _until_end(wire, "got it\n")
    return told or _over_socket(service, f"/v1/runs/{run}/stream", talk)


def terminal(service):
    """One with a terminal, whose size changes, and which is signalled."""
    run, told = _started(service, tty=True, code="trap 'stty size; exit' INT; echo up; "
                         "while :; do read -r -t 0.1 x; done")

    def talk(wire):
        def reply():
            wire.send_json({"type": "resize", "columns": 99, "rows": 33})
            wire.send_json({"type": "signal", "signal": "INT"})
        return _until_end(wire, "up\r\n33 99\r\n", "up\r\n", reply)
    return told or _over_socket(service, f"/v1/runs/{run}/stream", talk)


def session(service):
    """POST /session, and its WebSocket."""
    status, answer = service.request("POST", "/session", {"language": "bash", "code": ASKS},
                                     timeout=BOUND_S)
    if status != 200:
        return refused(status, answer)

    def talk(wire):
        said, state = "", None
        wire.send_json({"type": "input", "data": "it\n"})
        for frame in map(json.loads, _frames(wire)):
            said += frame.get("data", "") if frame["type"] == "stdout" else ""
            state = frame.get("state", state)
        if state == "terminated" and not said:
            return "told terminated"
        if (said, state) != ("got it\n", "finished"):
            raise AssertionError(f"{state} {said!r}")
        return None
    told = _over_socket(service, f"/ws/session/{answer['sessionId']}", talk)
    if told:  # who has lost it ends it, rather than wait until it is seen to be alone
        service.request_raw("DELETE", f"/v1/runs/{answer['sessionId']}", timeout=BOUND_S)
    return told


def _frames(wire):
    """All that comes: the server closes with 1000 when it has said everything."""
    found = []
    try:
        while True:
            found.append(wire.message())
    except websocket.Closed as error:
        if error.code != CLOSE_DONE:
            raise
    return found


def socketio(service):
    """A client of Socket.IO that begins by polling, and goes on over a WebSocket."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=BOUND_S)
    path = "/socket.io/?EIO=4&transport=polling"

    def ask(method, query="", body=None):
        connection.request(method, path + query, body)
        answer = connection.getresponse()
        return answer.status, answer.read()

    with contextlib.closing(connection):
        status, body = ask("GET")
        if status != 200:
            return _refused(status, json.loads(body))
        if not body.startswith(b"0{"):
            return _disconnected(body)
        sid = json.loads(body[1:])["sid"]
        for question in (("POST", f"&sid={sid}", b"40"), ("GET", f"&sid={sid}")):
            status, body = ask(*question)
            if status != 200:
                return _refused(status, json.loads(body))
        if not body.startswith(b"40{"):
            return _disconnected(body)
        try:
            return _over_socket(service, f"/socket.io/?EIO=4&transport=websocket&sid={sid}", _emit)
        except websocket.Closed as error:
            if error.code != CLOSE_NO_STATUS:  # the protocol's own, for all that ends a session
                raise
            return "disconnected"


def _refused(status, answer):
    """In the form of Engine.IO, or in ours."""
    return refused(status, {"error": answer.get("message"), **answer})


def _disconnected(packets):
    """By a packet, or an answer in which there was no memory for it: a client begins anew."""
    if packets not in (b"", b"1", b"41") and not packets.startswith(b"44{"):
        raise AssertionError(f"{packets}")
    return "disconnected"


def _emit(wire):
    """A run by events."""
    wire.send(websocket.TEXT, b"2probe")
    if wire.message() != b"3probe":
        raise AssertionError("no probe came back")
    for packet in ("5", '42["execute-interactive",{"language":"bash","code":"%s"}]' % ASKS):
        wire.send(websocket.TEXT, packet.encode())
    said = told = ""
    while True:
        packet = wire.message()
        if packet in (b"1", b"41"):
            return _disconnected(packet)
        if not packet.startswith(b"42"):
            continue
        name, argument = json.loads(packet[2:])
        if name == "execution-start":
            typed = json.dumps(["input", {"data": "it", "executionId": argument["executionId"]}])
            wire.send(websocket.TEXT, b"42" + typed.encode())
        elif name == "error" or argument.get("type") == "error":
            told = f"told {argument}"
        elif name == "output":
            said += argument["data"]
        elif name == "execution-complete":
            break
    if told and argument["status"] == "error":
        return told
    if argument["status"] != "success" or not said.endswith("got it\n"):
        raise AssertionError(f"{argument} {said!r}")
    return None


def events(service):
    """Events as they come, for a client that comes back where they stop; and once more, from the
    store or what is kept."""
    code = "echo one; sleep 0.1; echo two"
    run, told = _started(service, code=code, on_disconnect="continue")
    if told:
        return told
    first, told = _events_of(service, run)
    again, told_again = _events_of(service, run)
    if told and not first or told_again and not again:
        return told or told_again
    kept = [event for event in first if event["type"] not in ("usage", "gap")]
    if again and kept != [event for event in again if event["type"] not in ("usage", "gap")]:
        raise AssertionError(f"{first} and then {again}")
    wrong = ended({**first[-1], "stdout": _output(first), "stderr": ""}, "one\ntwo\n")
    return wrong or told or told_again or _listed(service, run)


def _output(found):
    return "".join(event["data"] for event in found if event["type"] == "stdout")


def _events_of(service, run):
    """(its events, what was told meanwhile)"""
    found, told = [], None
    for _ in range(RETURNS):
        headers = {"Last-Event-ID": str(found[-1]["n"])} if found else {}
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=BOUND_S)
        try:
            connection.request("GET", f"/v1/runs/{run}/events", headers=headers)
            answer = connection.getresponse()
            if answer.status != 200:
                told = refused(answer.status, json.loads(answer.read()))
                continue
            for line in answer:
                if line.startswith(b"data: "):
                    found.append(json.loads(line[6:]))
        except (ConnectionError, http.client.HTTPException) as error:
            told = f"cut, and come back: {type(error).__name__}"
        finally:
            connection.close()
        if found and found[-1]["type"] == "end":
            return found, told
    return [], told or "events without an end"


def _listed(service, run):
    """It stands in the list, and the service can be asked how it is."""
    status, answer = service.request("GET", "/v1/runs?limit=2", timeout=BOUND_S)
    if status != 200:
        return refused(status, answer)
    if run not in [one["id"] for one in answer["runs"]]:
        raise AssertionError(f"{run} is not in {answer}")
    for path in ("/v1/stats", "/v1/me"):
        status, answer = service.request("GET", path, timeout=BOUND_S)
        if status != 200:
            return refused(status, answer)
    status, _, body = service.request_raw("GET", "/metrics", timeout=BOUND_S)
    return refused(status, json.loads(body)) if status != 200 else None


stored = {}  # "run": one that the store alone knows, since the service was started again


def replay(service):
    """Of that one: its events, over both, as text and as bytes."""
    run = stored["run"]
    first, told = _events_of(service, run)
    if told or _output(first) != "one\ntwo\n":
        return told or f"told {first}"

    def as_text(wire):
        found = [json.loads(frame) for frame in _frames(wire)]
        if found != first[1:]:
            raise AssertionError(f"{first} and then {found}")

    def as_bytes(wire):
        frames = _frames(wire)
        if b"".join(frame[9:] for frame in frames if frame[:1] == b"\1") != b"one\ntwo\n":
            raise AssertionError(f"{frames}")
    path = f"/v1/runs/{run}/stream"
    return _over_socket(service, f"{path}?from={first[1]['n']}", as_text) or \
        _over_socket(service, path, as_bytes, Sec_WebSocket_Protocol="runnel.bytes")


def lines(service):
    """A job, its lines as they come, and its record."""
    status, answer = service.request("POST", "/api/execute", {
        "language": "bash", "source_code": "echo one; sleep 0.1; echo two", "timeout": 4},
        timeout=BOUND_S)
    if status != 200:
        return refused(status, answer)
    job = answer["job_id"]

    def talk(wire):
        wire.send_json({"type": "subscribe", "job_id": job})
        wire.socket.settimeout(ASKS_BETWEEN_S)
        said, told, waits = [], None, 0
        while len(said) < 2 and not told and waits < 2:
            try:
                said.append(json.loads(wire.message())["data"]["line"])
            except TimeoutError:  # nobody says here that there will be none
                told = _job_ended(service, job)
                waits += 1
        if not told and said != ["one", "two"]:
            raise AssertionError(f"of its lines came {said}")
        return told
    return _over_socket(service, f"/stream/{job}", talk) or _job_ended(service, job)


def _job_ended(service, job):
    """It does, soon; how, when it is not as it should be."""
    end, told = time.monotonic() + BOUND_S, None
    while time.monotonic() < end:
        status, answer = service.request("GET", f"/api/jobs/{job}", timeout=BOUND_S)
        if status != 200:
            told = refused(status, answer)
        elif answer["status"] in ("completed", "failed", "cancelled"):
            result = answer["result"]
            return ended({**result, "stdout": result["output"], "stderr": ""}, "one\ntwo\n") or told
        time.sleep(ASKED_AGAIN_S)
    raise AssertionError(f"the job does not end: {told or answer}")


class _Patient(Receiver):
    def handle_error(self, *_):
        """Who was cut off comes again."""

    def whole(self, run):
        """What came of this run, to the last byte of it."""
        return [json.loads(post.body) for post in self.got if post.headers["Webhook-Id"] == run
                and len(post.body) == int(post.headers["Content-Length"])]


_receiver = functools.cache(_Patient)


def webhook(service):
    """A run whose end is told to a server; it comes, however often it has to be tried."""
    receiver = _receiver()
    receiver.got.clear()
    status, answer = service.request("POST", "/v1/runs", {
        "language": "bash", "code": "echo one", "webhook_url": receiver.url}, timeout=BOUND_S)
    if status not in (200, 201):
        return refused(status, answer)
    wait_until("the webhook comes", lambda: receiver.whole(answer["id"]),
               BOUND_S + PAUSES_S["webhook"])
    for told in receiver.whole(answer["id"]):
        if told["verdict"] != answer["verdict"]:
            raise AssertionError(f"{answer} is told as {told}")
    return ended(answer, "one\n")


SCENARIOS = {scenario.__name__: scenario for scenario in
             (live, terminal, session, socketio, events, replay, lines, webhook)}
