# Everything a person or a machine does to this repository. CI runs `make check`, a minute of `make chaos`, and `make fuzz`.

GO       ?= go
FUZZTIME ?= 50000x
CHAOS    ?= 10m
SEED     ?= 0
PEERS    ?=

# The packages whose tests run under the race detector: those that several goroutines enter.
RACE := ./internal/partition/... ./internal/cluster/... ./internal/jobs/... ./internal/node/...
# Modules of their own, beside the root's: they are built and tested where they stand.
MODULES := test/bench examples/embedded

LINT := $(GO) tool -modfile=tools/go.mod golangci-lint

.PHONY: help run cluster build gen fmt lint test race fuzz chaos golden bench check
.DEFAULT_GOAL := help

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## serve ./stator-data on 127.0.0.1:8000
	$(GO) run ./cmd/stator serve

cluster: build ## serve three nodes of one cluster on this machine, on ports 8000 to 8022
	./deploy/cluster.sh

build: ## build ./stator, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -o stator ./cmd/stator

gen: ## regenerate internal/model/api and docs/compatibility.md
	$(GO) generate ./...

fmt: ## format the code
	$(LINT) fmt

lint: ## run the linters of .golangci.yml
	$(LINT) run ./...

test: ## run every test, the concurrent packages under the race detector
	@GO="$(GO)" RACE="$(RACE)" MODULES="$(MODULES)" ./.ci/test

race: ## run every test under the race detector
	$(GO) test -race -timeout 30m ./...

fuzz: ## run every fuzzer for FUZZTIME (50000 tries; 10s is a time)
	@GO="$(GO)" FUZZTIME="$(FUZZTIME)" ./.ci/fuzz

chaos: ## trouble a cluster of processes for CHAOS (10m); SEED draws the same faults again
	$(GO) test ./test/chaos -run 'TestChaos$$' -count 1 -v -timeout 24h -chaos $(CHAOS) -seed $(SEED)

golden: ## rewrite the golden files from what the code does now; read the diff
	@packages=$$(grep -rl --include='*_test.go' 'cockroachdb/datadriven"' . | xargs -r -n1 dirname | sort -u); \
	if [ -z "$$packages" ]; then echo "no golden files yet"; else $(GO) test $$packages -rewrite; fi

bench: ## compare with a server that only speaks HTTP; PEERS=1 adds dynoxide and dynalite
	PEERS="$(PEERS)" ./test/bench/compare.sh

check: lint test ## what CI runs: lint and test
