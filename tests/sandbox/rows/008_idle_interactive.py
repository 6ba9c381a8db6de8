# SPDX-License-Identifier: MIT
# row: 8 idle_interactive
# expect: idle_timeout
# stdout: ^name\? $
# stdin: open
# limits: timeout=15s idle-timeout=1s
# check: usage.wall_ms >= 900, usage.wall_ms <= 4000
# layer: supervisor
input("name? ")
print("ESCAPED: input came from nowhere")
