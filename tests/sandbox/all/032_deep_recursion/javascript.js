// SPDX-License-Identifier: MIT
// stderr: RangeError
function deeper(depth) {
    return deeper(depth + 1) + 1;
}
console.log(deeper(0), "came back");
