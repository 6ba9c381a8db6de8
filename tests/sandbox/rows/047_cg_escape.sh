# SPDX-License-Identifier: MIT
# row: 47 cg_escape
# expect: succeeded
# stdout: ^groups: none but the root$
# stdout: ^hierarchies: none$
# needs: cgroup
# layer: root, namespaces
seen=$(cut -d: -f3- /proc/self/cgroup | sort -u)
[ "$seen" = / ] && echo "groups: none but the root" || echo "ESCAPED groups: $seen"
seen=$(grep -w -e cgroup -e cgroup2 /proc/self/mountinfo; find / -xdev -name cgroup.procs 2> /dev/null)
[ -z "$seen" ] && echo "hierarchies: none" || echo "ESCAPED hierarchies: $seen"
for path in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/memory/cgroup.procs \
    /proc/1/root/sys/fs/cgroup/cgroup.procs; do
    echo $$ > "$path" && echo "ESCAPED $path"
done 2> /dev/null
exit 0
