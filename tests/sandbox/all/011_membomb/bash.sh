# SPDX-License-Identifier: MIT
text=xxxxxxxxxxxxxxxx
while :; do
    text=$text$text
done
