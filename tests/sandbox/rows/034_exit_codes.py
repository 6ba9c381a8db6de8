# SPDX-License-Identifier: MIT
# row: 34 exitcodes
# expect: failed
# exit: {arg}
# args: ["{arg}"]
# each: 1 2 3 42 63 64 65 70 75 77 78 99 100 111 123 124 125 126 127 128 129 130 134 137 139 143 159 192 200 254 255
# layer: supervisor
import os
import sys

os._exit(int(sys.argv[1]))
