# SPDX-License-Identifier: MIT
# row: 31 redos
# expect: timeout cpu_limit
# limits: timeout=3s
# layer: supervisor
puts(/^(a+)+$/.match?("a" * 60 + "b"))
