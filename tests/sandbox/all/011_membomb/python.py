# SPDX-License-Identifier: MIT
# stdout: ^begun$
print("begun", flush=True)
hoard = []
while len(hoard) < 1 << 14:
    hoard.append(b"x" * (1 << 20))
print("ran out of ideas")
