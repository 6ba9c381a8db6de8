# SPDX-License-Identifier: MIT
while :; do :; done
