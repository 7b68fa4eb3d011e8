# Rust for the browser: a toolchain that is new enough and has the target wasm32-unknown-unknown.
# Three tries: it is there; rustup adds the target; Debian's toolchain with a standard library built from its source.
# shellcheck shell=bash

wasm=wasm32-unknown-unknown
debian_toolchain_name=debian-web
# The source in rust-web-src must be of the very version of rustc-web, hence all from one place.
debian_toolchain=(rustc-web cargo-web rust-web-src rust-web-llvm rust-web-clippy rustfmt-web)

# The rustc given can build and link a library for the browser. Asking for the installed targets would not do: a target
# of another compiler version is "installed" and does not work.
builds_for_browser() {
    local rustc=$1 scratch=$CARGO_TARGET_DIR/wasm-probe
    mkdir -p "$scratch"
    "$rustc" --target $wasm --edition 2024 --crate-type cdylib --crate-name probe --out-dir "$scratch" - \
        >/dev/null 2>&1 <<<'pub fn probe() -> String { String::new() }'
}

# The rustc that cargo uses in this folder is at least the version that Cargo.toml asks for.
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
    step "Rust for the browser (target $wasm), asking rustup, then Debian; up to 3 min"
    if command -v rustup >/dev/null && is_new_enough &&
        rustup target add $wasm >"$CARGO_TARGET_DIR/setup-rustup.log" 2>&1 && toolchain_works; then
        return
    fi
    say "      not by rustup; taking Debian's toolchain"
    install_debian_toolchain
    choose_debian_toolchain
    toolchain_works || die "Debian's Rust is installed, but \`rustc --target $wasm\` does not work in $root"
}

install_debian_toolchain() {
    command -v dpkg-query >/dev/null ||
        die "no Rust with the target $wasm: run \`rustup target add $wasm\` where it can download"
    local missing=() linker
    mapfile -t missing < <(missing_packages "${debian_toolchain[@]}")
    if [ ${#missing[@]} != 0 ]; then
        say "      installing ${missing[*]}, about 60 s"
        install_packages "${missing[@]}" ||
            die "no Rust with the target $wasm: neither rustup nor apt-get could install it ($apt_log has the reason)"
    fi
    # Debian's rust-lld is a link to the lld of the LLVM version in use, and that package is not a dependency of it.
    linker=$(basename "$(readlink /usr/bin/rust-lld)")
    if [ ! -x "/usr/bin/$linker" ]; then
        install_packages "$linker" || die "the linker for the browser half is missing: install $linker"
    fi
    builds_for_browser /usr/bin/rustc || build_standard_library
}

# Debian ships the standard library's source, not the library for the browser. Built once, it is copied to where rustc
# looks for it, so that no other command needs a nightly flag.
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

# Makes cargo in this folder be Debian's, by rustup if there is one, so that a person's own `cargo` here is it as well.
choose_debian_toolchain() {
    if command -v rustup >/dev/null &&
        rustup toolchain link $debian_toolchain_name /usr &&
        rustup override set $debian_toolchain_name --path "$root" && toolchain_works; then
        return
    fi
    # No rustup, or RUSTUP_TOOLCHAIN overrules it: the scripts put these links first on their PATH.
    mkdir -p "$toolchain_links"
    local program
    for program in cargo rustc rustdoc rustfmt cargo-fmt cargo-clippy clippy-driver; do
        ln -sf "/usr/bin/$program" "$toolchain_links/$program"
    done
    refresh_path
}
