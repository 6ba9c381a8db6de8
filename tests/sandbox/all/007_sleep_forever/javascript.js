// SPDX-License-Identifier: MIT
setTimeout(() => {}, 1e9);
