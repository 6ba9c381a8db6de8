# SPDX-License-Identifier: MIT
# row: 45 sys_write
# expect: succeeded
# stdout: ^refused: 8$
# stderr: (No such file or directory|Permission denied)
# layer: root, landlock, identity
refused=0
for path in /sys/kernel/uevent_helper /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/memory/tasks \
    /sys/fs/cgroup/unified/cgroup.procs /sys/fs/cgroup/pids/tasks /sys/power/state \
    /sys/kernel/mm/ksm/run /sys/firmware/efi/efivars/x; do
    if echo 1 > "$path"; then
        echo "ESCAPED $path"
    else
        refused=$((refused + 1))
    fi
done
echo "refused: $refused"
