// SPDX-License-Identifier: MIT
// stdout: ^begun$
require("fs").writeSync(1, "begun\n");
const hoard = [];
while (hoard.length < 1 << 14)
    hoard.push(Buffer.alloc(1 << 20, 1));
console.log("ran out of ideas");
