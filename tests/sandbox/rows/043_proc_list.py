# SPDX-License-Identifier: MIT
# row: 43 proc_list
# expect: succeeded
# stdout: ^own: yes$
# stdout: ^others: none$
# quick: yes
# layer: namespaces
import os

pids = {int(name) for name in os.listdir("/proc") if name.isdigit()}
print("own:", "yes" if os.getpid() in pids else "no")
print("others:", sorted(pids - {1, os.getpid()}) or "none")
# Processes that /proc hides still answer to their number.
for pid in range(2, 400):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        continue
    except PermissionError:
        pass
    if pid != os.getpid():
        print("ESCAPED: process", pid, "is within reach")
