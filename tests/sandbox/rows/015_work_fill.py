# SPDX-License-Identifier: MIT
# row: 15 work_fill
# expect: succeeded
# stdout: ^refused: ENOSPC after 1[56] MiB$
# limits: timeout=20s workspace=16M
# check: limits_hit.workspace >= 1
# layer: root
import errno

files, written = [], 0
try:
    while written < 1024:
        files.append(open(f"fill{written}", "wb", buffering=0))
        files[-1].write(bytes(1 << 20))
        written += 1
    print("ESCAPED", written, "MiB")
except OSError as error:
    print(f"refused: {errno.errorcode[error.errno]} after {written} MiB")
