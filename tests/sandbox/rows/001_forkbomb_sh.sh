# SPDX-License-Identifier: MIT
# row: 1 forkbomb_sh
# expect: timeout cpu_limit
# stderr: Resource temporarily unavailable
# limits: timeout=3s processes=32
# check: limits_hit.processes >= 1
# needs: cgroup
# alone: yes
# layer: cgroup, rlimits
bomb() { bomb | bomb & }
bomb
exec sleep 60
