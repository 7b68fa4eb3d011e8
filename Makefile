# Two commands matter: `make run` serves the product, `make test` checks everything. Both install what is missing.
# Cargo's target directory can be elsewhere: CARGO_TARGET_DIR=/somewhere make run

export CARGO_TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))

.PHONY: run test dev check bench torture setup help

run: ## Sets up, builds, and serves on http://127.0.0.1:3000
	@exec scripts/run

test: ## Sets up, then format, lints, rules, unit, router and browser tests
	@exec scripts/test

dev: ## Serves a debug build; rebuilds and reloads on change
	@exec scripts/dev

check: ## Compiles both halves without building them, and checks the rules; for in between
	@exec scripts/check

bench: ## Measures the release build and prints the figures
	@exec scripts/bench

torture: ## Kills the server 1,000 times under load, and does worse to its machine; as root
	@exec scripts/torture

setup: ## Only installs what is missing
	@exec scripts/setup

help: ## Lists these
	@sed -n 's/^\([a-z]*\): ## /  make \1\t/p' $(MAKEFILE_LIST)
