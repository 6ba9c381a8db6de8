# SPDX-License-Identifier: MIT
# row: 74 env_leak
# expect: succeeded
# stdout: ^PATH=
# stdout: ^others: none$
# never: (RUNNEL|CANARY|/root|SUDO|SSH)
# layer: supervisor
usual='^(PATH|HOME|LANG|LC_ALL|TMPDIR|TERM|USER|LOGNAME|SHELL|PWD|OLDPWD|SHLVL|_)='
seen=$(printenv; cat /proc/[0-9]*/environ 2> /dev/null | tr '\0' '\n')
echo "$seen"
echo "others: $(echo "$seen" | grep -Ev "$usual" || echo none)"
