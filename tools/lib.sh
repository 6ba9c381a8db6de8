# SPDX-License-Identifier: MIT
# lib.sh — what ./run and ./check share. Sourced, with the tree's top as the
# working directory; nothing here asks, and what fails ends in one line.

say() {
    printf '%s: %s\n' "${0##*/}" "$*"
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# as_owner COMMAND…: files made below the tree belong to whom the tree belongs
# to, so that `sudo ./run` does not lock its user out of build/ afterwards. When
# that user cannot work here (a copied tree), root does.
as_owner() {
    owner=$(stat -c '%u %g' .)
    uid=${owner% *} gid=${owner#* }
    if [ "$(id -u)" = 0 ] && [ "$uid" != 0 ] &&
        setpriv --reuid "$uid" --regid "$gid" --clear-groups test -w . 2>/dev/null; then
        setpriv --reuid "$uid" --regid "$gid" --clear-groups "$@"
    else
        "$@"
    fi
}

# as_root COMMAND…: 1 without a word when we cannot become root.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        return 1
    fi
}

# missing_packages NAME…: those that are not installed.
missing_packages() {
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
        sed -n 's/^installed //p')
    for package in "$@"; do
        printf '%s\n' "$installed" | grep -qxF -- "$package" || printf '%s ' "$package"
    done
}

# install_packages NAME…: asks apt only when something is missing.
install_packages() {
    command -v dpkg-query >/dev/null ||
        die "this is not Debian: install what tools/packages.sh names, then: meson setup build && ninja -C build"
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    by_hand="apt-get install --no-install-recommends $missing"
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        die "packages are missing and only root may install them: $by_hand"
    say "installing $missing"
    log=$(mktemp)
    apt_get update >"$log" 2>&1 && apt_get install $missing >>"$log" 2>&1 || {
        tail -n 15 "$log" >&2
        rm -f "$log"
        die "apt could not install what is missing; by hand: $by_hand"
    }
    rm -f "$log"
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a \
        apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=600 "$@"
}

# page_is_built: true when nothing of web/ is newer than the bundled page.
page_is_built() {
    [ -e build/web/index.html ] &&
        [ -z "$(find web -path web/node_modules -prune -o -type f -newer build/web/index.html -print)" ]
}

# page_packages: what of node is missing. Any from 18 on will do.
page_packages() {
    command -v node >/dev/null || echo nodejs
    command -v npm >/dev/null || echo npm
}

# build_page: bundles it into build/web, where the program's build looks for it.
build_page() {
    install_packages $(page_packages)
    as_owner web/build
}

# build FOLDER [OPTION OF meson setup…]: configured once (and again when the tree
# has moved), then brought up to date.
build() {
    folder=$1
    shift
    place=$folder
    [ -e "$place" ] || place=$PWD
    if [ ! -w "$place" ]; then # another user's; good enough when it is up to date
        ninja -n -C "$folder" 2>/dev/null | grep -q 'no work to do' ||
            die "cannot build here: $place belongs to $(stat -c %U "$place")"
        return 0
    fi
    if ! grep -qsF " $PWD $PWD/$folder" "$folder/build.ninja"; then
        rm -rf "$folder"
        said=$(as_owner meson setup "$folder" "$@" 2>&1) || {
            printf '%s\n' "$said"
            return 1
        }
    fi
    if [ -t 1 ]; then
        as_owner ninja -C "$folder" # somebody watches
    else
        said=$(as_owner ninja --quiet -C "$folder" 2>&1) || {
            printf '%s\n' "$said"
            return 1
        }
    fi
}
