# SPDX-License-Identifier: MIT
# row: 34 exitcodes
# expect: killed_by_signal
# signal: {arg}
# args: ["{arg}"]
# each: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 24 25 26 27 29 30 31 34 64
# layer: supervisor
import os
import signal
import sys

number = int(sys.argv[1])
if number not in (signal.SIGKILL, signal.SIGSTOP):
    signal.signal(number, signal.SIG_DFL)
os.kill(os.getpid(), number)
print("ESCAPED: still here")
