# SPDX-License-Identifier: MIT
# row: 73 env_inject, malformed names
# expect: refused
# env: {arg}
# each: "=value" "NO_EQUALS" "A B=1" "" "A-B=1" "1A=1"
# layer: interface
tr '\0' '\n' < /proc/self/environ
