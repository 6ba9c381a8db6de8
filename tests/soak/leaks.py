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
# Objects of the kernel that runs may seem to leave: it counts those that it could give away at any
# time, and those of everybody on this machine. In a long soak a leak of one with each run is more.
OBJECTS_OF_OTHERS = 2000
OBJECTS = {"dentries": ("dentry",), "namespaces": ("net_namespace", "pid_namespace"),
           "inodes": ("inode_cache", "shmem_inode_cache", "proc_inode_cache", "sock_inode_cache"),
           "mounts": ("mnt_cache",)}


def _text(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def links(pid, folder):
    """What those of this folder of a process lead to."""
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


def _namespaces(pids):
    """Those that processes live in, or have a descriptor of."""
    return {link for pid in pids for link in links(pid, "ns") + links(pid, "fd")
            if link.split(":")[0] in ("net", "mnt", "pid", "ipc", "uts", "user", "cgroup")}


def _sysv():
    return {f"{kind} {line}" for kind in ("shm", "sem", "msg")
            for line in _text(f"/proc/sysvipc/{kind}").splitlines()[1:]}


def _objects():
    """{kernel_KIND: how many}, without those that nobody needs."""
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("2", encoding="ascii")
    except OSError:
        pass # then they are all counted, and grow as far as memory goes: the tolerance is for that
    slabs = _text("/proc/slabinfo")
    return {f"kernel_{kind}": sum(_field(slabs, name) for name in names)
            for kind, names in OBJECTS.items()}


def _of_process(pid):
    return {"descriptors": len(links(pid, "fd")),
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
    stats = _wait_until_idle(service, front)
    below = descendants(spawner)
    found = {f"{name}_{what}": much for name, pid in (("front", front), ("spawner", spawner))
             for what, much in _of_process(pid).items()}
    found.update({
        "processes": len(below), "zombies": _zombies(below), "cgroups": len(groups(spawner)),
        "dying_cgroups": _dying_groups(), "namespaces": len(_namespaces([spawner, *below])),
        # Host users of boxes are not seen: there are 1023, so one lost with each run ends runs soon.
        "running": stats["running"], "queued": stats["queued"],
        "promised_memory": stats["memory_promised_bytes"], "sysv": len(_sysv()), **_objects(),
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
    return answer


def of_the_host():
    """{kind: what there is}, for before and after the service."""
    return {"mounts": set(_text("/proc/self/mounts").splitlines()),
            "sysv": _sysv(),
            "files": {os.path.join(top, name) for place in aftermath.PRIVATE
                      for top, folders, files in os.walk(place) for name in folders + files}}


# What nobody has a descriptor of shows only there. Others on this machine make some, too.
KERNEL_SLACK = {"kernel_namespaces": 100, "kernel_mounts": 500}


def kernels():
    """What the kernel has of namespaces and mounts, the whole machine's."""
    found = _objects()
    return {what: found[what] for what in KERNEL_SLACK}


def more_kernels(before, seconds=20.0):
    """Those that do not go within some time."""
    end = time.monotonic() + seconds
    while True:
        more = [f"{what}: {before[what]} before, {now} after" for what, now in kernels().items()
                if now > before[what] + KERNEL_SLACK[what]]
        if not more or time.monotonic() > end:
            return more
        time.sleep(0.5)


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
    before, but not one after the other; memory and what is the kernel's may move, but not upwards
    with each run by more than that."""
    results = []
    for what in looks[0].keys() - set(RESERVES):
        values = [found[what] for found in looks]
        first, second, third = (values[at:at + THIRD] for at in range(WARM_UP, LOOKS, THIRD))
        if what.endswith("_bytes") or what.startswith("kernel_"):
            allowed = bytes_of_a_run * runs_between * THIRD if what.endswith("_bytes") else \
                OBJECTS_OF_OTHERS
            grows = min(third) - allowed > min(second) > min(first) + allowed
        else:
            grows = min(third) > max(second) and min(second) > max(first)
        results.append((what, [f"it grows: {values}"] if grows else []))
    return sorted(results)
