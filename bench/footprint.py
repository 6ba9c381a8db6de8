# SPDX-License-Identifier: MIT
"""What a service holds of the machine: memory, descriptors, objects of the kernel."""

import contextlib
import os
import pathlib

from service import descendants


def resident(pid):
    """KiB."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


def pss_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def family(service):
    return [service.spawner()] + descendants(service.spawner())


def links(pid, folder):
    for name in os.listdir(f"/proc/{pid}/{folder}"):
        with contextlib.suppress(OSError):
            yield os.readlink(f"/proc/{pid}/{folder}/{name}")


def lines(path):
    return len(pathlib.Path(path).read_text().splitlines())


def kernel_objects(name):
    for line in pathlib.Path("/proc/slabinfo").read_text().splitlines():
        if line.startswith(name + " "):
            return int(line.split()[1])
    return "unknown"


def snapshot(service):
    spawner, front = service.spawner(), service.front()
    pids = family(service)
    held = {link for pid in pids for folder in ("ns", "fd") for link in links(pid, folder)}
    return {
        "PSS of the spawner, MiB": f"{pss_kib(spawner) / 1024:.2f}",
        "PSS of the front, MiB": f"{pss_kib(front) / 1024:.2f}",
        "descriptors of the spawner": len(os.listdir(f"/proc/{spawner}/fd")),
        "descriptors of the front": len(os.listdir(f"/proc/{front}/fd")),
        "cgroup directories": sum(1 for folder, _, _ in os.walk("/sys/fs/cgroup")
                                  if f"-{spawner}-" in folder),
        "mounts the spawner sees": lines(f"/proc/{spawner}/mountinfo"),
        "mounts the host sees": lines("/proc/1/mountinfo"),
        "processes": len(pids),
        "network namespaces held": sum(link.startswith("net:") for link in held),
        "network namespaces of the whole kernel": kernel_objects("net_namespace"),
        "mounts of the whole kernel": kernel_objects("mnt_cache"),
    }
