# Debian packages: which of them are missing, and how to install those.
# shellcheck shell=bash

# Everything a session of the `local` environment needs. The product runs without: it says which program is missing.
run_packages=(
    tigervnc-standalone-server bubblewrap matchbox-window-manager
    xterm galculator mousepad
    xauth x11-xkb-utils xkb-data fonts-dejavu-core
)
test_packages=(chromium chromium-driver faketime procps strace postgresql iproute2 nftables nginx-light)

# Prints those of the given packages that are not installed, one a line.
missing_packages() {
    local installed
    # Fails when one of them is unknown, and lists the others all the same.
    installed=$(dpkg-query --show --showformat '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    local package
    for package in "$@"; do
        grep -qx "$package installed" <<<"$installed" || printf '%s\n' "$package"
    done
}

# Installs the given packages, quietly. Says nothing of a failure: the caller knows what it means. Apt's words are kept.
apt_log=$CARGO_TARGET_DIR/setup-apt.log
apt_lists_are_fresh=no
install_packages() {
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
    command -v apt-get >/dev/null || return 1
    if [ $apt_lists_are_fresh = no ]; then
        # Lists that can't be refreshed may still be good enough to install from.
        as_root "${apt[@]}" update >"$apt_log" 2>&1 || true
        apt_lists_are_fresh=yes
    fi
    as_root "${apt[@]}" install --yes --no-install-recommends "$@" >>"$apt_log" 2>&1
}

# The C compiler that SQLite and ring are built with.
ensure_c_compiler() {
    if command -v cc >/dev/null; then
        return
    fi
    step "C compiler: gcc and libc6-dev, about 30 s"
    install_packages gcc libc6-dev || die "a C compiler is needed to build SQLite: install gcc and libc6-dev"
}

# The product runs without these, so whatever can't be had is a warning.
ensure_run_packages() {
    local missing=() failed=() package
    if ! command -v dpkg-query >/dev/null; then
        warn "this is not Debian: sessions on this machine need the programs of ${run_packages[*]}"
        return
    fi
    mapfile -t missing < <(missing_packages "${run_packages[@]}")
    if [ ${#missing[@]} = 0 ]; then
        return
    fi
    step "programs for sessions on this machine, about 60 s: ${missing[*]}"
    if install_packages "${missing[@]}"; then
        return
    fi
    # One that is unknown keeps apt from installing the others.
    for package in "${missing[@]}"; do
        install_packages "$package" || failed+=("$package")
    done
    warn "going on without ${failed[*]}: launches that need them end in Error and say so ($apt_log has the reason)"
}

# Debian's package postgresql makes a database of the system and starts its server, unless this file says no before. The tests
# start their own (scripts/postgres).
no_database_of_the_system() {
    local settings=/etc/postgresql-common/createcluster.conf
    # Whatever goes wrong here is told by the installation that follows.
    install_packages postgresql-common || return 0
    as_root sed -i -E 's/^#? *create_main_cluster *=.*/create_main_cluster = false/' "$settings" || true
}

ensure_test_packages() {
    local missing=()
    command -v dpkg-query >/dev/null || die "the browser tests need Debian's packages ${test_packages[*]}"
    mapfile -t missing < <(missing_packages "${test_packages[@]}")
    if [ ${#missing[@]} = 0 ]; then
        return
    fi
    step "programs for the tests, about 90 s: ${missing[*]}"
    if [[ " ${missing[*]} " = *" postgresql "* ]]; then
        no_database_of_the_system
    fi
    install_packages "${missing[@]}" ||
        die "the tests can't run without ${missing[*]}, which apt-get could not install ($apt_log has the reason)"
}
