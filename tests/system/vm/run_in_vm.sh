#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command in a virtual machine with Debian's own kernel, where cgroups
# are version 2, and passes on its output and exit status.
#
#   run_in_vm.sh COMMAND [ARGUMENT…]
#
# The machine sees this host's whole tree read-only under the same paths, with a
# /tmp and /run of its own; it starts in the present directory, as root, without
# a network but loopback. No acceleration is needed: it boots in some seconds.
# Needs qemu-system-x86 (with virtiofsd), gcc, python3, and once a download of
# the kernel's package (linux-image-cloud-amd64), which is unpacked, never
# installed. Exit status 77: something of this is missing; 124: it took too long.
#
#   VM_CACHE   where kernel and init are kept   (~/.cache/runnel-vm)
#   VM_KERNEL  package of another kernel: linux-image-6.12.…-cloud-amd64-unsigned
#   VM_TIMEOUT seconds                          (300)
#   VM_MEMORY  MiB                              (1024)
#   VM_CPUS                                     (2)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/runnel-vm}
virtiofsd=/usr/lib/qemu/virtiofsd
[ -x /usr/libexec/virtiofsd ] && virtiofsd=/usr/libexec/virtiofsd
modules='virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci fuse virtiofs overlay'

skip() {
    echo "run_in_vm: $*" >&2
    exit 77
}

[ $# -gt 0 ] || { echo "usage: run_in_vm.sh COMMAND [ARGUMENT...]" >&2; exit 64; }
[ "$(id -u)" = 0 ] || skip "needs root, for virtiofsd to show every file"
for tool in qemu-system-x86_64 gcc python3 dpkg-deb "$virtiofsd"; do
    command -v "$tool" >/dev/null || skip "$tool is not installed"
done

# Debian's kernel, once, also where several machines start.
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
kernel=$cache/${VM_KERNEL:-kernel}
if [ ! -d "$kernel" ]; then
    image=${VM_KERNEL:-$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
        sed -n 's/.*Depends: \(linux-image-[^ ]*\)/\1/p' | head -n 1)}
    [ -n "$image" ] || skip "apt knows no linux-image-cloud-amd64"
    mkdir -p "$cache/download"
    (cd "$cache/download" && apt-get -qq -o APT::Sandbox::User=root download "$image" >&2) ||
        skip "cannot download $image"
    rm -rf "$kernel.new"
    dpkg-deb -x "$cache/download/$image"_*.deb "$kernel.new"
    mv "$kernel.new" "$kernel"
    rm -rf "$cache/download"
fi
# By what it is made of: another checkout, of another day, may keep its own beside.
init=$cache/init-$(sha256sum <"$here/init.c" | cut -c1-16)
if ! [ -e "$init" ]; then
    gcc -O2 -Wall -Wextra -D_GNU_SOURCE -static -o "$init.$$" "$here/init.c"
    mv "$init.$$" "$init"
fi
exec 9>&-

work=$(mktemp -d)
daemon=
finish() {
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || :
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

printf '%s\0' "$PWD" "$@" >"$work/command"
set -- "init=$init" "command=$work/command" "modules/order=$work/order"
: >"$work/order"
for module in $modules; do
    file=$(find "$kernel/lib/modules" -name "$module.ko" -o -name "$module.ko.xz")
    [ -n "$file" ] || continue # built in
    case $file in
    *.xz) xz -dc "$file" >"$work/$module.ko" ;;
    *) cp "$file" "$work/$module.ko" ;;
    esac
    echo "$module" >>"$work/order"
    set -- "$@" "modules/$module.ko=$work/$module.ko"
done
python3 "$here/make_initramfs.py" "$work/initramfs" "$@"

# The machine's own read-only mount holds as long as its kernel does. Some tests let
# attacks have that kernel, so the daemon itself sees nothing that could be written
# but the folder of its socket, and a /run of its own, where it wants a lock.
unshare --mount --propagation private sh -c '
    mount --bind "$0" "$0" && mount -t tmpfs -o size=1m run /run || exit
    sed "s/^[^ ]* [^ ]* [^ ]* [^ ]* \([^ ]*\) .*/\1/" /proc/self/mountinfo |
        while read -r place; do
            place=$(printf %b "$place")
            [ "$place" = "$0" ] || [ "$place" = /run ] || mount -o remount,bind,ro "$place" 2>/dev/null
        done
    ! touch "$1/.written" 2>/dev/null || { rm "$1/.written"; echo "the tree can be written"; exit 1; }
    shift && exec "$@"' "$work" "$here" \
    "$virtiofsd" --socket-path="$work/fs" -o source=/ -o cache=always -o sandbox=chroot \
    >"$work/virtiofsd.log" 2>&1 &
daemon=$!
tries=0
while [ ! -S "$work/fs" ]; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ] || ! kill -0 "$daemon" 2>/dev/null; then
        cat "$work/virtiofsd.log" >&2
        skip "virtiofsd did not start"
    fi
    sleep 0.05
done

memory=${VM_MEMORY:-1024}
# Three serial lines: the command's output, its exit status, the kernel's messages.
timeout --foreground "${VM_TIMEOUT:-300}" qemu-system-x86_64 \
    -accel tcg,thread=multi -cpu max -smp "${VM_CPUS:-2}" -m "$memory" -no-reboot -nodefaults \
    -display none -vga none -monitor none \
    -object memory-backend-memfd,id=memory,size="${memory}M",share=on -numa node,memdev=memory \
    -chardev socket,id=fs,path="$work/fs" -device vhost-user-fs-pci,chardev=fs,tag=host \
    -serial stdio -serial "file:$work/status" -serial "file:$work/kernel.log" \
    -kernel "$(echo "$kernel"/boot/vmlinuz-*)" -initrd "$work/initramfs" \
    -append 'console=ttyS2 mitigations=off panic=-1 rdinit=/init' </dev/null || {
    status=$?
    echo "run_in_vm: qemu ended with $status" >&2
    exit "$status"
}
status=$(head -n 1 "$work/status")
if [ -z "$status" ]; then
    tail -n 30 "$work/kernel.log" >&2
    echo "run_in_vm: the machine died before the command did" >&2
    exit 125
fi
exit "$status"
