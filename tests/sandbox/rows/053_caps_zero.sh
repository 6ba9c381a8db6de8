# SPDX-License-Identifier: MIT
# row: 53 caps_zero
# expect: succeeded
# stdout: ^CapInh:\s+0000000000000000$
# stdout: ^CapPrm:\s+0000000000000000$
# stdout: ^CapEff:\s+0000000000000000$
# stdout: ^CapBnd:\s+0000000000000000$
# stdout: ^CapAmb:\s+0000000000000000$
# stdout: ^NoNewPrivs:\s+1$
# stdout: ^Seccomp:\s+2$
# stdout: ^Seccomp_filters:\s+[1-9]
# stdout: ^Uid:\s+1000\s+1000\s+1000\s+1000$
# stdout: ^Gid:\s+1000\s+1000\s+1000\s+1000$
# layer: identity, seccomp, users
exec grep -E '^(Cap|NoNewPrivs|Seccomp|Uid|Gid|Groups)' /proc/self/status
