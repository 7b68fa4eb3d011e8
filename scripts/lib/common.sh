# Paths and output functions. All scripts of this folder source this file.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1

# An absolute path, because later commands run in other folders.
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR
mkdir -p "$CARGO_TARGET_DIR"

# The tests use Debian's browser, so Playwright must not download its own.
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1

# scripts/lib/toolchain.sh creates links to Debian's Rust here if rustup cannot select it.
toolchain_links=$CARGO_TARGET_DIR/toolchain/bin
# Call this again after the set-up, which may have created the links.
refresh_path() {
    if [ -d "$toolchain_links" ] && [[ $PATH != "$toolchain_links:"* ]]; then
        PATH=$toolchain_links:$PATH
    fi
    hash -r
}
refresh_path

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Progress of the set-up: `part N of M` for each part; `step "action, duration"` for a part that has work to do.
part() {
    part_number=$1
    part_count=$3
}
step() { say "[$part_number/$part_count] $*"; }

# Runs a command as root: directly or with sudo, which asks for a password only at a terminal.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}
