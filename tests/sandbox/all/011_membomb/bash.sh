# SPDX-License-Identifier: MIT
# stdout: ^begun$
echo begun
text=xxxxxxxxxxxxxxxx
while :; do
    text=$text$text
done
