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
BYTES_OF_A_RUN = 1024 # that memory may grow by with each, because pages are larger than leaks
BYTES_OF_A_HEAP = 1 << 20 # that it moves by whatever runs: more than the former when these are few
HOST_USERS = 1023 # of one spawner, for boxes: src/sandbox/host_ids.h
# Objects of the kernel that runs may seem to leave: it counts those that it could give away at any
# time, and those of everybody on this machine. In a long soak a leak of one with each run is more.
OBJECTS_OF_OTHERS = 3000
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


def _key_users():
    """{user of the host: how many keys}. All of them: /proc/keys has those alone that we may view."""
    rows = [line.split() for line in _text("/proc/key-users").splitlines()]
    return {int(words[0].rstrip(":")): int(words[2].split("/")[0]) for words in rows}


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
    """Groups that are removed, and not gone because memory is charged to them. Only version 2 tells."""
    mount = aftermath.cgroup_mounts().get("v2")
    return _field(_text(f"{mount}/cgroup.stat"), "nr_dying_descendants") if mount else 0


# Descriptors that a spawner keeps for boxes to come: of namespaces and their figures, of groups.
IN_RESERVE = ("net:", "/proc/", "/sys/fs/cgroup", "anon_inode:[eventfd]")


def _groups_below(spawner):
    """Its own, and those of boxes, which have names of their own in it."""
    return [folder for own in groups(spawner) for folder, _, _ in os.walk(own)]


def _zombies(pids):
    return sum(") Z " in _text(f"/proc/{pid}/stat") for pid in pids)


def held(service, member=None):
    """{what: how much} of the service alone, once nothing runs, or of the worker that it has."""
    member = member or service
    front, spawner = member.front(), member.spawner()
    stats = _wait_until_idle(service, front, spawner)
    below = descendants(spawner)
    found = {f"{name}_{what}": much for name, pid in (("front", front), ("spawner", spawner))
             for what, much in _of_process(pid).items()}
    found.update({
        "processes": len(below), "zombies": _zombies(below), "cgroups": len(_groups_below(spawner)),
        "namespaces": len(_namespaces([spawner, *below])),
        "descriptors_of_boxes": sum(not link.startswith(IN_RESERVE) for link in links(spawner, "fd")),
        "running": stats["running"], "queued": stats["queued"],
        "promised_memory": stats["memory_promised_bytes"],
    })
    return found


def look(service):
    """The same, and what is the whole machine's."""
    found = held(service)
    found.update({
        "dying_cgroups": _dying_groups(), "sysv": len(_sysv()), **_objects(),
        "terminals": int(_text("/proc/sys/kernel/pty/nr") or 0),
        "keys": sum(_key_users().values()),
        "files": sum(len(files) + len(folders) for place in aftermath.PRIVATE
                     for top, folders, files in os.walk(place)
                     if not top.startswith(service.storage())),
    })
    return found


def _wait_until_idle(service, front, spawner):
    """The service says so itself, and the front is the only process below."""
    end = time.monotonic() + IDLE_S
    while time.monotonic() < end:
        answer = service.request("GET", "/v1/stats")[1]
        if answer.get("running", 0) == 0 and set(descendants(spawner)) <= {front}:
            break
        time.sleep(0.1)
    time.sleep(0.5)
    return answer


def of_the_host():
    """{kind: what there is}, for before and after the service."""
    return {"mounts": set(_text("/proc/self/mounts").splitlines()),
            "sysv": _sysv(), "key_users": set(_key_users()),
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


def lost_users(users):
    """How many are passed over: boxes have them in turn. The longest gap is of those whose turn has
    not come, unless each had his."""
    ordered = sorted(set(users))
    if not ordered: # and that is said elsewhere
        return 0
    gaps = [after - before - 1 for before, after in zip(ordered, ordered[1:])]
    gaps.append(HOST_USERS - 1 - (ordered[-1] - ordered[0]))
    return sum(gaps) - (max(gaps) if len(users) < HOST_USERS else 0)


def judge(looks, runs_between, with_memory=True):
    """[(what, complaints)]: what is counted may take a step, as a pool does that was never so busy
    before, but not one after the other; memory and what is the kernel's may move, but not upwards
    with each run by more than that."""
    results = []
    for what in looks[0].keys() - set(RESERVES):
        values = [found[what] for found in looks]
        first, second, third = (values[at:at + THIRD] for at in range(WARM_UP, LOOKS, THIRD))
        if what.endswith("_bytes") and not with_memory:
            continue
        if what.endswith("_bytes") or what.startswith("kernel_"):
            allowed = max(BYTES_OF_A_RUN * runs_between * THIRD, BYTES_OF_A_HEAP) \
                if what.endswith("_bytes") else OBJECTS_OF_OTHERS
            grows = min(third) - allowed > min(second) > min(first) + allowed
        else:
            grows = min(third) > max(second) and min(second) > max(first)
        results.append((what, [f"it grows: {values}"] if grows else []))
    return sorted(results)
