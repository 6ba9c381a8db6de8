# SPDX-License-Identifier: MIT
# row: 42 write_rootfs
# expect: succeeded
# stdout: ^refused: 24$
# stderr: (Read-only file system|Permission denied)
# quick: yes
# layer: root, landlock, identity
refused=0
attempt() {
    if "$@"; then
        echo "ESCAPED $*"
    else
        refused=$((refused + 1))
    fi
}
create() { : > "$1"; }
for folder in / /usr /usr/bin /usr/lib /usr/local /bin /lib /etc /dev /proc; do
    attempt create "$folder/planted"
    attempt mkdir "$folder/planted.d"
done
attempt create /etc/passwd
attempt create /usr/bin/env
attempt rm -f /usr/bin/env
attempt mv /usr/bin/env /usr/bin/envoy
echo "refused: $refused"
