# SPDX-License-Identifier: MIT
"""Clients of all kinds that go on while the service is troubled, and what they were promised."""
import contextlib
import http.client
import json
import random
import threading
import time

from websocket import Closed, Refused, WebSocket

AGAIN_S = 0.03 # between questions to a service that does not answer
ANSWER_S = 30.0
ARTIFACT = "echo done; head -c 100000 /dev/urandom > outputs/x; echo y > outputs/y"
ECHO = "while read -r line; do echo \"$line\"; done"
SHORT = {"timeout_ms": 5000} # of runs that wait for a client, who may be cut off before he is there
UPLOAD = 50_000
LOST = (OSError, EOFError, http.client.HTTPException, ValueError)


def ask(port, method, path, body=None, headers=None, timeout=ANSWER_S):
    """(status, bytes), or an exception of LOST."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def ask_json(port, method, path, body=None, **more):
    """(status, what the answer says)"""
    data = None if body is None else json.dumps(body)
    status, text = ask(port, method, path, data, {"Content-Type": "application/json"}, **more)
    return status, json.loads(text) if text else None


def upload(port, size):
    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    status, text = ask(port, "POST", "/v1/files", head + bytes(size) + b"\r\n--edge--\r\n",
                       {"Content-Type": "multipart/form-data; boundary=edge"})
    return status, json.loads(text)


class Load:
    """`active` of its clients work, one request after the other; the rest wait.

    promised: {run: the verdict that was told, or None when it was only accepted}
    uploads: {file: size}; counts: {kind: how many were answered}; lost: how many were not;
    failed: how many runs ended as internal_error; wrong: what no trouble excuses
    """

    def __init__(self, port, clients, seed):
        self.port = port
        self.active = 0
        self.refusals = (503,) # what may come instead of success
        self.promised, self.uploads, self.counts, self.wrong = {}, {}, {}, []
        self.lost = self.refused = self.failed = 0
        self._stopping = False
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(number, seed), daemon=True)
                         for number in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self):
        """False: a client hangs."""
        self._stopping = True
        end = time.monotonic() + 2 * ANSWER_S
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self, number, seed):
        dice = random.Random(f"{seed} {number}")
        kinds = {"waited": 5, "execute": 3, "detached": 4, "live": 4, "compiled": 1, "artifact": 2,
                 "upload": 2, "left": 2}
        while not self._stopping:
            if number >= self.active:
                time.sleep(AGAIN_S)
                continue
            kind = dice.choices(list(kinds), list(kinds.values()))[0]
            try:
                answered = getattr(self, f"_{kind}")()
            except LOST:
                self.lost += 1
                time.sleep(AGAIN_S)
                continue
            if answered:
                with self._lock:
                    self.counts[kind] = self.counts.get(kind, 0) + 1

    def _answer(self, status, answer, expected):
        if status in expected:
            return True
        if status in self.refusals:
            self.refused += 1
            time.sleep(AGAIN_S)
        else:
            self.wrong.append(f"{status} {str(answer)[:200]}")
        return False

    def _run(self, query, code, language="bash", **fields):
        """The record of an accepted run, or None."""
        body = {"language": language, "code": code, **fields}
        status, record = ask_json(self.port, "POST", f"/v1/runs{query}", body)
        if not self._answer(status, record, (200, 201)):
            return None
        self.promised[record["id"]] = record["verdict"]
        return record

    def _ended(self, record, *verdicts):
        if record and record["verdict"] not in verdicts:
            self.wrong.append(f"{record['id']}: {record['verdict']}: {record['reason']}")
        if record and record["verdict"] == "internal_error":
            self.failed += 1
        return record is not None

    # A box may be killed under them, which is a verdict.

    def _waited(self):
        return self._ended(self._run("", "echo done"), "succeeded", "killed_by_signal", "internal_error")

    def _compiled(self):
        record = self._run("", "int main(void) { return 7; }", "c")
        return self._ended(record, "failed", "killed_by_signal", "internal_error", "compile_failed")

    def _artifact(self):
        return self._ended(self._run("", ARTIFACT), "succeeded", "killed_by_signal",
                           "internal_error")

    def _execute(self):
        body = {"language": "bash", "code": "echo done"}
        status, answer = ask_json(self.port, "POST", "/execute", body)
        return self._answer(status, answer, (200, 500))

    def _detached(self):
        return self._run("?wait=false", "sleep 0.1; echo done", on_disconnect="continue") is not None

    def _left(self):
        """It goes on for long, and who talked with it does not come back."""
        record = self._run("?wait=false", "sleep 600", disconnect_grace_ms=300,
                           limits=SHORT)
        if record:
            WebSocket(self.port, f"/v1/runs/{record['id']}/stream", timeout=ANSWER_S).socket.close()
        return record is not None

    def _live(self):
        record = self._run("?wait=false", ECHO, limits=SHORT)
        if not record:
            return False
        run = record["id"]
        with WebSocket(self.port, f"/v1/runs/{run}/stream", timeout=ANSWER_S) as client:
            client.send_json({"type": "input", "data": "one\n"})
            client.send_json({"type": "eof"})
            said = ""
            with contextlib.suppress(Closed):
                while event := json.loads(client.message()):
                    said += event["data"] if event["type"] == "stdout" else ""
                    if event["type"] == "end":
                        self.promised[run] = event["verdict"]
                        break
            if self.promised[run] == "succeeded" and said != "one\n":
                self.wrong.append(f"{run} said {said!r}")
        return self.promised[run] is not None

    def _upload(self):
        status, answer = upload(self.port, UPLOAD)
        if not self._answer(status, answer, (200, 201)):
            return False
        self.uploads[answer["id"]] = answer["size"]
        return True


def broken_promises(load, may_be_lost, seconds=60.0):
    """Each accepted run has one end, the one that was told; each upload is there. `may_be_lost`:
    runs that were only accepted may have been interrupted."""
    wrong, end = [], time.monotonic() + seconds
    for run, told in load.promised.items():
        status, record = ask_json(load.port, "GET", f"/v1/runs/{run}")
        while status == 200 and record["verdict"] is None and time.monotonic() < end:
            time.sleep(0.05)
            status, record = ask_json(load.port, "GET", f"/v1/runs/{run}")
        if status != 200 or record["verdict"] is None:
            wrong.append(f"{run}: {status}, no end")
            continue
        if told and record["verdict"] != told:
            wrong.append(f"{run}: {told} was told, it is {record['verdict']}")
        if not told and record["verdict"] == "internal_error" and not may_be_lost:
            wrong.append(f"{run}: {record['reason']}")
        events = ask(load.port, "GET", f"/v1/runs/{run}/events?from=1")[1]
        if events.count(b"event: end\n") != 1:
            wrong.append(f"{run}: {events.count(b'event: end')} ends among its events")
    for file, size in load.uploads.items():
        status, content = ask(load.port, "GET", f"/v1/files/{file}")
        if status != 200 or len(content) != size:
            wrong.append(f"upload {file}: {status}, {len(content)} bytes")
    return wrong


__all__ = ["LOST", "Load", "Refused", "ask", "ask_json", "broken_promises", "upload"]
