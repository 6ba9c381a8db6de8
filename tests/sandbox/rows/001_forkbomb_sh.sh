# SPDX-License-Identifier: MIT
# row: 1 forkbomb_sh
# expect: timeout cpu_limit
# stderr: Resource temporarily unavailable
# limits: timeout=3s processes=32
# check: limits_hit.processes >= 1
# needs: cgroup
# alone: yes
# layer: cgroup, rlimits
# Each looks before it forks whether there are more than limits let be: one that only watches gets no
# turn among thousands.
bomb() {
    set -- /proc/[0-9]*
    if [ $# -gt 48 ]; then
        echo "ESCAPED: $# processes" >&$answer
        exit 1
    fi
    bomb | bomb &
}
exec {nothing}<> <(:) {answer}>&1
bomb
while :; do
    read -rt 1 -u $nothing
done
