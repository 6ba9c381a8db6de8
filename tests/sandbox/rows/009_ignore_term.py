# SPDX-License-Identifier: MIT
# row: 9 ignore_term
# expect: timeout
# stdout: ^ignoring$
# limits: timeout=2s
# check: usage.wall_ms >= 1900, usage.wall_ms <= 4000
# layer: supervisor
import signal
import time

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU, signal.SIGALRM):
    signal.signal(number, signal.SIG_IGN)
print("ignoring", flush=True)
while True:
    time.sleep(1)
