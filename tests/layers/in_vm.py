#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The inner half of run.py: rows of tests/sandbox with layers of the box left out.

    in_vm.py RUNNEL CASES SLOW    CASES: a JSON list of {"row": …, "off": [layers]}

It runs nowhere but in the virtual machine: what it runs is meant to get out. Before
a case an ordinary program runs with the same layers out, so that it is the attack
that fails its row and not the box. Each case ends with every other process dead.
"""

import argparse
import base64
import ctypes
import json
import os
import pathlib
import resource
import signal
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
SANDBOX = HERE.parent / "sandbox"
sys.path[:0] = [str(SANDBOX), str(HERE), str(HERE.parent)]  # both have a run.py

# pylint: disable=wrong-import-position
import parts
import patience
import row as corpus
import run as sandbox

ALL_LAYERS = "cgroup,namespaces,network,root,identity,rlimits,descriptors,landlock,seccomp"
_CLONE_NEWNS, _MNT_DETACH, _SYS_PIVOT_ROOT = 0x20000, 2, 155
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 1 << 18
_libc = ctypes.CDLL(None, use_errno=True)


def in_the_machine():
    """The kernel was started with vm/init.c, and we are the one command that it runs."""
    kernel = pathlib.Path("/proc/cmdline").read_text(encoding="utf-8").split()
    return (os.environ.get("IN_RUNNEL_VM") == "1" and os.getppid() == 1
            and "rdinit=/init" in kernel and "console=ttyS2" in kernel)


def _checked(result, what):
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _mount(source, target, kind, flags=0, data=None):
    _checked(_libc.mount(source.encode(), target.encode(), kind and kind.encode(), flags,
                         data and data.encode()), f"mount {target}")


def become_a_host_to_damage(kept):
    """The machine's tree is read-only, which would stop attacks that no layer stopped: it
    gets a writable one above, in memory, with the folder /work that boxes have."""
    _checked(_libc.unshare(_CLONE_NEWNS), "unshare mounts")
    _checked(_libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "make mounts private")
    place = "/run/host"
    for name in ("upper", "work", "root"):
        os.makedirs(f"{place}/{name}")
    new = f"{place}/root"
    _mount("overlay", new, "overlay", 0, f"lowerdir=/,upperdir={place}/upper,workdir={place}/work")
    for folder in ("/proc", "/sys", "/dev", "/tmp", "/run"):
        _mount(folder, new + folder, None, _MS_BIND | _MS_REC)
    os.makedirs(new + "/work", exist_ok=True)
    where = os.getcwd()
    os.chdir(new)
    _checked(_libc.syscall(_SYS_PIVOT_ROOT, b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", _MNT_DETACH), "leave the read-only tree")
    os.chdir(where)
    for path in kept:
        if not os.path.exists(path):
            sys.exit(f"{path} cannot be seen any more")


def limit_nothing():
    """What the box does not limit, its host must not."""
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_MEMLOCK, resource.RLIMIT_NPROC,
                 resource.RLIMIT_STACK, resource.RLIMIT_MSGQUEUE):
        resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20))
    typing = pathlib.Path("/proc/sys/dev/tty/legacy_tiocsti")
    if typing.exists():  # until Linux 6.2 a terminal's own program could always type into it
        typing.write_text("1", encoding="ascii")


def say(word, number, **facts):
    print(f"@{word} {number} {json.dumps(facts)}", flush=True)


class Cases:
    """Carries them out, one after the other."""

    def __init__(self, runnel, slow):
        self.suite = sandbox.Suite(argparse.Namespace(
            runnel=runnel, through=None, as_user="root", allow_missing=ALL_LAYERS, jobs=1, slow=slow,
            times=False))
        self.rows = {row.name: row for row in corpus.collect(SANDBOX)}
        for row in self.rows.values():
            row.stretch(slow)
        # Not prepare(): it asks every toolchain for its version, which takes a minute here.
        self._controls = {}

    def _leave_out(self, layers):
        self.suite.runnel.environment["WEAKENED_STEPS"] = parts.steps_of(layers)

    def _control(self, layers):
        """Why an ordinary program does not run in such a box, or None."""
        key = tuple(sorted(layers))
        if key not in self._controls:
            outcome, folder = self.suite._submit(sandbox.HELLO)  # pylint: disable=protected-access
            sandbox._litter(folder)  # pylint: disable=protected-access
            fine = outcome.result is not None and outcome.text("stdout") == "hello\n"
            self._controls[key] = None if fine else (
                f"{outcome.stdout!r} {outcome.stderr!r}"[:600])
        return self._controls[key]

    def _as_compiled(self, row, program):
        """The row as a program of the language `staged`: its compile stage unpacks it. One
        that must be compiled here gets time for that."""
        if program is None:
            row.language = patience.language_of(row.language, self.suite.options.slow)
            return row
        text = base64.encodebytes(pathlib.Path(program).read_bytes()).decode()
        row.path = pathlib.Path(self.suite.runnel.scratch) / (row.path.stem + ".staged")
        row.path.write_text(f"base64 -d > main << END\n{text}END\nchmod +x main\n",
                            encoding="utf-8")
        row.language = "staged"
        return row

    def carry_out(self, case):
        row = self._as_compiled(self.rows[case["row"]], case["program"])
        self._leave_out(case["off"])
        broken = self._control(case["off"])
        if broken:
            return {"broken": "no box can be made: " + broken}
        try:
            found = self.suite.judge_alone(row) + self.suite.aftermath.final_complaints()
        except Exception as error:  # pylint: disable=broad-exception-caught
            found = [f"the runner failed: {type(error).__name__}: {error}"]
        return {"found": [text[:300] for text in found[:6]]}


def main(runnel, cases, slow):
    if not in_the_machine():
        sys.exit("this runs in the virtual machine only: see run.py")
    become_a_host_to_damage([runnel, cases])
    limit_nothing()
    wanted = json.loads(pathlib.Path(cases).read_text(encoding="utf-8"))
    work = Cases(runnel, int(slow))
    for case in wanted:
        say("begin", case["number"])
        result = work.carry_out(case)
        # Whatever lives on; init and this process are spared by the kernel.
        os.kill(-1, signal.SIGKILL)
        work.suite.aftermath.complaints()
        say("end", case["number"], **result)
        if case["damages"]:
            break
    say("done", 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
