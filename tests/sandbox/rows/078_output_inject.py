# SPDX-License-Identifier: MIT
# row: 78 log_inject, as far as the command line prints what a program says
# expect: succeeded
# stdout-is: "{\"verdict\":\"succeeded\"}\n\u001b[2J\u001b]0;title\u0007${jndi:ldap://x}\r\u2028\u202e\u0000end\n"
# layer: interface
import sys

sys.stdout.reconfigure(newline="\n")
sys.stdout.write('{"verdict":"succeeded"}\n\x1b[2J\x1b]0;title\x07${jndi:ldap://x}\r\u2028\u202e\x00end\n')
