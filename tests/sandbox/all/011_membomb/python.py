# SPDX-License-Identifier: MIT
hoard = []
while len(hoard) < 1 << 14:
    hoard.append(b"x" * (1 << 20))
print("ran out of ideas")
