# SPDX-License-Identifier: MIT
sleep 1e9
