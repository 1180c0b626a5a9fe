# Everything that one does with VersionKit. `make` alone lists it.

CONFIGURATION ?= debug
DEMO_ARGUMENTS ?=
BENCH_ARGUMENTS ?=
TEST_ARGUMENTS ?=
FUZZ_SECONDS ?= 30
# Whoever tests both TLS and Xen builds once by giving both traits to both: TRAITS=TLS,Xen. Xen comes first: it installs headers.
TRAITS ?=
# Tests that run at one time: most of them are whole nodes with clients, and a request that waits for all the others of
# ten fleets on two processors waits too long.
TEST_WIDTH ?= 4

# What runs together, one group after the other. Each wants the machine's whole time, and whoever waits for an answer beside
# too many others waits too long: tests that block a thread share few of them. What is in no group comes last.
TEST_GROUPS := \
	^(Model|Wire|Proxy|Framing|Adapters|Testing|Router|Control|Upgrade)Tests[.] \
	^KernelTests[.] \
	^TransportTests[.](Relay|PlainPeer) \
	^TransportTests[.]Datagram \
	^SnapshotTests[.] \
	^IsolationTests[.] \
	^NodeTests[.](?!CrashPoint|FullDisk) \
	^NodeTests[.]CrashPoint \
	^NodeTests[.]FullDisk \
	^(RealServers|ThirdParty)Tests[.]
TEST_OPTIONS := --skip-build --disable-xctest --configuration "$(CONFIGURATION)"

comma := ,
# Where scripts/build puts the programs.
BIN := .build/$(CONFIGURATION)

SWIFT_FOLDERS := $(wildcard Sources Tests Fuzzing/Package.swift Fuzzing/Sources Benchmarks/Package.swift Benchmarks/Sources Benchmarks/Tests) Package.swift
SCRIPTS := $(filter-out %.txt scripts/xen,$(wildcard scripts/* scripts/xen/*)) $(wildcard .ci/run)

export CONFIGURATION FUZZ_SECONDS TRAITS
# Swift 6.3 and newer go by it.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH = $(TEST_WIDTH)

.DEFAULT_GOAL := help
.PHONY: help bpf demo demo-cfs demo-redis demo-rollback bench-proxy bench-router bench-isolation bench-upgrade bench-cfs test test-tls test-crashes test-xen lint format docs fuzz clean setup setup-tests build

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

demo-rollback: build ## Withdraw a bad release and a good one from a fleet, losing nothing (DEMO_ARGUMENTS)
	scripts/sandbox "$(BIN)/irislog-demo" rollback $(DEMO_ARGUMENTS)

# Optimised: a debug build has no time left for sixteen hosts with two rings on a small machine.
demo-cfs: setup ## Upgrade a ring of CFS that keeps 50 MB of files, under load (DEMO_ARGUMENTS)
	scripts/build-programs cfs-demo cfs-lsd cfs-lsd2 cfs cfs-dbm cfs-proxy cfs-migrate versiond versionctl versionkit-environment
	scripts/sandbox .build/programs/release/cfs-demo $(DEMO_ARGUMENTS)

demo-redis: build ## Upgrade a live Redis under load, with faults, in the sandbox (DEMO_ARGUMENTS)
	scripts/sandbox "$(BIN)/redis-demo" $(DEMO_ARGUMENTS)

test: setup-tests build ## Run all tests, in the sandbox (TEST_ARGUMENTS, e.g. --filter WireTests)
ifeq ($(strip $(TEST_ARGUMENTS)),)
	@set -e; for group in $(foreach group,$(TEST_GROUPS),'$(group)'); do \
		scripts/sandbox swift test $(TEST_OPTIONS) --filter "$$group"; \
	done
	scripts/sandbox swift test $(TEST_OPTIONS) $(foreach group,$(TEST_GROUPS),--skip '$(group)')
else
	scripts/sandbox swift test $(TEST_OPTIONS) $(TEST_ARGUMENTS)
endif

bench-proxy: setup ## Measure the proxy beside Envoy, HAProxy and nginx (BENCH_ARGUMENTS, e.g. --quick)
	scripts/bench-proxy $(BENCH_ARGUMENTS)

bench-router: setup ## Measure the router beside plain routing, HAProxy, nginx and Envoy (BENCH_ARGUMENTS)
	scripts/bench-router $(BENCH_ARGUMENTS)

bench-isolation: setup-tests ## Measure environments of every kind and their snapshots (BENCH_ARGUMENTS)
	scripts/bench-isolation $(BENCH_ARGUMENTS)

bench-upgrade: setup ## Measure how releases spread over a fleet, and the stages of upgrades (BENCH_ARGUMENTS)
	scripts/bench-upgrade $(BENCH_ARGUMENTS)

bench-cfs: setup ## Measure CFS with VersionKit and without, and simulate its rings (BENCH_ARGUMENTS)
	scripts/bench-cfs $(BENCH_ARGUMENTS)

test-crashes: setup-tests build ## Kill versiond at every boundary of every story: a quarter of an hour (in `make test`: a part)
	VERSIONKIT_CRASH_STEP=1 scripts/sandbox swift test $(TEST_OPTIONS) --filter '^NodeTests[.]CrashPoint'

test-tls: setup ## The test of TLS towards clients, with the package trait TLS (builds BoringSSL)
	scripts/sandbox swift test --traits "$(or $(TRAITS),TLS)" --scratch-path ".build/traits/$(or $(subst $(comma),-,$(TRAITS)),TLS)" \
		--disable-xctest --filter TLSTests

test-xen: ## The test of Xen environments, on a Xen host in QEMU (installs QEMU and libxl's headers)
	scripts/xen/test

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

bpf: ## Build the kernel's part of the router anew (Sources/BPF) and check it in
	scripts/build-bpf

docs: setup ## Build the reference of `import VersionKit` into docs/api; a dead link fails
	scripts/docs

fuzz: setup ## Run every fuzzer for FUZZ_SECONDS (30)
	scripts/fuzz

clean: ## Remove all that was built
	rm -rf .build Fuzzing/.build Benchmarks/.build docs/api

# Steps of the above.

setup:
	@scripts/setup

setup-tests:
	@scripts/setup --tests

build: setup
	scripts/build
