# Sourced by every script of this folder: where things are, and how a script speaks.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1

# One absolute target directory, whatever folder a later command runs in.
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR
mkdir -p "$CARGO_TARGET_DIR"

# The browser for the tests is Debian's; Playwright's own download is never wanted.
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1

# scripts/lib/toolchain.sh puts links to Debian's Rust here where no rustup can choose it.
toolchain_links=$CARGO_TARGET_DIR/toolchain/bin
# Call it again after set-up, which may have made them.
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

# How far we are: `part N of M` for each part, done or not; `step "what happens, about how long"` where there is work.
part() {
    part_number=$1
    part_count=$3
}
step() { say "[$part_number/$part_count] $*"; }

# Runs a command as root: directly, or by sudo, which asks for a password only where somebody can type one.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}
