# SPDX-License-Identifier: MIT
# row: 87 atexit_hang
# expect: failed
# exit: 9
# layer: supervisor
import os
import threading
import time

threading.Thread(target=os._exit, args=(9,)).start()
time.sleep(60)
