# Builds that several commands share. Each prints its step; cargo prints the progress.
# shellcheck shell=bash

# Builds both halves for production. Builds nothing if nothing has changed.
build_release() {
    build_xtask
    say "[2/3] browser half, about 6 min the first time"
    "$CARGO_TARGET_DIR/debug/xtask" site --release
    say "[3/3] server, about 9 min the first time"
    cargo build --release --package server
}

build_xtask() {
    say "[1/3] build tool, about 2 min the first time"
    cargo build --package xtask
}
