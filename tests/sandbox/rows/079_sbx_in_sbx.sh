# SPDX-License-Identifier: MIT
# row: 79 sbx_in_sbx
# expect: succeeded
# stdout: ^unshare: refused$
# stdout: ^done$
# layer: seccomp
attempt() {
    command -v "$1" > /dev/null || return
    "$@" < /dev/null > /dev/null 2>&1 && echo "ESCAPED $*" || echo "$1: refused"
}
attempt unshare -Ur true
attempt unshare -n true
attempt bwrap --ro-bind /usr /usr --unshare-all true
attempt docker ps
attempt podman ps
attempt chroot / true
attempt systemd-run --user true
attempt mount -t tmpfs none /tmp
echo done
