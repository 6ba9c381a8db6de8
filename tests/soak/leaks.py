# SPDX-License-Identifier: MIT
"""What a service holds when nothing runs, and whether it grows."""
import os
import pathlib
import time

import aftermath
from service import descendants, groups

IDLE_S = 20.0
WARM_UP, THIRD = 3, 3 # looks: those that do not count, and those that are compared
LOOKS = WARM_UP + 3 * THIRD
# That memory may grow by with each run: of one that is kept for ten minutes (docs/LIMITS.md), on
# average of the kinds of run.py; and of one that is not, because pages are larger than leaks.
BYTES_KEPT = 16 * 1024
BYTES_OF_NOTHING = 1024


def _text(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _links(pid, folder):
    found = []
    try:
        for name in os.listdir(f"/proc/{pid}/{folder}"):
            try:
                found.append(os.readlink(f"/proc/{pid}/{folder}/{name}"))
            except OSError:
                pass
    except OSError:
        pass
    return found


def _field(text, name):
    """The number behind `name` in one of /proc's lists; 0: there is none."""
    for line in text.splitlines():
        words = line.split()
        if words and words[0] == name:
            return int(words[1])
    return 0


def _network_namespaces(pids):
    """Those that processes live in, or have a descriptor of."""
    return {link for pid in pids for link in _links(pid, "ns") + _links(pid, "fd")
            if link.startswith("net:")}


def _of_process(pid):
    return {"descriptors": len(_links(pid, "fd")),
            "threads": _field(_text(f"/proc/{pid}/status"), "Threads:"),
            "mounts": len(_text(f"/proc/{pid}/mountinfo").splitlines()),
            "pss_bytes": _field(_text(f"/proc/{pid}/smaps_rollup"), "Pss:") * 1024}


def _dying_groups():
    """Of version 2: groups that are removed, and not gone because memory is charged to them."""
    mount = aftermath.cgroup_mounts().get("v2")
    return _field(_text(f"{mount}/cgroup.stat"), "nr_dying_descendants") if mount else 0


def _zombies(pids):
    return sum(") Z " in _text(f"/proc/{pid}/stat") for pid in pids)


def look(service):
    """{what: how much}, once nothing runs."""
    front, spawner = service.front(), service.spawner()
    _wait_until_idle(service, front)
    below = descendants(spawner)
    found = {f"{name}_{what}": much for name, pid in (("front", front), ("spawner", spawner))
             for what, much in _of_process(pid).items()}
    found.update({
        "processes": len(below), "zombies": _zombies(below), "cgroups": len(groups(spawner)),
        "dying_cgroups": _dying_groups(), "namespaces": len(_network_namespaces([spawner, *below])),
        "terminals": int(_text("/proc/sys/kernel/pty/nr") or 0),
        "keys": len(_text("/proc/keys").splitlines()),
        "files": sum(len(files) + len(folders) for place in aftermath.PRIVATE
                     for top, folders, files in os.walk(place)
                     if not top.startswith(service.storage())),
    })
    return found


def _wait_until_idle(service, front):
    """The service says so itself, and the front is the only process below."""
    end = time.monotonic() + IDLE_S
    while time.monotonic() < end:
        answer = service.request("GET", "/v1/stats")[1]
        if answer.get("running", 0) == 0 and set(descendants(service.spawner())) <= {front}:
            break
        time.sleep(0.1)
    time.sleep(0.5)


def of_the_host():
    """{kind: what there is}, for before and after the service."""
    return {"mounts": set(_text("/proc/self/mounts").splitlines()),
            "sysv": {line for kind in ("shm", "sem", "msg")
                     for line in _text(f"/proc/sysvipc/{kind}").splitlines()[1:]},
            "files": {os.path.join(top, name) for place in aftermath.PRIVATE
                      for top, folders, files in os.walk(place) for name in folders + files}}


# The kernel's own counts: what nobody has a descriptor of shows only here. Others on this machine
# make some, too, and the kernel lets go of them when it likes.
SLABS = {"net_namespace": 24, "pid_namespace": 100, "mnt_cache": 500}


def slab(name):
    """Objects of that kind; 0: the kernel does not say it."""
    return _field(_text("/proc/slabinfo"), name)


def namespaces_of_the_kernel():
    return {name: slab(name) for name in SLABS}


def more_namespaces(before, seconds=20.0):
    """Those that are not gone after some time."""
    end = time.monotonic() + seconds
    while True:
        more = [f"{name}: {before[name]} before, {slab(name)} after"
                for name, some in SLABS.items() if slab(name) > before[name] + some]
        if not more or time.monotonic() > end:
            return more
        time.sleep(0.2)


def brief(found):
    return " ".join(f"{what}={much}" for what, much in found.items() if much)


# Kept in reserve: more after a busy time, and let go when there is none.
RESERVES = ("namespaces", "spawner_descriptors")
RESERVES_GO_S = 15.0


def rested(service):
    """As look(), once nothing more is let go."""
    time.sleep(RESERVES_GO_S)
    return look(service)


def judge_reserves(service, before):
    """[(what, complaints)]: some time after the last run there are as many as before them."""
    now = rested(service)
    return [(what, [f"{before[what]} before, {now[what]} after"] if now[what] > before[what] else [])
            for what in RESERVES]


def judge(looks, runs_between, bytes_of_a_run):
    """[(what, complaints)]: what is counted may take a step, as a pool does that was never so busy
    before, but not one after the other; memory may move, but not upwards with each
    run by more than that."""
    results = []
    for what in looks[0].keys() - set(RESERVES):
        values = [found[what] for found in looks]
        first, second, third = (values[at:at + THIRD] for at in range(WARM_UP, LOOKS, THIRD))
        if what.endswith("_bytes"):
            allowed = bytes_of_a_run * runs_between * THIRD
            grows = min(third) - allowed > min(second) > min(first) + allowed
        else:
            grows = min(third) > max(second) and min(second) > max(first)
        results.append((what, [f"it grows: {values}"] if grows else []))
    return sorted(results)
