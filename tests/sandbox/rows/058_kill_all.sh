# SPDX-License-Identifier: MIT
# row: 58 kill_all
# expect: killed_by_signal
# signal: 9
# layer: namespaces, identity
# kill(-1) spares the one who calls it: a child of the program does it.
(kill -9 -1)
sleep 1
echo "ESCAPED: survived"
