# Finds and installs missing Debian packages.
# shellcheck shell=bash

# The programs of `local` sessions. The server also runs without them: a launch then reports the missing program.
run_packages=(
    tigervnc-standalone-server bubblewrap matchbox-window-manager wmctrl x11-utils
    pulseaudio
    xterm galculator mousepad
    xauth x11-xkb-utils xkb-data fonts-dejavu-core
    # Every script in use: 42 MB for all but Chinese, Japanese and Korean, 91 MB for these three, 11 MB for emoji.
    fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji
    locales tzdata
    # The printer of sessions, 21 MB.
    cups-daemon cups-client cups-filters
)
# The languages of sessions: at least one for each script. Applications are in English where none is the user's.
# 20 MB and about 40 s of one core. Debian's locales-all has all of them in 230 MB.
session_locales=(
    en_US en_GB de_DE fr_FR es_ES pl_PL tr_TR
    el_GR uk_UA ru_RU he_IL ar_EG hy_AM zh_CN zh_TW ja_JP ko_KR
)
test_packages=(pulseaudio-utils chromium chromium-driver faketime procps strace postgresql iproute2 nftables nginx-light)

# Prints the given packages that are not installed, one per line.
missing_packages() {
    local installed
    # dpkg-query fails if a package is unknown, but still lists the others.
    installed=$(dpkg-query --show --showformat '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    local package
    for package in "$@"; do
        grep -qx "$package installed" <<<"$installed" || printf '%s\n' "$package"
    done
}

# Installs the given packages without output. The caller reports a failure. The log has apt's messages.
apt_log=$CARGO_TARGET_DIR/setup-apt.log
apt_lists_are_fresh=no
install_packages() {
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
    command -v apt-get >/dev/null || return 1
    if [ $apt_lists_are_fresh = no ]; then
        # Old package lists may still work, so a failed update is not an error.
        as_root "${apt[@]}" update >"$apt_log" 2>&1 || true
        apt_lists_are_fresh=yes
    fi
    as_root "${apt[@]}" install --yes --no-install-recommends "$@" >>"$apt_log" 2>&1
}

# SQLite and ring need a C compiler.
ensure_c_compiler() {
    if command -v cc >/dev/null; then
        return
    fi
    step "C compiler: gcc and libc6-dev, about 30 s"
    install_packages gcc libc6-dev || die "a C compiler is needed to build SQLite: install gcc and libc6-dev"
}

# The server runs without these packages, so a missing one is only a warning.
# Stops Debian's package cups-daemon from starting a print server of this host. Sessions start their own.
disable_system_printing() {
    local unit
    [ -d /run/systemd/system ] || return 0
    for unit in cups.service cups.socket cups.path; do
        as_root systemctl mask "$unit" >>"$apt_log" 2>&1 || true
    done
}

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
    if [[ " ${missing[*]} " = *" cups-daemon "* ]]; then
        disable_system_printing
    fi
    if install_packages "${missing[@]}"; then
        return
    fi
    # One unknown package makes apt install none, so try each alone.
    for package in "${missing[@]}"; do
        install_packages "$package" || failed+=("$package")
    done
    warn "going on without ${failed[*]}: launches that need them end in Error and say so ($apt_log has the reason)"
}

# Generates the locales of sessions as `dpkg-reconfigure locales` does, so that an update of the C library keeps them.
ensure_locales() {
    local wanted=/etc/locale.gen missing=() name
    command -v locale-gen >/dev/null || return 0
    local installed
    installed=$(locale -a)
    for name in "${session_locales[@]}"; do
        grep -qx "$name.utf8" <<<"$installed" || missing+=("$name.UTF-8 UTF-8")
    done
    if [ ${#missing[@]} = 0 ]; then
        return
    fi
    step "languages of sessions, about $((${#missing[@]} * 5 / 2)) s: ${missing[*]%.UTF-8 UTF-8}"
    if printf '%s\n' "${missing[@]}" | as_root tee -a "$wanted" >/dev/null &&
        as_root locale-gen --keep-existing >>"$apt_log" 2>&1; then
        return
    fi
    warn "going on without them: sessions are in English ($apt_log has the reason)"
}

# Stops Debian's package postgresql from creating and starting a system-wide database. The tests start their own servers
# (scripts/postgres).
disable_system_database() {
    local settings=/etc/postgresql-common/createcluster.conf
    # The following installation reports any failure.
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
        disable_system_database
    fi
    install_packages "${missing[@]}" ||
        die "the tests can't run without ${missing[*]}, which apt-get could not install ($apt_log has the reason)"
}
