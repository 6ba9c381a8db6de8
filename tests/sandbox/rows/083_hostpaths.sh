# SPDX-License-Identifier: MIT
# row: 83 hostpaths
# expect: succeeded
# stdout: ^name: runnel$
# stdout: ^group: /$
# never: (runnel-test-|/build)
# needs: cgroup
# layer: namespaces
echo "name: $(uname -n)"
cut -d: -f3- /proc/self/cgroup | sort -u | sed 's/^/group: /'
