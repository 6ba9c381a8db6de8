# SPDX-License-Identifier: MIT
"""The layers of a box as these tests switch them off: the steps of each.

The names of steps are those of the tables in src/sandbox/box_init.c and box_program.c,
and of the other places that ask step_is_on().
"""

STEPS = {
    "cgroup": ["cgroup"],
    "namespaces": ["process ids", "ipc", "host name", "cgroup view"],
    "users": ["user namespace"],
    "network": ["network"],
    "root": ["root", "size"],
    "identity": ["host ids", "capabilities", "no new privileges"],
    "rlimits": ["limits"],
    "descriptors": ["descriptors"],
    "landlock": ["landlock"],
    "seccomp": ["seccomp"],
}


def steps_of(layers):
    """What WEAKENED_STEPS must say for these layers to be left out."""
    names = [step for layer in layers for step in STEPS[layer]]
    return ";" + ";".join(names) + ";" if names else ""
