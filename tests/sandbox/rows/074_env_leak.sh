# SPDX-License-Identifier: MIT
# row: 74 env_leak
# expect: succeeded
# stdout: \A((PATH|HOME|LANG|LC_ALL|TMPDIR|TERM|USER|LOGNAME|SHELL|PWD|OLDPWD|SHLVL|_)=[^\n]*\n)+\Z
# never: (RUNNEL|CANARY|/root|SUDO|SSH)
# layer: supervisor
printenv
cat /proc/[0-9]*/environ 2> /dev/null | tr '\0' '\n'
