# SPDX-License-Identifier: MIT
printf '[%s]\n' "$@"
