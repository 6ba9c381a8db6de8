# SPDX-License-Identifier: MIT
# row: 87 atexit_hang
# expect: timeout
# stdout: ^leaving$
# limits: timeout=2s
# layer: supervisor
import atexit
import time


class Hanging:
    def __del__(self):
        while True:
            time.sleep(1)


atexit.register(time.sleep, 600)
hanging = Hanging()
print("leaving", flush=True)
