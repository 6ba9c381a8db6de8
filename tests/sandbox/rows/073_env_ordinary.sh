# SPDX-License-Identifier: MIT
# row: 73 env_inject: what is allowed arrives as it was sent
# expect: succeeded
# env: GREETING=hello $(id) "quoted" ünï=code
# env: EMPTY=
# stdout: ^GREETING=hello \$\(id\) "quoted" ünï=code$
# stdout: ^EMPTY=$
# quick: yes
# layer: interface
tr '\0' '\n' < /proc/$$/environ
