# SPDX-License-Identifier: MIT
# row: 14 shm_fill
# expect: succeeded
# stdout: ^/dev/shm: ENOSPC after [0-9]+ MiB$
# stdout: ^/tmp: ENOSPC after [0-9]+ MiB$
# limits: timeout=20s memory=256M
# alone: yes
# layer: cgroup, root
import errno
import os

# A box's tmpfs is cut to half of its memory limit at most. One file may not be larger
# either: there are many.
MOST_MIB = 128
for folder in ("/dev/shm", "/tmp"):
    names, written = [], 0
    try:
        while written < 4 * MOST_MIB:
            names.append(f"{folder}/fill{written}")
            with open(names[-1], "wb", buffering=0) as file:
                file.write(bytes(1 << 20))
            written += 1
    except OSError as error:
        print(f"{folder}: {errno.errorcode[error.errno]} after {written} MiB")
    if written > MOST_MIB:
        print("ESCAPED", folder, "took", written, "MiB")
    for name in names:
        os.unlink(name)
