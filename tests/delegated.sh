#!/bin/sh
# SPDX-License-Identifier: MIT
# delegated.sh USER COMMAND… — runs a command, as root, in cgroups that belong to
# USER: what systemd's Delegate=yes or an administrator would give that user.
# Exit status 77: cgroups cannot be made here.
set -u

user=$1
shift
name=check-$$
made=

cannot() {
    echo "delegated.sh: $*" >&2
    clean_up
    exit 77
}

# The groups that the command left below ours go first; we are back at home.
clean_up() {
    for home in $made; do
        echo $$ >"$home/cgroup.procs"
        find "$home/$name" -depth -type d -exec rmdir {} + 2>/dev/null
    done
}

# delegate HOME: a new group below this one, with us in it.
delegate() {
    mkdir "$1/$name" || cannot "no group below $1"
    made="$made $1"
    chown -R "$user" "$1/$name" || cannot "$1/$name stays ours"
    echo $$ >"$1/$name/cgroup.procs" || cannot "$1/$name takes nobody"
    # It has many processes, and others beside it are alone.
    echo 4096 2>/dev/null >"$1/$name/cpu.shares" || echo 400 2>/dev/null >"$1/$name/cpu.weight"
}

# Where a group has groups with controllers below it there are no processes in it (version 2): we
# are in one of them, and those of boxes are made beside it.
go_below() {
    mkdir "$1/commands" && chown -R "$user" "$1/commands" && echo $$ >"$1/commands/cgroup.procs" &&
        echo '+memory +pids +cpu' >"$1/cgroup.subtree_control" || cannot "no groups below $1"
}

# Version 2 has one hierarchy; version 1 one for each controller, and ours may be
# anywhere in it (or, seen from a container, at its top).
top=/sys/fs/cgroup
if [ -e $top/cgroup.controllers ]; then
    echo '+memory +pids +cpu' >$top/cgroup.subtree_control || cannot "no controllers below $top"
    delegate $top
    go_below $top/$name
else
    for controller in memory pids cpu cpuacct; do
        path=$(sed -n "s/^[0-9]*:\(.*,\)\{0,1\}$controller\(,[^:]*\)\{0,1\}://p" /proc/self/cgroup)
        home=$top/$controller$path
        [ -d "$home" ] || home=$top/$controller
        [ -d "$home/$name" ] || delegate "$home" # cpu and cpuacct may be one
    done
fi
trap clean_up EXIT
trap 'exit 130' INT TERM
"$@"
