# SPDX-License-Identifier: MIT
# row: 44 proc_sys
# expect: succeeded
# stdout: ^refused: 13$
# stderr: (No such file or directory|Read-only file system|Permission denied)
# layer: root, identity
refused=0
for path in sys/kernel/core_pattern sys/kernel/modprobe sys/kernel/hostname sys/kernel/ns_last_pid \
    sys/kernel/sysrq sysrq-trigger sys/vm/drop_caches sys/vm/overcommit_memory \
    sys/net/ipv4/ip_forward sys/fs/binfmt_misc/register sys/user/max_user_namespaces irq/0/smp_affinity \
    self/uid_map; do
    if echo 1 > "/proc/$path"; then
        echo "ESCAPED $path"
    else
        refused=$((refused + 1))
    fi
done
echo "refused: $refused"
