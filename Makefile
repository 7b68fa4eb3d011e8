# Two commands matter: `make run` serves the product, `make test` checks everything. Both install what is missing.
# To use another target directory for cargo: CARGO_TARGET_DIR=/somewhere make run
# The groups of steps of `make test` are lint, test, postgres and e2e: make test STEPS="lint e2e"

export CARGO_TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))

.PHONY: run test dev check bench torture screenshots setup help

run: ## Sets up, builds, and serves on http://127.0.0.1:3000
	@exec scripts/run

test: ## Sets up, then format, lints, architecture checks, unit, router and browser tests; STEPS=lint runs one group
	@exec scripts/test $(STEPS)

dev: ## Serves a debug build; rebuilds and reloads on change
	@exec scripts/dev

check: ## Type-checks both halves and runs the architecture checks; quick
	@exec scripts/check

bench: ## Measures the release build and prints figures
	@exec scripts/bench

torture: ## Kills the server 1,000 times under load and injects faults of disk, clock and database; needs root
	@exec scripts/torture

screenshots: ## Takes the screenshots of the README again
	@exec scripts/screenshots

setup: ## Installs what is missing
	@exec scripts/setup

help: ## Lists these targets
	@sed -n 's/^\([a-z]*\): ## /  make \1\t/p' $(MAKEFILE_LIST)
