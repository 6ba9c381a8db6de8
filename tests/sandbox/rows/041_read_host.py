# SPDX-License-Identifier: MIT
# row: 41 read_host
# expect: succeeded
# args: ["{CANARIES}"]
# stdout: ^tried: [0-9][0-9]
# never: root:[*!$]
# layer: root, landlock
import errno
import os
import sys

PATHS = [
    "/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/ssh", "/etc/ssl/private", "/etc/machine-id",
    "/root", "/root/.ssh", "/home", "/var", "/var/log", "/var/lib", "/run", "/sys", "/boot", "/mnt",
    "/media", "/srv", "/lost+found", "/initrd.img", "/proc/1/root", "/proc/1/cwd", "/proc/1/environ",
    "/proc/1/maps", "/proc/1/fd", "/proc/1/mem", "/proc/2/root/../../root", "/proc/kcore",
    "/proc/config.gz", "/proc/kmsg", "/../../root", "/work/../../../root",
]
tried = 0
for path in PATHS + sys.argv[1:]:
    tried += 1
    try:
        if os.path.isdir(path):
            seen = os.listdir(path)
        else:
            with open(path, "rb") as file:
                seen = file.read(100)
        print("ESCAPED", path, seen)
    except OSError as error:
        name = errno.errorcode[error.errno]
        print("ESCAPED?" if name not in ("ENOENT", "EACCES", "EPERM") else "refused", path, name)
print("tried:", tried)
