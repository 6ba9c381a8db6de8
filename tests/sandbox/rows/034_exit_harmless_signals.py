# SPDX-License-Identifier: MIT
# row: 34 exitcodes
# expect: succeeded
# args: ["{arg}"]
# each: 17 18 23 28
# layer: supervisor
import os
import signal
import sys

signal.signal(int(sys.argv[1]), signal.SIG_DFL)
os.kill(os.getpid(), int(sys.argv[1]))
