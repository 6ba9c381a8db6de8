// SPDX-License-Identifier: MIT
if (require("fs").readFileSync(0).length === 0)
    console.log("end of input");
