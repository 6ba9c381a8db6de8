#!/bin/sh
# SPDX-License-Identifier: MIT
# For maintainers: does ./run work on a Debian 12 on which nothing is installed?
#
#   try_bare_tree.sh [--check] [--keep] [FOLDER]
#
# Makes a bare Debian tree (with git, nothing else) in FOLDER, clones the branch that
# is checked out here into it, enters it with namespaces of its own (the host's
# network and kernel stay), and there: ./run, a program sent to it, stopped, ./run
# once more; with --check ./check too. Needs root and mmdebstrap; takes the host's
# apt configuration, name servers and certificates along.
set -eu

say() {
    echo "== $*"
}

# Inside the new tree, as the first process of its pid namespace.
inside() {
    port=$1 check=$2
    cd /root/runnel
    for time in first second; do
        rm -f /stop /ended
        say "./run, the $time time"
        ./run --listen="127.0.0.1:$port" &
        while [ ! -e /stop ] && kill -0 $!; do sleep 0.1; done
        kill $! 2>/dev/null || :
        status=0
        wait $! || status=$?
        say "./run ended with $status"
        echo $status >/ended
        [ $status = 0 ] || exit $status
        while [ -e /stop ]; do sleep 0.1; done
    done
    [ -z "$check" ] || ./check
}

if [ "${1-}" = --inside ]; then
    shift
    inside "$@"
    exit
fi

check='' keep='' tree=''
for word in "$@"; do
    case $word in
    --check) check=yes ;;
    --keep) keep=yes ;;
    -*) echo "usage: try_bare_tree.sh [--check] [--keep] [FOLDER]" >&2 && exit 64 ;;
    *) tree=$word ;;
    esac
done
[ "$(id -u)" = 0 ] || { echo "try_bare_tree.sh: needs root" >&2 && exit 1; }
command -v mmdebstrap >/dev/null || { echo "try_bare_tree.sh: needs mmdebstrap" >&2 && exit 1; }
top=$(cd "$(dirname "$0")/.." && pwd)
tree=${tree:-$(mktemp -d)/tree}
pid=''

finish() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || :
    [ -n "$keep" ] || rm -rf --one-file-system "$tree"
}
trap finish EXIT
trap 'exit 130' INT TERM

if [ ! -e "$tree/etc/debian_version" ]; then
    say "a bare Debian in $tree"
    mkdir -p "$tree"
    sources=$(find /etc/apt -name '*.list' -o -name '*.sources')
    mmdebstrap --quiet --variant=minbase --include=git,ca-certificates bookworm "$tree" $sources
    # Options, but no hooks: those are for programs that are not there.
    grep -L 'Invoke\|Install-Pkgs' /etc/apt/apt.conf.d/* | xargs -r cp -t "$tree/etc/apt/apt.conf.d"
    cp /etc/ssl/certs/ca-certificates.crt "$tree/etc/ssl/certs"
    cp -L /etc/resolv.conf /etc/hosts "$tree/etc"
fi
rm -rf "$tree/root/runnel"
git clone --quiet "file://$top" "$tree/root/runnel"
cp "$0" "$tree/try.sh"

# A root of its own, not a mere chroot: in one, no user namespace can be made.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
tree=$tree unshare --mount --pid --fork --kill-child --uts --ipc sh -euc '
    hostname bare
    mount --bind "$tree" "$tree"
    cd "$tree"
    mount -t proc proc proc
    mount --rbind /sys sys
    mount -t tmpfs -o mode=1777 tmpfs tmp
    mount -t tmpfs -o mode=755 tmpfs dev
    mkdir -p dev/pts dev/shm .host
    mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
    mount -t tmpfs -o mode=1777 tmpfs dev/shm
    for node in null zero full random urandom tty; do
        : >dev/$node
        mount --bind /dev/$node dev/$node
    done
    ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd
    pivot_root . .host
    umount -l /.host
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root /bin/sh /try.sh --inside "$@"
' sh "$port" "$check" </dev/null &
pid=$!

ask() {
    python3 - "$port" "$1" "$2" <<'END'
import json, sys, urllib.request
port, language, code = sys.argv[1:]
body = json.dumps({"language": language, "code": code}).encode()
request = urllib.request.Request(f"http://127.0.0.1:{port}/execute", body,
                                 {"content-type": "application/json"})
print(f"/execute {language}:", json.load(urllib.request.urlopen(request, timeout=60)))
END
}

for time in first second; do
    began=$(date +%s)
    until ask bash 'echo "hello from $(hostname)"' 2>/dev/null; do
        [ ! -e "$tree/ended" ] && kill -0 $pid 2>/dev/null || { wait $pid; exit 1; }
        sleep 0.5
    done
    say "the $time ./run answered after $(($(date +%s) - began)) s"
    ask python 'print(sum(range(10)))'
    ask c 'int puts(const char *); int main(void) { puts("C"); }'
    touch "$tree/stop"
    while [ ! -e "$tree/ended" ]; do sleep 0.1; done
    rm -f "$tree/ended" "$tree/stop"
done
wait $pid || { status=$?; pid=''; exit $status; }
pid=''
