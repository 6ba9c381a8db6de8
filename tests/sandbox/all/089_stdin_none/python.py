# SPDX-License-Identifier: MIT
import sys

if sys.stdin.read() == "":
    print("end of input")
