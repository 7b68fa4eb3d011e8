# npm packages: noVNC, tus-js-client and wasm-opt for the product, Playwright and axe for the tests.
# shellcheck shell=bash

# Installs the packages of package-lock.json, unless exactly these are installed already.
ensure_npm_packages() {
    local stamp=node_modules/.installed-lock
    if cmp --silent package-lock.json "$stamp"; then
        return
    fi
    command -v npm >/dev/null || die "Node.js with npm is needed: install Node.js 20 or newer"
    step "npm packages, about 20 s"
    npm ci --no-fund --no-audit --loglevel=error >"$CARGO_TARGET_DIR/setup-npm.log" 2>&1 ||
        die "npm could not install the packages of package-lock.json (its messages: $CARGO_TARGET_DIR/setup-npm.log)"
    cp package-lock.json "$stamp"
}

# Playwright needs a newer Node.js than the build.
ensure_node() {
    local least=18 found
    if [ "$purpose" = test ]; then
        least=20
    fi
    found=$(node --version 2>/dev/null | sed 's/^v//; s/\..*//')
    [ "${found:-0}" -ge "$least" ] || die "Node.js $least or newer is needed, found: ${found:-none}"
}
