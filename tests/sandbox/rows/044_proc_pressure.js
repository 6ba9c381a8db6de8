// SPDX-License-Identifier: MIT
// row: 44 proc_sys, where the runtime needs more of /proc: how busy the machine is
// expect: succeeded
// stdout: ^watched: none$
// stdout: ^read: none$
// layer: root
const fs = require("fs");

// Who writes there makes the kernel measure, for as long as the file is open. Of any user it takes
// windows of two seconds.
const FILES = ["cpu", "io", "memory"];

function attempt(action) {
    const done = [];
    for (const name of FILES) {
        try {
            action("/proc/pressure/" + name);
            done.push("ESCAPED " + name);
        } catch (error) {
            if (!["ENOENT", "EACCES", "EPERM", "EOPNOTSUPP"].includes(error.code))
                done.push("ESCAPED? " + name + " " + error.code);
        }
    }
    return done.length ? done.join(", ") : "none";
}

console.log("watched:", attempt((path) => {
    const file = fs.openSync(path, "r+");
    fs.writeSync(file, "some 150000 2000000\0");
}));
console.log("read:", attempt((path) => {
    fs.readFileSync(path);
}));
