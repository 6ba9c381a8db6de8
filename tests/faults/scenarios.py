# SPDX-License-Identifier: MIT
"""What a client does while something fails, and what it may be told.

Each returns nothing when all is as it would be without faults, or the word for what went wrong
when it was told in our own form; anything else is an AssertionError.
"""
import base64
import http.client
import json
import socket

import websocket

BOUND_S = 30
CLOSE_NO_STATUS = 1005 # a Close that says nothing: as good as none
REFUSALS = (500, 503, 507)
CODE = "read x; echo got $x; head -c 20000 /dev/zero | tr '\\0' a; echo text > outputs/a.txt"


# What a box is, said by a program in it: its rights, its filter, what it sees of the host, its limits.
# Not one of these may be another because something failed.
LOOK = r"""while read -r name value; do
case $name in Uid:|Gid:|Groups:|Cap*|NoNewPrivs:|Seccomp*) echo $name $value ;; esac
done < /proc/self/status
echo top /*
while read -r name rest; do echo interface $name; done < /proc/self/net/dev
while read -r number parent device root place rest; do echo mount $place; done < /proc/self/mountinfo
echo groups $(</proc/self/cgroup)
echo host $HOSTNAME
ulimit -Hc -Hf -Hl -Hn -Hs -Hu
{ echo x > /usr/x; } 2>/dev/null && echo wrote
cd /proc/self/fd && echo open *
"""
HOLDS = ("CapEff: 0000000000000000", "CapBnd: 0000000000000000", "NoNewPrivs: 1", "Seccomp: 2",
         "top /*\n", "interface lo:")
ordinary = {}  # "box": what LOOK says in a service of ours, without faults


def checked(said):
    """What it says without faults is what it says of every box."""
    missing = [text for text in HOLDS if text not in said]
    if missing or "wrote" in said:
        raise AssertionError(f"a box without faults lacks {missing}: {said}")
    return said


def _told(status, answer):
    """An answer that is not what was asked for."""
    if status not in REFUSALS:
        raise AssertionError(f"status {status}: {str(answer)[:200]}")
    error = answer.get("error") if isinstance(answer, dict) else None
    if not error:
        raise AssertionError(f"status {status} without our error form: {str(answer)[:200]}")
    return f"{status} {error.get('code') if isinstance(error, dict) else error}"


def _ended(record, output):
    """A run's end: as it should be, or told."""
    verdict = record["verdict"]
    if verdict == "internal_error":
        return f"internal_error: {record.get('reason')}"
    if verdict != "succeeded" or record["stdout"] != output:
        raise AssertionError(f"{verdict} {record.get('reason')} {record['stdout'][:60]!r} "
                             f"{record['stderr'][:200]!r}")
    return None


def execute(service):
    status, answer = service.request("POST", "/execute", {"language": "bash", "code": LOOK},
                                     timeout=BOUND_S)
    if status != 200:
        return _told(status, answer)
    if answer.get("output") == ordinary["box"] and not answer.get("error"):
        return None
    if "internal" in str(answer.get("error")).lower():
        return f"told {answer['error']}"
    raise AssertionError(f"{answer}")


def compiled(service):
    code = '#include <stdio.h>\nint main(void) { puts("six"); return 0; }\n'
    status, answer = service.request("POST", "/v1/runs", {"language": "c", "code": code},
                                     timeout=BOUND_S)
    return _told(status, answer) if status not in (200, 201) else _ended(answer, "six\n")


def _upload(service, content):
    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="in.txt"\r\n\r\n'
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=BOUND_S)
    try:
        connection.request("POST", "/v1/files", head + content + b"\r\n--edge--\r\n",
                           {"Content-Type": "multipart/form-data; boundary=edge"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def files(service):
    """A file that is uploaded, read by a program, and comes back as another."""
    content = b"0123456789" * 3000
    status, answer = _upload(service, content)
    if status != 200:
        return _told(status, answer)
    status, answer = service.request("POST", "/v1/runs", {
        "language": "bash", "code": "cat inputs/in.txt > outputs/out.txt; echo done",
        "files": [{"path": "in.txt", "id": answer["id"]}]}, timeout=BOUND_S)
    if status not in (200, 201):
        return _told(status, answer)
    told = _ended(answer, "done\n")
    if told:
        return told
    artifacts = answer.get("artifacts") or []
    if not artifacts:
        return f"no artifact: {answer.get('artifacts_refused')} {answer.get('artifacts_unlisted')}"
    status, _, body = service.request_raw("GET", f"/v1/files/{artifacts[0]['id']}",
                                          timeout=BOUND_S)
    if status != 200:
        return _told(status, json.loads(body))
    if body != content:
        raise AssertionError(f"{len(body)} bytes came back of {len(content)}")
    return None


def live(service):
    """A run over a WebSocket, with input while it runs."""
    status, answer = service.request("POST", "/v1/runs?wait=false", {
        "language": "bash", "code": "read x; echo got $x",
        "disconnect_grace_ms": 500,
        # one whose answer was lost ends by itself
        "limits": {"timeout_ms": 4000}}, timeout=BOUND_S)
    if status != 201:
        return _told(status, answer)
    try:
        wire = websocket.WebSocket(service.port, f"/v1/runs/{answer['id']}/stream", BOUND_S)
    except websocket.Refused as error:
        return _told(error.status, json.loads(error.body))
    with wire.socket:
        return _talk(wire)


def _talk(wire):
    said = ""
    wire.send_json({"type": "input", "data": "it\n"})
    try:
        while True:
            event = wire.json()
            if event["type"] == "stdout":
                said += event["data"]
            elif event["type"] == "error":
                return f"told {event}"
            elif event["type"] == "end":
                return _ended({**event, "stdout": said, "stderr": ""}, "got it\n")
    except websocket.Closed as error:
        if error.code in (1011, 1013):
            return f"closed {error.code} {error.reason}"
        if error.code in (None, CLOSE_NO_STATUS):
            raise
        raise AssertionError(f"closed {error.code} {error.reason}") from error


def is_cut(error):
    return isinstance(error, (ConnectionError, EOFError, http.client.HTTPException, websocket.Closed)) \
        and not isinstance(error, socket.timeout)


SCENARIOS = {"execute": execute, "compiled": compiled, "files": files, "live": live}
