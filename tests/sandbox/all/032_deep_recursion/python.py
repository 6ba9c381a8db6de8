# SPDX-License-Identifier: MIT
# stderr: RecursionError
def deeper(depth):
    return deeper(depth + 1) + 1


print(deeper(0), "came", "back")
