# SPDX-License-Identifier: MIT
# row: 14 shm_fill
# expect: succeeded
# stdout: ^/dev/shm: (ENOSPC|EFBIG) after [0-9]+ MiB$
# stdout: ^/tmp: (ENOSPC|EFBIG) after [0-9]+ MiB$
# limits: timeout=20s memory=256M
# alone: yes
# layer: cgroup, root
import errno

# A box's tmpfs is cut to half of its memory limit at most.
MOST_MIB = 128
for folder in ("/dev/shm", "/tmp"):
    written = 0
    file = open(folder + "/fill", "wb", buffering=0)
    try:
        while written < 10 * MOST_MIB:
            file.write(bytes(1 << 20))
            written += 1
    except OSError as error:
        print(f"{folder}: {errno.errorcode[error.errno]} after {written} MiB")
    if written > MOST_MIB:
        print("ESCAPED", folder, "took", written, "MiB")
    file.truncate(0)
