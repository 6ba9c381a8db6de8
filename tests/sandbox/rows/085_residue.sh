# SPDX-License-Identifier: MIT
# row: 85 residue
# expect: succeeded
# pair: after
# stdout: ^nothing there$
# layer: supervisor
found=$(ls -A /tmp /dev/shm | grep -v : ; ls -A /work ~ | grep residue)
[ -n "$found" ] && echo "ESCAPED $found" || echo "nothing there"
for folder in /tmp ~ /work /dev/shm /var/tmp; do
    echo "echo ESCAPED" > "$folder/residue"
    echo "echo ESCAPED" > "$folder/.bashrc"
    echo "echo ESCAPED" > "$folder/.profile"
done 2> /dev/null
exit 0
