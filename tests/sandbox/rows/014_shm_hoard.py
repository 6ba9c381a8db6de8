# SPDX-License-Identifier: MIT
# row: 14 shm_fill, where no file system counts: memory files and pipes
# expect: memory_limit
# limits: timeout=20s memory=256M
# needs: cgroup
# alone: yes
# layer: cgroup
import os

hoard = []
for turn in range(64):
    file = os.memfd_create("hoard")
    for megabyte in range(16):
        os.write(file, bytes(1 << 20))
    hoard.append(file)
print("ESCAPED 1 GiB in memory files")
