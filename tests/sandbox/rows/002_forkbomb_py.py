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
    try:
        os.fork()
    except OSError as error:
        os.write(1, f"refused: {errno.errorcode[error.errno]}\n".encode())
        time.sleep(60)
