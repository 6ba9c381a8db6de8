# SPDX-License-Identifier: MIT
loop {}
