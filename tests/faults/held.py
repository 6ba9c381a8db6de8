# SPDX-License-Identifier: MIT
"""What a service holds when nothing runs: descriptors of each kind, mounts, groups.

It is the same before and after faults, to the last of them. Two things are kept in reserve, and
brought to the same state first: groups by as many runs at a time as there may be (crowd), which is
how many are ever made; network namespaces by waiting until the spare ones have been let go. Each of
those is a whole set of descriptors (src/sandbox/netns.c), so as long as the service goes on, sets
that are there beside the reserve are told from a leak without waiting.
"""
import collections
import pathlib
import re
import time

import leaks
from service import groups, wait_until

SETTLES_S = 10
NAMESPACE = "spawner: net:[N]"
OF_NAMESPACE = re.compile(r"spawner: (net:\[N\]|/proc/N/net/\w+)")


def crowd(service, count):
    """So many runs at the same time."""
    asleep = {"language": "bash", "code": "sleep 60"}
    runs = [service.request("POST", "/v1/runs?wait=false", asleep)[1] for _ in range(count)]
    wait_until(f"{count} runs at a time",
               lambda: service.request("GET", "/v1/stats")[1]["running"] == count)
    for run in runs:
        service.request_raw("DELETE", f"/v1/runs/{run['id']}")


def _kind(link):
    """(A file of a network namespace counts as deleted once the kernel has forgotten its name.)"""
    if link.startswith("/proc/"):
        link = link.removesuffix(" (deleted)")
    return re.sub(r"\d+", "N", link)


def look(service):
    """{what: how much}"""
    found = collections.Counter(cgroups=len(groups(service.spawner())))
    for name, pid in (("spawner", service.spawner()), ("front", service.front())):
        found.update(f"{name}: {_kind(link)}" for link in leaks.links(pid, "fd"))
        mounts = pathlib.Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8")
        found[f"{name}: mounts"] = len(mounts.splitlines())
    return found


def rested(service):
    """As look(), with nothing to spare."""
    time.sleep(leaks.RESERVES_GO_S)
    return look(service)


def _without_spare(found, before):
    spare = max(0, found[NAMESPACE] - before[NAMESPACE])
    return {what: count - (spare if OF_NAMESPACE.fullmatch(what) else 0)
            for what, count in found.items()}


def differences(before, found):
    return [f"{what}: {before.get(what, 0)} before, {found.get(what, 0)} after"
            for what in sorted(before.keys() | found.keys())
            if before.get(what, 0) != found.get(what, 0)]


def complaints(service, before):
    """What there is more or less of than before, but for whole namespaces to spare."""
    left = []

    def settled():
        left[:] = differences(before, _without_spare(look(service), before))
        return not left
    try:
        wait_until("it holds what it held", settled, SETTLES_S)
    except AssertionError:
        pass
    return left
