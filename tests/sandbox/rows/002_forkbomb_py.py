# SPDX-License-Identifier: MIT
# row: 2 forkbomb_py
# expect: timeout cpu_limit
# stdout: ^refused: EAGAIN$
# limits: timeout=3s processes=32
# check: limits_hit.processes >= 1
# needs: cgroup
# alone: yes
# layer: cgroup, rlimits
import errno
import os
import time

while True:
    if len(os.listdir("/proc")) > 60:  # a few of them are no processes
        os.write(1, b"ESCAPED: more processes than limits let be\n")
    try:
        os.fork()
    except OSError as error:
        os.write(1, f"refused: {errno.errorcode[error.errno]}\n".encode())
        time.sleep(60)
