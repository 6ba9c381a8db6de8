# SPDX-License-Identifier: MIT
import sys

for argument in sys.argv[1:]:
    print(f"[{argument}]")
