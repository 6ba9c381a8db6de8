# SPDX-License-Identifier: MIT
# row: 37 deleted_file
# expect: succeeded
# stdout: ^refused: ENOSPC after 1[56] MiB$
# limits: timeout=20s workspace=16M
# layer: root
import errno
import os

# Many, as one alone may not be larger than the workspace; less than the limit of memory.
files, written = [], 0
try:
    while written < 128:
        files.append(open("gone", "wb", buffering=0))
        os.unlink("gone")
        files[-1].write(bytes(1 << 20))
        written += 1
    print("ESCAPED", written, "MiB")
except OSError as error:
    print(f"refused: {errno.errorcode[error.errno]} after {written} MiB")
