#!/bin/sh
# SPDX-License-Identifier: MIT
# For maintainers: does ./run work on a Debian 12 on which nothing is installed?
#
#   try_bare_tree.sh [--check] [FOLDER]
#
# Makes a bare Debian tree (with git, nothing else) in FOLDER, or takes the one that
# is there; over it lies a layer that takes all changes, with a clone of the branch
# that is checked out here. Enters that with namespaces of its own (the host's network
# and kernel stay), and there: ./run, a program sent to it, stopped, ./run once more;
# with --check ./check too. FOLDER is kept. Needs root and mmdebstrap; takes the host's
# apt configuration, name servers and certificates along.
set -eu

say() {
    echo "== $*"
}

# Inside the new tree, as the first process of its pid namespace.
inside() {
    port=$1 check=$2 trial=/mnt
    cd /root/runnel
    for time in first second; do
        rm -f $trial/stop $trial/ended
        say "./run, the $time time"
        ./run --listen="127.0.0.1:$port" &
        while [ ! -e $trial/stop ] && kill -0 $!; do sleep 0.1; done
        kill $! 2>/dev/null || :
        status=0
        wait $! || status=$?
        say "./run ended with $status"
        echo $status >$trial/ended
        [ $status = 0 ] || exit $status
        while [ -e $trial/stop ]; do sleep 0.1; done
    done
    [ -z "$check" ] || ./check
}

if [ "${1-}" = --inside ]; then
    shift
    inside "$@"
    exit
fi

check='' folder='' temporary=''
for word in "$@"; do
    case $word in
    --check) check=yes ;;
    -*) echo "usage: try_bare_tree.sh [--check] [FOLDER]" >&2 && exit 64 ;;
    *) folder=$word ;;
    esac
done
[ "$(id -u)" = 0 ] || { echo "try_bare_tree.sh: needs root" >&2 && exit 1; }
command -v mmdebstrap >/dev/null || { echo "try_bare_tree.sh: needs mmdebstrap" >&2 && exit 1; }
top=$(cd "$(dirname "$0")/.." && pwd)
[ -n "$folder" ] || { temporary=$(mktemp -d) && folder=$temporary; }
tree=$folder/tree changes=$folder/changes trial=$folder/trial
pid=''

finish() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || :
    [ -z "$temporary" ] || rm -rf --one-file-system "$temporary"
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
rm -rf --one-file-system "$changes" "$trial"
mkdir -p "$changes/upper/root" "$changes/work" "$changes/root" "$trial"
git clone --quiet "file://$top" "$changes/upper/root/runnel"
cp "$0" "$trial/try.sh"

# A root of its own, not a mere chroot: in one, no user namespace can be made.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
tree=$tree changes=$changes trial=$trial unshare --mount --pid --fork --kill-child --uts --ipc sh -euc '
    hostname bare
    mount -t overlay -o "lowerdir=$tree,upperdir=$changes/upper,workdir=$changes/work" \
        overlay "$changes/root"
    cd "$changes/root"
    mount --bind "$trial" mnt
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
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root /bin/sh /mnt/try.sh --inside "$@"
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

# The bundled one, not the one that says how to get it.
page_is_there() {
    python3 - "$port" <<'END'
import sys, urllib.request
page = urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/", timeout=60).read()
sys.exit(0 if b"\"assets/" in page else 1)
END
}

for time in first second; do
    began=$(date +%s)
    until ask bash 'echo "hello from $(hostname)"' 2>/dev/null; do
        [ ! -e "$trial/ended" ] && kill -0 $pid 2>/dev/null || { wait $pid; exit 1; }
        sleep 0.5
    done
    say "the $time ./run answered after $(($(date +%s) - began)) s"
    ask python 'print(sum(range(10)))'
    ask c 'int puts(const char *); int main(void) { puts("C"); }'
    until page_is_there; do
        [ ! -e "$trial/ended" ] && [ $(($(date +%s) - began)) -lt 900 ] || exit 1
        sleep 1
    done
    say "the page was there after $(($(date +%s) - began)) s"
    touch "$trial/stop"
    while [ ! -e "$trial/ended" ]; do sleep 0.1; done
    rm -f "$trial/ended" "$trial/stop"
done
wait $pid || { status=$?; pid=''; exit $status; }
pid=''
