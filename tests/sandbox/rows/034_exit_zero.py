# SPDX-License-Identifier: MIT
# row: 34 exitcodes
# expect: succeeded
# exit: {arg}
# args: ["{arg}"]
# each: 0
# layer: supervisor
import os
import sys

os._exit(int(sys.argv[1]))
