# SPDX-License-Identifier: MIT
# row: 122 unlisted_path
# expect: succeeded
# stdout: ^list the root: Permission denied$
# stdout: ^list /work: ok$
# needs: landlock
# quick: yes
# layer: landlock
# The box's root is an ordinary folder to the mounts, and is not on Landlock's list.
try() {
    if said=$(LC_ALL=C ls "$2" 2>&1 > /dev/null); then
        echo "$1: ok"
    else
        echo "$1: ${said##*: }"
    fi
}
try "list the root" /
try "list /work" /work
