# SPDX-License-Identifier: MIT
# row: 31 redos
# expect: timeout
# limits: timeout=3s cpu-time=60s
# layer: supervisor
puts(/^(a+)+$/.match?("a" * 60 + "b"))
