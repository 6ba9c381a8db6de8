# SPDX-License-Identifier: MIT
# row: 53 caps_zero
# expect: succeeded
# stdout: ^CapInh:[^0-9]+0000000000000000$
# stdout: ^CapPrm:[^0-9]+0000000000000000$
# stdout: ^CapEff:[^0-9]+0000000000000000$
# stdout: ^CapBnd:[^0-9]+0000000000000000$
# stdout: ^CapAmb:[^0-9]+0000000000000000$
# stdout: ^NoNewPrivs:[^0-9]+1$
# stdout: ^Seccomp:[^0-9]+2$
# stdout: ^Seccomp_filters:[^0-9]+[1-9]
# stdout: ^Uid:[^0-9]+1000[^0-9]+1000[^0-9]+1000[^0-9]+1000$
# stdout: ^Gid:[^0-9]+1000[^0-9]+1000[^0-9]+1000[^0-9]+1000$
# layer: identity, seccomp, users
exec grep -E '^(Cap|NoNewPrivs|Seccomp|Uid|Gid|Groups)' /proc/self/status
