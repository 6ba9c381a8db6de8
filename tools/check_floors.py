#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the modules below src/ to their floors.

A module may use itself and lower floors only; modules on one floor do not see each
other. That is checked twice: in what files include, and in what meson.build links.
"""
import pathlib
import re
import sys

from tree import Report, files, own_files, text_of

FLOORS = {
    "base": 0,
    "os": 1, "loop": 1, "codec": 1, "observe": 1,
    "server": 2, "sandbox": 2, "store": 2, "broker": 2, "language": 2, "config": 2,
    "webhook": 2,
    "executor": 3, "account": 3,
    "engine": 4,
    "dialect": 5, "fleet": 5, "selftest": 5,
    "cli": 6,
}

# What else a module may use, and why.
BESIDE = {
    ("observe", "codec"): "log lines are JSON",
}

# A dialect is a name and the files that begin with it; these serve them all.
DIALECT_SHARED = {"request", "result"}

# The spawner holds privilege: it is linked with these and libc, nothing else.
SPAWNER_MAY_USE = {"base", "os", "sandbox"}
SPAWNER_PARTS = ("runnel-spawner", "spawner_sources", "sandbox_pools")

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
TARGET = re.compile(r"(?:static_library|executable)\('([\w-]+)',(.*?)\n(?=\S|\Z)", re.DOTALL)
SOURCES = re.compile(r"^(\w+) = files\((.*?)\n(?=\S|\Z)", re.DOTALL | re.MULTILINE)


def module_of(path):
    return pathlib.PurePath(path).parts[1]


def may_use(user, used):
    return used == user or FLOORS[used] < FLOORS[user] or (user, used) in BESIDE


def include_complaints(path):
    """What a file includes that it may not."""
    user, found = module_of(path), []
    for header in INCLUDE.findall(text_of(path)):
        used = header.split("/")[0]
        if "/" not in header:
            if not header.endswith((".inc", ".golden")):
                found.append(f'"{header}" is included without its module')
        elif used not in FLOORS:
            found.append(f'"{header}" is on no floor')
        elif not may_use(user, used):
            found.append(f'"{header}" is on floor {FLOORS[used]}, {user} on {FLOORS[user]}')
        elif used != user and header.endswith(("_private.h", "_driver.h")):
            found.append(f'"{header}" is private to {used}')
    if user == "dialect":
        found += dialect_complaints(path)
    return found


def dialect_complaints(path):
    """A dialect knows no other."""
    def name_of(path):
        return pathlib.PurePath(path).stem.split("_")[0]
    return [f'"{header}" is of another dialect' for header in INCLUDE.findall(text_of(path))
            if header.startswith("dialect/")
            and name_of(header) not in DIALECT_SHARED | {name_of(path)}]


def link_complaints(path, module_of_library):
    """What a meson.build of a module links that the module may not use."""
    user = module_of(path)
    used = {module_of_library.get(name) for name in re.findall(r"\b(\w+)_dep\b", text_of(path))}
    return [f"links {name}" for name in sorted(used - {None}) if not may_use(user, name)]


def spawner_complaints(module_of_library):
    """Sources and libraries of the privileged program."""
    build, found, seen = text_of("src/sandbox/meson.build"), [], set()
    for name, body in TARGET.findall(build) + SOURCES.findall(build):
        if name not in SPAWNER_PARTS:
            continue
        seen.add(name)
        for library in re.findall(r"\b(\w+)_dep\b", body):
            if module_of_library.get(library) not in SPAWNER_MAY_USE:
                found.append(f"{name} links {library}")
        for source in re.findall(r"'(\w+\.c)'", body):
            headers = INCLUDE.findall(text_of(f"src/sandbox/{source}"))
            found += [f'{source} includes "{header}"' for header in headers
                      if header.split("/")[0] not in SPAWNER_MAY_USE]
    return found + [f"{name} is built nowhere" for name in SPAWNER_PARTS if name not in seen]


def is_built(path):
    """Is a source named by its module's meson.build, or with its whole path by another?"""
    own = pathlib.PurePath(path).with_name("meson.build").as_posix()
    named = own in files() and f"'{pathlib.PurePath(path).name}'" in text_of(own)
    return named or f"'{path}'" in text_of("meson.build")


def main():
    report = Report()
    sources = [path for path in own_files(".c", ".h") if path.startswith("src/")]
    builds = [path for path in own_files("meson.build") if path.startswith("src/")]
    module_of_library = {name: module_of(path) for path in builds
                         for name in re.findall(r"^(\w+)_dep = ", text_of(path), re.MULTILINE)}
    for path in sources + builds:
        if module_of(path) not in FLOORS:
            report.judge(path, ["its folder is on no floor"])
        elif path in builds:
            report.judge(path, link_complaints(path, module_of_library))
        else:
            found = include_complaints(path)
            if path.endswith(".c") and not is_built(path):
                found.append("is in no meson.build")
            report.judge(path, found)
    report.judge("spawner", spawner_complaints(module_of_library))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
