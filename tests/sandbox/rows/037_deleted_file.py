# SPDX-License-Identifier: MIT
# row: 37 deleted_file
# expect: succeeded
# stdout: ^refused: ENOSPC after 1[56] MiB$
# limits: timeout=20s workspace=16M
# layer: root
import errno
import os

file = open("gone", "wb", buffering=0)
os.unlink("gone")
written = 0
try:
    while written < 1024:
        file.write(bytes(1 << 20))
        written += 1
    print("ESCAPED", written, "MiB")
except OSError as error:
    print(f"refused: {errno.errorcode[error.errno]} after {written} MiB")
