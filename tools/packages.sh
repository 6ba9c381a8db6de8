#!/bin/sh
# SPDX-License-Identifier: MIT
# packages.sh toolchains — the Debian packages that the language files name, one a
# line. For instance: apt-get install $(tools/packages.sh toolchains)
set -eu

root=$(dirname "$0")/..

case ${1-} in
toolchains)
    sed -n 's/^packages[[:blank:]]*=[[:blank:]]*//p' "$root"/languages/*.lang |
        tr -s '[:blank:]' '\n' | sort -u
    ;;
*)
    echo "usage: packages.sh toolchains" >&2
    exit 64
    ;;
esac
