# SPDX-License-Identifier: MIT
"""What a client does while something fails: requests that are answered with their run's end. Those in
which both sides speak are in conversations.py; what may be told stands in told.py.

Each returns nothing when all is as it would be without faults, or the word for what went wrong
when it was told in our own form; anything else is an AssertionError.
"""
import http.client
import json

import conversations
from told import BOUND_S, ended, refused

CANNOT_START = 126  # a program that was compiled: as a shell says it

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


def execute(service):
    status, answer = service.request("POST", "/execute", {"language": "bash", "code": LOOK},
                                     timeout=BOUND_S)
    if status != 200:
        return refused(status, answer)
    if answer.get("output") == ordinary["box"] and not answer.get("error"):
        return None
    if "internal" in str(answer.get("error")).lower():
        return f"told {answer['error']}"
    raise AssertionError(f"{answer}")


def compiled(service):
    code = '#include <stdio.h>\nint main(void) { puts("six"); return 0; }\n'
    status, answer = service.request("POST", "/v1/runs", {"language": "c", "code": code},
                                     timeout=BOUND_S)
    if status not in (200, 201):
        return refused(status, answer)
    if answer["exit_code"] == CANNOT_START and answer["stderr"].startswith("cannot start ./main: "):
        return f"told {answer['stderr']}"
    return ended(answer, "six\n")


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
        return refused(status, answer)
    status, answer = service.request("POST", "/v1/runs", {
        "language": "bash", "code": "cat inputs/in.txt > outputs/out.txt; echo done",
        "files": [{"path": "in.txt", "id": answer["id"]}]}, timeout=BOUND_S)
    if status not in (200, 201):
        return refused(status, answer)
    told = ended(answer, "done\n")
    if told:
        return told
    artifacts = answer.get("artifacts") or []
    if not artifacts:
        return f"no artifact: {answer.get('artifacts_refused')} {answer.get('artifacts_unlisted')}"
    status, _, body = service.request_raw("GET", f"/v1/files/{artifacts[0]['id']}",
                                          timeout=BOUND_S)
    if status != 200:
        return refused(status, json.loads(body))
    if body != content:
        raise AssertionError(f"{len(body)} bytes came back of {len(content)}")
    return None


SCENARIOS = {scenario.__name__: scenario for scenario in (execute, compiled, files)}
SCENARIOS |= conversations.SCENARIOS
