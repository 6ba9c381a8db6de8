# SPDX-License-Identifier: MIT
# row: 23 yes_flood
# expect: output_limit
# limits: timeout=10s max-output=100000
# check: host.stdout_bytes == 100000, usage.wall_ms <= 5000
# quick: yes
# layer: supervisor
exec yes
