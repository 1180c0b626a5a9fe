# Everything that one does with VersionKit. `make` alone lists it.

CONFIGURATION ?= debug
DEMO_ARGUMENTS ?=
BENCH_ARGUMENTS ?=
TEST_ARGUMENTS ?=
FUZZ_SECONDS ?= 30

# Tests that only compute come first, and those with real servers last, each by themselves: both want the machine's
# whole time, and whoever waits for an answer beside them waits too long.
PURE_TESTS := ^(Model|Wire|Proxy|Framing|Adapters|Testing|Router|Upgrade)Tests[.]
TEST_OPTIONS := --skip-build --disable-xctest --configuration "$(CONFIGURATION)"

# Where scripts/build puts the programs.
BIN := .build/$(CONFIGURATION)

SWIFT_FOLDERS := $(wildcard Sources Tests Fuzzing/Package.swift Fuzzing/Sources Benchmarks/Package.swift Benchmarks/Sources Benchmarks/Tests) Package.swift
SCRIPTS := $(filter-out %.txt,$(wildcard scripts/*)) $(wildcard .ci/run)

export CONFIGURATION FUZZ_SECONDS

.DEFAULT_GOAL := help
.PHONY: help demo demo-redis bench-proxy test test-tls lint format docs fuzz clean setup build

help: ## This list
	@echo "VersionKit: upgrade a distributed application while it runs."
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS='|' read -r target what; do printf '%-14s %s\n' "$$target" "$$what"; done
	@echo
	@echo "Examples:"
	@echo "  make demo                                      see an upgrade happen"
	@echo "  make test TEST_ARGUMENTS='--filter WireTests'  the tests of one module"
	@echo "  make test CONFIGURATION=release                the tests, optimised"
	@echo "  make fuzz FUZZ_SECONDS=600                     look for inputs that break a parser"

demo: build ## Upgrade IrisLog live, in a sandbox on this machine (DEMO_ARGUMENTS)
	scripts/sandbox "$(BIN)/irislog-demo" $(DEMO_ARGUMENTS)

demo-redis: build ## Upgrade a live Redis under load, with faults, in the sandbox (DEMO_ARGUMENTS)
	scripts/sandbox "$(BIN)/redis-demo" $(DEMO_ARGUMENTS)

test: build ## Run all tests, in the sandbox (TEST_ARGUMENTS, e.g. --filter WireTests)
ifeq ($(strip $(TEST_ARGUMENTS)),)
	scripts/sandbox swift test $(TEST_OPTIONS) --filter '$(PURE_TESTS)'
	scripts/sandbox swift test $(TEST_OPTIONS) --skip '$(PURE_TESTS)' --skip '^RealServersTests[.]'
	scripts/sandbox swift test $(TEST_OPTIONS) --filter '^RealServersTests[.]'
else
	scripts/sandbox swift test $(TEST_OPTIONS) $(TEST_ARGUMENTS)
endif

bench-proxy: setup ## Measure the proxy beside Envoy, HAProxy and nginx (BENCH_ARGUMENTS, e.g. --quick)
	scripts/bench-proxy $(BENCH_ARGUMENTS)

test-tls: setup ## The test of TLS towards clients, with the package trait TLS (builds BoringSSL)
	scripts/sandbox swift test --traits TLS --scratch-path .build/tls --disable-xctest --filter TLSTests

lint: ## Check the format of the sources and the syntax of the scripts
	swift format lint --strict --recursive --parallel $(SWIFT_FOLDERS)
	@for script in $(SCRIPTS); do \
		case $$(head -n 1 "$$script") in \
			*bash) bash -n "$$script" || exit 1 ;; \
			*) sh -n "$$script" || exit 1 ;; \
		esac; \
	done
	@echo "lint: nothing to complain about"

format: ## Format the sources in place
	swift format --in-place --recursive --parallel $(SWIFT_FOLDERS)

docs: setup ## Build the reference of `import VersionKit` into docs/api; a dead link fails
	scripts/docs

fuzz: setup ## Run every fuzzer for FUZZ_SECONDS (30)
	scripts/fuzz

clean: ## Remove all that was built
	rm -rf .build Fuzzing/.build Benchmarks/.build docs/api

# Steps of the above.

setup:
	@scripts/setup

build: setup
	scripts/build
