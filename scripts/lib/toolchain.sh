# Provides a Rust toolchain that is new enough and has the target wasm32-unknown-unknown. Tries in this order: the installed
# toolchain, adding the target with rustup, and Debian's toolchain with a standard library that is built from source.
# shellcheck shell=bash

wasm=wasm32-unknown-unknown
debian_toolchain_name=debian-web
# All from Debian, because rust-web-src must have exactly the version of rustc-web.
debian_toolchain=(rustc-web cargo-web rust-web-src rust-web-llvm rust-web-clippy rustfmt-web)

# Whether the given rustc can build and link a library for the browser. The list of installed targets is not enough: it
# includes targets of other compiler versions, which do not work.
builds_for_browser() {
    local rustc=$1 scratch=$CARGO_TARGET_DIR/wasm-probe
    mkdir -p "$scratch"
    "$rustc" --target $wasm --edition 2024 --crate-type cdylib --crate-name probe --out-dir "$scratch" - \
        >/dev/null 2>&1 <<<'pub fn probe() -> String { String::new() }'
}

# Whether cargo's rustc in this folder has at least the rust-version of Cargo.toml.
is_new_enough() {
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    found=$(rustc --version 2>/dev/null | cut -d' ' -f2)
    [ -n "$found" ] && printf '%s\n%s\n' "$wanted" "$found" | sort --version-sort --check=quiet
}

toolchain_works() {
    command -v cargo >/dev/null && is_new_enough && builds_for_browser rustc
}

ensure_toolchain() {
    if toolchain_works; then
        return
    fi
    step "Rust for the browser (target $wasm), from rustup or Debian, up to 3 min"
    if command -v rustup >/dev/null && is_new_enough &&
        rustup target add $wasm >"$CARGO_TARGET_DIR/setup-rustup.log" 2>&1 && toolchain_works; then
        return
    fi
    say "      rustup could not add it; installing Debian's toolchain"
    install_debian_toolchain
    choose_debian_toolchain
    toolchain_works || die "Debian's Rust is installed, but \`rustc --target $wasm\` does not work in $root"
}

install_debian_toolchain() {
    command -v dpkg-query >/dev/null ||
        die "no Rust with the target $wasm: run \`rustup target add $wasm\` with access to the network"
    local missing=() linker
    mapfile -t missing < <(missing_packages "${debian_toolchain[@]}")
    if [ ${#missing[@]} != 0 ]; then
        say "      installing ${missing[*]}, about 60 s"
        install_packages "${missing[@]}" ||
            die "no Rust with the target $wasm: neither rustup nor apt-get could install it ($apt_log has the reason)"
    fi
    # Debian's rust-lld is a link to a version of lld, but its package does not depend on that version.
    linker=$(basename "$(readlink /usr/bin/rust-lld)")
    if [ ! -x "/usr/bin/$linker" ]; then
        install_packages "$linker" || die "the linker for the browser half is missing: install $linker"
    fi
    builds_for_browser /usr/bin/rustc || build_standard_library
}

# Debian has only the source of the standard library for this target. This builds the library once and installs it in
# rustc's sysroot, so that no other command needs a nightly flag.
build_standard_library() {
    local crate=$CARGO_TARGET_DIR/wasm-std into
    say "      building the standard library for $wasm, about 70 s"
    rm -rf "$crate"
    mkdir -p "$crate/src"
    : >"$crate/src/lib.rs"
    printf '[package]\nname = "empty"\nedition = "2024"\n[workspace]\n' >"$crate/Cargo.toml"
    (
        cd "$crate"
        unset RUSTUP_TOOLCHAIN RUSTFLAGS CARGO_ENCODED_RUSTFLAGS RUSTC_WRAPPER
        RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$crate/target /usr/bin/cargo build --release \
            -Z build-std=std,panic_abort,panic_unwind,proc_macro --target $wasm
    ) || die "the standard library for $wasm could not be built"
    into=$(/usr/bin/rustc --print sysroot)/lib/rustlib/$wasm/lib
    rm -f "$crate/target/$wasm/release/deps/"libempty-*
    as_root rm -rf "$into" && as_root mkdir -p "$into" &&
        as_root cp "$crate/target/$wasm/release/deps/"*.rlib "$into/" ||
        die "the standard library for $wasm could not be copied to $into"
    rm -rf "$crate"
}

# Selects Debian's cargo for this folder, if possible with rustup, so that it also applies to commands by hand.
choose_debian_toolchain() {
    if command -v rustup >/dev/null &&
        rustup toolchain link $debian_toolchain_name /usr &&
        rustup override set $debian_toolchain_name --path "$root" && toolchain_works; then
        return
    fi
    # There is no rustup, or RUSTUP_TOOLCHAIN overrides it. The scripts put these links first on their PATH.
    mkdir -p "$toolchain_links"
    local program
    for program in cargo rustc rustdoc rustfmt cargo-fmt cargo-clippy clippy-driver; do
        ln -sf "/usr/bin/$program" "$toolchain_links/$program"
    done
    refresh_path
}
