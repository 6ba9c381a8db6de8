#!/bin/sh
# SPDX-License-Identifier: MIT
# packages.sh SET… — names of Debian packages, one a line. For instance:
# apt-get install --no-install-recommends $(tools/packages.sh toolchains)
#
#   build        what building needs
#   toolchains   what the language files name
#   check        what ./check needs besides
set -eu

root=$(dirname "$0")/..

# virtiofsd is a package of its own from Debian 13 on.
check_packages() {
    cat <<'END'
bubblewrap
chromium
clang
clang-format
clang-tidy
curl
git
iproute2
libclang-rt-dev
libcmocka-dev
nginx-light
python3-yaml
qemu-system-x86
rabbitmq-server
redis-server
spin
xz-utils
END
    command -v npm >/dev/null || echo npm # that of another node comes with it
    [ -z "$(apt-cache madison virtiofsd 2>/dev/null)" ] || echo virtiofsd
}

build_packages() {
    cat <<'END'
gcc
libc6-dev
libcurl4-openssl-dev
libhiredis-dev
libinih-dev
libjansson-dev
libmicrohttpd-dev
librabbitmq-dev
libsqlite3-dev
libuv1-dev
libwslay-dev
linux-libc-dev
meson
nettle-dev
ninja-build
pkg-config
python3
END
}

[ $# -gt 0 ] || set -- nothing
for set in "$@"; do
    case $set in
    build) build_packages ;;
    check) check_packages ;;
    toolchains)
        sed -n 's/^packages[[:blank:]]*=[[:blank:]]*//p' "$root"/languages/*.lang |
            tr -s '[:blank:]' '\n' | sort -u
        ;;
    *)
        echo "usage: packages.sh build|check|toolchains..." >&2
        exit 64
        ;;
    esac
done
