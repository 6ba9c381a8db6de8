# SPDX-License-Identifier: MIT
# expect: killed_by_signal memory_limit timeout cpu_limit
# needs: cgroup
deeper() { deeper; }
deeper
echo "came back"
