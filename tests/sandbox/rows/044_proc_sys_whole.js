// SPDX-License-Identifier: MIT
// row: 44 proc_sys, where the runtime needs more of /proc than its own processes
// expect: succeeded
// stdout: ^written: none$
// stdout: ^read: none$
// layer: root
const fs = require("fs");

const WRITE = [
    "sys/kernel/core_pattern", "sys/kernel/modprobe", "sys/kernel/hostname", "sys/kernel/ns_last_pid",
    "sys/kernel/sysrq", "sysrq-trigger", "sys/vm/drop_caches", "sys/vm/overcommit_memory",
    "sys/net/ipv4/ip_forward", "sys/fs/binfmt_misc/register", "sys/user/max_user_namespaces",
    "irq/0/smp_affinity", "irq/default_smp_affinity", "self/uid_map", "mtrr", "acpi/wakeup",
    "scsi/scsi", "fs/nfsd/threads",
];
const READ = ["kcore", "kmsg", "keys", "key-users", "timer_list", "sched_debug", "config.gz",
    "modules", "diskstats", "partitions", "cmdline", "1/environ", "1/root", "1/maps"];

function attempt(paths, action) {
    const done = [];
    for (const path of paths) {
        try {
            if (action("/proc/" + path))
                done.push("ESCAPED " + path);
        } catch (error) {
            if (!["ENOENT", "EACCES", "EROFS", "EPERM", "EIO"].includes(error.code))
                done.push("ESCAPED? " + path + " " + error.code);
        }
    }
    return done.length ? done.join(", ") : "none";
}

// A write that a masked file swallows is no write: /dev/null stands in its place.
function isMask(path) {
    const seen = fs.statSync(path);
    return seen.isCharacterDevice() && seen.rdev === 0x103;
}

console.log("written:", attempt(WRITE, (path) => {
    if (isMask(path))
        return false;
    const file = fs.openSync(path, "w");
    fs.writeSync(file, "1");
    return true;
}));
console.log("read:", attempt(READ, (path) => {
    const file = fs.openSync(path, "r");
    return fs.readSync(file, Buffer.alloc(100), 0, 100, null) > 0;
}));
