# SPDX-License-Identifier: MIT
# row: 16 inode_bomb
# expect: succeeded
# stdout: ^made: 4[0-9][0-9]$
# stderr: No space left on device
# limits: timeout=20s inodes=500
# check: limits_hit.workspace >= 1
# layer: root
made=0
while [ $made -lt 20000 ] && : > f$made; do
    made=$((made + 1))
done
echo "made: $made"
