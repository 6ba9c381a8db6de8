# SPDX-License-Identifier: MIT
import time

time.sleep(1e9)
