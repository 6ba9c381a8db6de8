# SPDX-License-Identifier: MIT
# row: 83 hostpaths, those of mounts and of what is mapped
# expect: succeeded
# stdout: ^unexpected mounts: none$
# stdout: ^unexpected files mapped: none$
# never: (runnel-test-|/home|/root|/var/|/build)
# layer: root
# Mount points, and which folder of their file system each shows.
places='/|/usr|/bin|/sbin|/lib|/lib32|/lib64|/libx32|/work|/tmp|/dev/[a-z]+|/proc(/.*)?'
seen=$(awk '{ print $5, $4 }' /proc/self/mountinfo |
    grep -vE '^/usr .*/usr$' | # a host that is itself a tree in a folder
    grep -vE "^($places) (/|/usr|/bin|/sbin|/lib[a-z0-9]*|/null|/zero|/full|/random|/urandom|/tty|/dev/(null|empty)|/empty|/sys)$")
echo "unexpected mounts: ${seen:-none}"
seen=$(awk '$6 ~ /^\// { print $6 }' /proc/self/maps | sort -u | grep -vE '^/usr/')
echo "unexpected files mapped: ${seen:-none}"
# That the folders of an overlay below /usr show is known (docs/SECURITY.md).
sed 's/[a-z]*dir+*=[^, ]*/(folders of an overlay)/g' /proc/self/mountinfo /proc/self/mounts
