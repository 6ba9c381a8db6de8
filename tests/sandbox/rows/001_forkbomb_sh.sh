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
exec {nothing}<> <(:)
bomb
# Without another process it looks whether there are more than limits let be.
until read -rt 0.1 -u $nothing; do
    set -- /proc/[0-9]*
    [ $# -le 48 ] || echo "ESCAPED: $# processes"
done
