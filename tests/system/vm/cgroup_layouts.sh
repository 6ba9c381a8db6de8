#!/bin/sh
# SPDX-License-Identifier: MIT
# Inside the machine of run_in_vm.sh: one program (test_cgroup) in each place of
# the version 2 hierarchy that a spawner may be started in (cgroup_v2_tree.c).
#
#   run_in_vm.sh cgroup_layouts.sh PROGRAM OTHER…
#
# The others make places of their own, at the root.
set -u
place=$(mktemp -d) # where every user may read it: the checkout need not be
chmod 755 "$place"
program=$place/${1##*/}
cp "$1" "$program" || exit 1
trap 'rm -r "$place"' EXIT
top=/sys/fs/cgroup
passed=0 failed=0

# NAME COMMAND…: each in a fresh cgroup $box, from which nothing may be left.
layout() {
    name=$1
    shift
    box=$top/$name
    mkdir "$box"
    echo "== $name"
    (box=$box "$@")
    status=$?
    left=$(find "$top" -name 'runnel-*')
    if [ $status -ne 0 ] || [ -n "$left" ]; then
        echo "FAIL $name (status $status, left: $left)"
        failed=$((failed + 1))
    else
        echo "ok $name"
        passed=$((passed + 1))
    fi
}

enter() {
    sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$@"
}

at_the_root() {
    "$program"
}

# systemd's Delegate=yes: a cgroup with nobody else in it.
alone() {
    enter "$box" "$program"
}

# A login: the shell that starts us is in the same cgroup.
beside_a_shell() {
    mkdir "$box/session"
    enter "$box/session" sh -c '"$0"; exit $?' "$program"
}

# A container: the same, and its cgroup is the top of what it sees.
container() {
    enter "$box" unshare --cgroup --mount sh -c \
        'umount /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && { "$0"; exit $?; }' "$program"
}

# Delegated to a user: no root anywhere.
delegated_to_a_user() {
    chown -R 1000:1000 "$box"
    enter "$box" setpriv --reuid 1000 --regid 1000 --clear-groups unshare --user --map-root-user "$program"
}

not_delegated() {
    enter "$box" setpriv --reuid 1000 --regid 1000 --clear-groups unshare --user --map-root-user "$program"
    [ $? -eq 77 ]
}

echo '+memory +pids +cpu' >$top/cgroup.subtree_control
layout root at_the_root
layout alone alone
layout login beside_a_shell
layout container container
layout user delegated_to_a_user
layout foreign not_delegated
shift
for other; do
    layout "${other##*/}" "$other"
done
echo "$passed passed, $failed failed, 0 skipped"
exit $((failed != 0))
