#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lists the system calls of the machine that we build for.

call_names.py HEADER OUT DEPFILE CC…

Asks the compiler which __NR_ macros HEADER defines and writes one row {"read", __NR_read},
for each to OUT, sorted by name. The numbers are left to the compiler: some headers hide them
behind another macro. DEPFILE makes the list follow the kernel headers.
"""
import re
import subprocess
import sys

header, out, depfile, *compiler = sys.argv[1:]
macros = subprocess.run(
    [*compiler, "-E", "-dM", "-MD", "-MF", depfile, "-MT", out, "-x", "c", header],
    check=True, stdout=subprocess.PIPE, text=True).stdout
calls = re.findall(r"^#define __NR_([a-z0-9_]+) ", macros, re.MULTILINE)
calls = sorted(set(calls) - {"syscalls", "arch_specific_syscall"})
if len(calls) < 300:
    sys.exit(f"{header} names only {len(calls)} system calls")
with open(out, "w") as to:
    to.writelines(f'{{"{call}", __NR_{call}}},\n' for call in calls)
